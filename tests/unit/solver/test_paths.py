"""Every way through the solver (factors, products, stack, factor model) gives the same certified answer."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.errors import SolverError
from equipoise.solver import TOLERANCE, solve_parity, solve_parity_batch, solve_parity_factor
from equipoise.solver.conjugate import CONVERGED
from equipoise.solver.newton import coordinates_newton
from equipoise.types import FloatArray

LARGE = 120
"""Assets of a problem that is solved by products."""


def market(rng: np.random.Generator, n: int, factors: int = 1) -> FloatArray:
    returns = rng.standard_normal((3 * n, n))
    returns += np.abs(rng.standard_normal(n)) * rng.standard_normal((3 * n, 1))
    if factors > 1:
        returns += rng.standard_normal((3 * n, factors)) @ rng.standard_normal((factors, n))
    sigma = rng.uniform(0.05, 1.5, n)
    return np.corrcoef(returns.T) * sigma[:, None] * sigma


def budgets_of(rng: np.random.Generator, n: int, thin: float = 2.0) -> FloatArray:
    budgets = 10 ** rng.uniform(-thin, 0, n)
    return budgets / budgets.sum()


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(2, 14), m=st.integers(1, 30), thin=st.floats(0, 6))
def test_solve_parity_batch__any_stack__same_as_one_by_one(seed: int, n: int, m: int, thin: float) -> None:
    rng = np.random.default_rng(seed)
    stack = np.array([market(rng, n, rng.integers(1, 4)) for _ in range(m)])
    budgets = np.array([budgets_of(rng, n, thin) for _ in range(m)])
    given_stack = stack.copy()
    batch = solve_parity_batch(stack, budgets)
    np.testing.assert_array_equal(stack, given_stack)
    assert batch.max_error.max() <= TOLERANCE
    for k in range(m):
        alone = solve_parity(stack[k], budgets[k])
        np.testing.assert_allclose(batch.weights[k], alone.weights, rtol=1e-8)
        np.testing.assert_allclose(batch[k].volatility, alone.volatility, rtol=1e-10)
        np.testing.assert_allclose(batch[k].contributions, alone.contributions, atol=1e-9 * alone.volatility)


@pytest.mark.parametrize("factors", [1, 4])
@pytest.mark.parametrize("seed", range(3))
def test_solve_parity__many_assets__same_as_by_factors(seed: int, factors: int) -> None:
    rng = np.random.default_rng(seed)
    S, b = market(rng, LARGE, factors), budgets_of(rng, LARGE)
    sigma = np.sqrt(np.diag(S))
    x, _ = coordinates_newton(S / np.outer(sigma, sigma), b)
    solution = solve_parity(S, b)
    assert solution.max_error <= TOLERANCE
    np.testing.assert_allclose(solution.coordinates, x, rtol=1e-6)


@pytest.mark.parametrize("n", [3, LARGE])
def test_solve_parity__warm_or_trusting__same_solution(n: int) -> None:
    S = market(np.random.default_rng(n), n)
    cold = solve_parity(S)
    warm = solve_parity(S * 1.01, start=cold.coordinates)
    np.testing.assert_allclose(warm.weights, cold.weights, rtol=1e-7)
    assert warm.iterations < cold.iterations
    np.testing.assert_array_equal(solve_parity(S, assume_definite=True).weights, cold.weights)


@pytest.mark.parametrize("n", [4, 30, LARGE])
@pytest.mark.parametrize("scale", [1e-250, 1e-12, 1e12, 1e250])
def test_solve_parity__any_scale__same_weights(n: int, scale: float) -> None:
    S = market(np.random.default_rng(1), n)
    expected = solve_parity(S)
    found = solve_parity(S * scale)
    np.testing.assert_allclose(found.weights, expected.weights, rtol=1e-7)
    assert found.volatility == pytest.approx(expected.volatility * scale**0.5, rel=1e-9)
    np.testing.assert_allclose(solve_parity_batch(S[None] * scale).weights[0], expected.weights, rtol=1e-7)


def test_solve_parity_factor__model__same_as_its_matrix() -> None:
    rng = np.random.default_rng(2)
    n, k = 300, 4
    loadings, F, specific = rng.standard_normal((n, k)) * 0.3 + 0.5, market(rng, k), rng.uniform(0.01, 0.3, n)
    b = budgets_of(rng, n)
    found = solve_parity_factor(loadings, F, specific, b)
    expected = solve_parity(loadings @ F @ loadings.T + np.diag(specific), b)
    np.testing.assert_allclose(found.weights, expected.weights, rtol=1e-6)
    assert found.volatility == pytest.approx(expected.volatility, rel=1e-8)


def test_solve_parity_factor__fifty_thousand_assets__certified() -> None:
    rng = np.random.default_rng(3)
    n = 50_000
    found = solve_parity_factor(rng.uniform(0.5, 1.5, (n, 3)), np.eye(3) * 0.04, rng.uniform(0.01, 0.3, n))
    assert found.max_error <= CONVERGED / n


def test_solve_parity_batch__ten_times_the_stack__no_more_than_ten_times_the_memory() -> None:
    """Beyond the results there is only a chunk."""
    stack = np.array([market(np.random.default_rng(k), 6) for k in range(200)])

    def beyond(m: int) -> float:
        matrices = np.tile(stack, (m // 200, 1, 1))
        tracemalloc.start()
        batch = solve_parity_batch(matrices)
        kept, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert len(batch) == m
        return peak - kept

    beyond(20_000)
    assert beyond(200_000) < 1.5 * beyond(20_000) + 200_000 * 6 * 8


def broken(n: int, how: str) -> FloatArray:
    S = market(np.random.default_rng(9), n)
    if how == "skew":
        S[1, 2] *= 1.001
    elif how == "skew by rows alike":  # a product with equal numbers would not see it
        S = np.eye(n) + 0.1 * np.roll(np.eye(n), 1, axis=1)
    elif how == "nan":
        S[0, n - 1] = np.nan
    elif how == "infinite":
        S[1, 1] = np.inf
    elif how == "zero variance":
        S[2] = S[:, 2] = 0.0
    elif how == "indefinite":
        S = np.eye(n)
        S[:3, :3] = [[1.0, 0.9, -0.9], [0.9, 1.0, 0.9], [-0.9, 0.9, 1.0]]
    elif how == "twins":
        S[2], S[:, 2], S[2, 2] = S[1].copy(), S[:, 1].copy(), S[1, 1]
    return S


BROKEN = {
    "skew": r"not symmetric: entry \(1, 2\)",
    "skew by rows alike": "not symmetric",
    "nan": "nan at",
    "infinite": r"inf at \(1, 1\)",
    "zero variance": "variance of asset 2 is 0",
    "indefinite": "not positive definite",
    "twins": r"not positive definite.*assets 1 and 2 have a correlation of 1",
}


@pytest.mark.parametrize("how", BROKEN)
@pytest.mark.parametrize("n", [4, 30, LARGE])
def test_solve_parity__bad_matrix_of_any_size__named(n: int, how: str) -> None:
    with pytest.raises(SolverError, match=BROKEN[how]):
        solve_parity(broken(n, how))


@pytest.mark.parametrize("how", BROKEN)
def test_solve_parity_batch__one_bad_matrix__named_with_its_place(how: str) -> None:
    stack = np.array([market(np.random.default_rng(k), 5) for k in range(7)])
    stack[4] = broken(5, how)
    with pytest.raises(SolverError, match="matrix 4 of the stack: .*" + BROKEN[how]):
        solve_parity_batch(stack)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"loadings": np.ones((3, 2, 1))}, "loadings have shape"),
        ({"loadings": np.array([[1.0, np.nan]] * 3)}, r"loadings have nan at \(0, 1\)"),
        ({"factor_covariance": [[1.0, 2.0], [2.0, 1.0]]}, "factor covariance is not positive definite"),
        ({"specific_variance": [0.1, 0.0, 0.1]}, "specific variance of asset 1 is 0"),
        ({"budgets": [0.5, 0.5]}, "budgets have shape"),
        ({"start": [1.0, -1.0, 1.0]}, "start has shape"),
    ],
)
def test_solve_parity_factor__outside_the_domain__named(change: dict[str, object], message: str) -> None:
    good = {
        "loadings": np.array([[1.0, 0.2], [0.5, 0.1], [0.3, -0.4]]),
        "factor_covariance": np.eye(2),
        "specific_variance": [0.1, 0.2, 0.3],
    }
    with pytest.raises(SolverError, match=message):
        solve_parity_factor(**{**good, **change})  # type: ignore[arg-type]
