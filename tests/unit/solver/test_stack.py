"""The arrays over problems, each against the one problem that NumPy or Newton solves."""

from __future__ import annotations

import numpy as np
import pytest

from equipoise.errors import SolverError
from equipoise.solver import batch, solve_parity, solve_parity_batch, stack
from equipoise.solver.batch import STACK_UP_TO, _skew
from equipoise.solver.newton import coordinates_newton
from equipoise.solver.solution import ParityBatch, ParitySolution
from equipoise.types import FloatArray


def problems(n: int, m: int, seed: int = 0) -> tuple[FloatArray, FloatArray]:
    """Correlations (m, n, n), easy and hard ones by turns, and budgets (m, n)."""
    rng = np.random.default_rng(seed)
    made = []
    for k in range(m):
        returns = rng.standard_normal((3 * n + 5, n))
        made.append(np.corrcoef(returns.T + (k % 3) * rng.standard_normal(len(returns))))
    thin = 10.0 ** -(np.arange(m)[:, None] % 4 * rng.random((m, n)))
    return np.array(made), thin / thin.sum(axis=1, keepdims=True)


def last(C: FloatArray) -> FloatArray:
    """The problems on the last axis."""
    return np.ascontiguousarray(np.moveaxis(C, 0, -1))


@pytest.mark.parametrize(("m", "n"), [(1, 2), (10, 128), (17, 181), (3, 1000), (40_000, 2)])
def test_chunks__any_stack__every_problem_once_in_pieces_of_a_mebibyte(m: int, n: int) -> None:
    parts = stack.chunks(m, n)
    assert [k for part in parts for k in range(part.start, part.stop)] == list(range(m))
    sizes = [part.stop - part.start for part in parts]
    fits = 2**17 // n**2
    assert set(sizes[:-1]) <= {max(1, fits)}
    assert sizes[-1] <= max(1, fits)


@pytest.mark.parametrize("n", [1, 2, 6])
def test_smallest_pivot__definite_or_not__as_ldl_has_it(n: int) -> None:
    C, _ = problems(n, 8)
    C = C.reshape(8, n, n)
    before = C.copy()
    expected = [(np.linalg.cholesky(one).diagonal() ** 2).min() for one in C]
    np.testing.assert_allclose(stack.smallest_pivot(last(C)), expected, rtol=1e-10)
    np.testing.assert_array_equal(C, before)


def test_smallest_pivot__indefinite__negative() -> None:
    assert stack.smallest_pivot(np.array([[1.0, 2.0], [2.0, 1.0]])[..., None]).tolist() == [-3.0]


def test_solved__any_system__as_numpy_solves_it() -> None:
    A, r = problems(7, 9)
    expected = [np.linalg.solve(one, right) for one, right in zip(A, r, strict=True)]
    np.testing.assert_allclose(stack._solved(last(A), last(r)).T, expected, rtol=1e-9)


def test_swept__each_in_turn__solves_its_equation_given_those_before_it() -> None:
    C, b = problems(5, 6)
    found = stack._swept(last(C), last(b)).T
    for k in range(6):
        x = np.sqrt(b[k])
        x /= np.sqrt(x @ C[k] @ x)
        for _ in range(stack.SWEEPS):
            for i in range(5):
                half = (C[k, i] @ x - x[i]) / 2
                x[i] = np.sqrt(half**2 + b[k, i]) - half
        np.testing.assert_allclose(found[k], x, rtol=1e-10)


def test_swept__neighbours_far_above_the_budget__no_cancellation() -> None:
    C, b = np.array([[1.0, 0.9], [0.9, 1.0]])[..., None], np.array([[1e-24], [1.0]])
    x = stack._swept(C, b)
    np.testing.assert_allclose(x[0] * (x[0] + 0.9 * x[1]), b[0], rtol=1e-9)


@pytest.mark.parametrize("n", [2, 5, 12])
def test_coordinates_stack__easy_and_hard_together__each_as_alone_and_in_few_steps(n: int) -> None:
    C, b = problems(n, 40)
    arrays = last(C), last(b)
    copies = [array.copy() for array in arrays]
    x, iterations = stack.coordinates_stack(*arrays)
    for array, copy in zip(arrays, copies, strict=True):
        np.testing.assert_array_equal(array, copy)
    assert iterations.dtype == np.int64
    assert 0 < iterations.max() <= 5
    assert iterations.min() < iterations.max()
    for k in range(40):
        alone, _ = coordinates_newton(C[k], b[k])
        np.testing.assert_allclose(x[:, k], alone, rtol=1e-10)
        np.testing.assert_allclose(x[:, k] * (C[k] @ x[:, k]), b[k], rtol=1e-11)


