"""Newton alone: its steps, when it stops, and what a sweep solves."""

from __future__ import annotations

import numpy as np
import pytest

from equipoise.solver import newton
from equipoise.solver.newton import coordinates_newton, swept
from equipoise.types import FloatArray


def problem(seed: int, n: int) -> tuple[FloatArray, FloatArray]:
    rng = np.random.default_rng(seed)
    C = np.corrcoef(rng.standard_normal((3 * n, n)).T + rng.standard_normal(3 * n))
    return C, rng.dirichlet(np.ones(n)) * 0.9 + 0.1 / n


def error(C: FloatArray, b: FloatArray, x: FloatArray) -> float:
    return float(np.abs(x * (C @ x) / b - 1).max())


def test_swept__each_coordinate__solves_its_equation_while_the_others_stay() -> None:
    C, b = problem(1, 5)
    x = np.array([0.1, 0.5, 2.0, 0.3, 0.7])
    for matrix in (C, 2 * np.eye(5) - C):  # neighbours that pull down, and that push up
        y = matrix @ x
        found = swept(b, x, y)
        np.testing.assert_allclose(found * (y - x + found), b, rtol=1e-12)
        assert (found > 0).all()


def test_swept__neighbours_far_above_the_budget__no_cancellation() -> None:
    found = swept(np.array([1e-20]), np.array([1.0]), np.array([1e6]))
    assert found[0] == pytest.approx(1e-20 / (1e6 - 1), rel=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_coordinates_newton__any_problem__to_the_last_digit_in_few_steps(seed: int) -> None:
    C, b = problem(seed, 8)
    before = C.copy()
    x, iterations = coordinates_newton(C, b)
    assert error(C, b, x) <= newton.CONVERGED
    assert iterations <= 4
    np.testing.assert_array_equal(C, before)


def test_coordinates_newton__start_at_the_solution__no_step_whatever_its_scale() -> None:
    C, b = problem(0, 6)
    x, _ = coordinates_newton(C, b)
    for scale in (1.0, 1e-6, 1e6):
        again, iterations = coordinates_newton(C, b, x * scale)
        assert iterations <= 1
        np.testing.assert_allclose(again, x, rtol=1e-10)


def test_coordinates_newton__no_correlation__the_start_is_the_solution() -> None:
    b = np.array([0.1, 0.2, 0.7])
    x, iterations = coordinates_newton(np.eye(3), b)
    assert iterations == 0
    np.testing.assert_allclose(x, np.sqrt(b), rtol=1e-12)


def test_coordinates_newton__start_far_off__damped_steps_reach_it() -> None:
    C, b = problem(2, 6)
    expected, _ = coordinates_newton(C, b)
    x, iterations = coordinates_newton(C, b, np.logspace(-4, 4, 6))
    np.testing.assert_allclose(x, expected, rtol=1e-9)
    assert 5 < iterations <= 50


def test_coordinates_newton__nothing_ever_converged__stops_when_steps_no_longer_help(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without the threshold, steps that no longer halve the error are the end."""
    C, b = problem(3, 6)
    solved: list[int] = []
    real = np.linalg.solve

    def counted(*arguments: FloatArray) -> FloatArray:
        solved.append(1)
        return real(*arguments)

    monkeypatch.setattr(newton, "CONVERGED", -1.0)
    monkeypatch.setattr(np.linalg, "solve", counted)
    x, iterations = coordinates_newton(C, b)
    assert error(C, b, x) < 1e-14
    assert iterations <= len(solved) <= iterations + newton.PATIENCE + 2


def test_coordinates_newton__out_of_steps__the_best_so_far(monkeypatch: pytest.MonkeyPatch) -> None:
    C, b = problem(4, 6)
    start = np.logspace(-3, 3, 6)
    errors = []
    for limit in range(1, 8):
        monkeypatch.setattr(newton, "MAX_ITERATIONS", limit)
        x, iterations = coordinates_newton(C, b, start)
        assert iterations < limit
        errors.append(error(C, b, x))
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < errors[0]