def test_coordinates_stack__hedges__damped_steps_reach_the_solution() -> None:
    """Two assets with a correlation near -1: x = sqrt(b / (1 + rho)) is far from where the sweeps end."""
    rho = np.array([-0.9, -0.9999, -0.9999999])
    C = np.array([[np.ones(3), rho], [rho, np.ones(3)]])
    x, iterations = stack.coordinates_stack(C, np.full((2, 3), 0.5))
    np.testing.assert_allclose(x, np.sqrt(0.5 / (1 + rho)) * np.ones((2, 1)), rtol=1e-6)
    assert iterations.max() <= 40


def test_coordinates_stack__more_steps_than_help__the_best_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    C, b = problems(6, 12)
    monkeypatch.setattr(stack, "CONVERGED", -1.0)
    x, iterations = stack.coordinates_stack(last(C), last(b))
    error = np.abs(x * np.einsum("kij,jk->ik", C, x) / b.T - 1).max(axis=0)
    assert (error < 1e-14).all()
    assert iterations.max() <= 8


def test_skew__one_entry__its_difference_whichever_triangle() -> None:
    C = np.zeros((3, 3, 4))
    C[2, 0, 1] = 0.5
    C[0, 1, 2] = 0.25
    C[1, 2, 3], C[2, 1, 3] = -0.5, 0.25
    assert _skew(C).tolist() == [0.0, 0.5, 0.25, 0.75]


def test_solve_parity_batch__good_stack__none_is_solved_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    C, b = problems(8, 60)
    sigma = np.random.default_rng(1).uniform(0.1, 2, (60, 8))
    S = C * sigma[:, :, None] * sigma[:, None, :]
    alone = [solve_parity(S[k], b[k]) for k in range(60)]
    monkeypatch.setattr(batch, "solve_parity", lambda *_, **__: pytest.fail("solved alone"))
    found = solve_parity_batch(S, b)
    assert isinstance(found, ParityBatch)
    for k, one in enumerate(alone):
        mine = found[k]
        assert isinstance(mine, ParitySolution)
        for name in ("weights", "coordinates", "contributions", "volatility"):
            np.testing.assert_allclose(getattr(mine, name), getattr(one, name), rtol=1e-7)
        assert mine.max_error <= 1e-13
        assert isinstance(mine.iterations, int)


@pytest.mark.parametrize("n", [STACK_UP_TO, STACK_UP_TO + 1])
def test_solve_parity_batch__on_either_side_of_the_limit__stacked_or_alone(
    n: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    C, b = problems(n, 4)
    called: list[tuple[FloatArray, FloatArray, float]] = []

    def counted(S: FloatArray, budgets: FloatArray, *, tolerance: float) -> ParitySolution:
        called.append((S, budgets, tolerance))
        return solve_parity(S, budgets, tolerance=tolerance)

    monkeypatch.setattr(batch, "solve_parity", counted)
    found = solve_parity_batch(C, b, tolerance=1e-9)
    assert len(called) == (0 if n == STACK_UP_TO else 4)
    assert {tolerance for _, _, tolerance in called} <= {1e-9}
    for k in range(4):
        np.testing.assert_allclose(found.weights[k], solve_parity(C[k], b[k]).weights, rtol=1e-7)


def test_solve_parity_batch__one_nearly_singular__alone_with_its_own_budgets() -> None:
    C, b = problems(3, 5)
    C[3] = np.eye(3)
    C[3, 0, 1] = C[3, 1, 0] = -1 + 1e-9
    found = solve_parity_batch(C, b)
    np.testing.assert_array_equal(found.weights[3], solve_parity(C[3], b[3]).weights)


@pytest.mark.parametrize("shape", [(2, 2), (3, 2, 4), (0, 2, 2), (2, 0, 0), (2, 2, 2, 2)])
def test_solve_parity_batch__no_stack__its_shape_is_told(shape: tuple[int, ...]) -> None:
    with pytest.raises(SolverError, match=r"^covariance has shape \(.*\) in a stack of \(.*be square"):
        solve_parity_batch(np.ones(shape))
    with pytest.raises(SolverError, match="covariances is not an array of numbers"):
        solve_parity_batch([["a"]])  # type: ignore[list-item]
