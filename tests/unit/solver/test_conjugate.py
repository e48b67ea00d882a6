"""Conjugate gradients alone: as exact as asked, with no product more than that takes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from equipoise.errors import SolverError
from equipoise.solver import conjugate
from equipoise.types import FloatArray

N = 40


class Counted:
    """v to C v, and how often."""

    def __init__(self, C: FloatArray) -> None:
        self.C, self.times = C, 0

    def __call__(self, v: FloatArray) -> FloatArray:
        self.times += 1
        return self.C @ v


@pytest.fixture
def system() -> tuple[FloatArray, FloatArray, FloatArray]:
    """Correlations with some structure, a diagonal over three orders of magnitude, a right side."""
    rng = np.random.default_rng(7)
    returns = rng.standard_normal((3 * N, N)) + 1.5 * rng.standard_normal((3 * N, 1))
    return np.corrcoef(returns.T), 10 ** rng.uniform(-1, 2, N), rng.standard_normal(N)


def remainder(C: FloatArray, h: FloatArray, gradient: FloatArray, d: FloatArray) -> float:
    """What is left of the gradient, in the preconditioned norm."""
    left = gradient - C @ d - h * d
    return float(np.sqrt((left**2 / (1 + h)).sum() / (gradient**2 / (1 + h)).sum()))


@pytest.mark.parametrize("forcing", [0.3, 0.03, 1e-8])
def test_direction__any_forcing__met_and_not_met_by_one_product_less(
    system: tuple[FloatArray, FloatArray, FloatArray], forcing: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    C, h, gradient = system
    product = Counted(C)
    d, Cd = conjugate._direction(product, h, gradient, forcing)
    assert remainder(C, h, gradient, d) <= forcing
    np.testing.assert_allclose(Cd, C @ d, rtol=1e-9, atol=1e-12)
    assert 1 < product.times < N
    monkeypatch.setattr(conjugate, "MAX_PRODUCTS", product.times - 1)
    d, _ = conjugate._direction(Counted(C), h, gradient, forcing)
    assert remainder(C, h, gradient, d) > forcing


def test_direction__no_correlation__the_preconditioner_is_the_inverse() -> None:
    h, gradient = np.logspace(-3, 3, N), np.linspace(-1, 1, N)
    product = Counted(np.eye(N))
    d, _ = conjugate._direction(product, h, gradient, 1e-8)
    assert product.times == 1
    np.testing.assert_allclose(d, gradient / (1 + h), rtol=1e-12)


def test_direction__nothing_left__stops_although_nothing_is_forgiven() -> None:
    d, Cd = conjugate._direction(Counted(np.eye(2)), np.ones(2), np.ones(2), 0.0)
    assert d.tolist() == Cd.tolist() == [0.5, 0.5]


@pytest.mark.parametrize(("factor", "curvature"), [(-1.0, "0"), (-1.5, "-0.5"), (np.nan, "nan")])
def test_direction__no_positive_curvature__named(factor: float, curvature: str) -> None:
    with pytest.raises(SolverError, match=f"direction of curvature {curvature}, it must be > 0"):
        conjugate._direction(lambda v: factor * v, np.ones(2), np.array([1.0, 2.0]), 0.1)


@pytest.mark.parametrize(("factor", "curvature"), [(0.0, "0"), (-0.25, "-0.25")])
def test_coordinates_conjugate__no_positive_curvature_at_the_start__named(
    factor: float, curvature: str
) -> None:
    with pytest.raises(SolverError, match=f"direction of curvature {curvature}, it must be > 0"):
        conjugate.coordinates_conjugate(lambda v: factor * v, np.array([0.2, 0.8]))


def test_coordinates_conjugate__start_at_the_solution__no_step() -> None:
    rng = np.random.default_rng(3)
    C = np.corrcoef(rng.standard_normal((3 * N, N)).T)
    b = rng.dirichlet(np.ones(N)) * 0.5 + 0.5 / N
    x, iterations = conjugate.coordinates_conjugate(Counted(C), b)
    np.testing.assert_allclose(x * (C @ x), b, rtol=1e-7)
    assert 0 < iterations < 10
    again, none = conjugate.coordinates_conjugate(Counted(C), b, x)
    assert none == 0
    np.testing.assert_allclose(again, x, rtol=1e-8)


def test_coordinates_conjugate__rough_without_a_direction__given_up_for_the_exact_product() -> None:
    rng = np.random.default_rng(4)
    C, b = np.corrcoef(rng.standard_normal((3 * N, N)).T), np.full(N, 1 / N)
    expected, _ = conjugate.coordinates_conjugate(Counted(C), b)
    bent = conjugate.Rough(lambda v: -v, lambda h, g, forcing: pytest.fail("a bent start has no direction"))
    lost = conjugate.Rough(Counted(C), lambda h, g, forcing: (np.full(N, np.nan), False))
    for rough in (bent, lost):
        product = Counted(C)
        x, _ = conjugate.coordinates_conjugate(product, b, None, rough)
        np.testing.assert_allclose(x, expected, rtol=1e-7)
        assert product.times > 0


def test_coordinates_conjugate__rough__starts_there_but_not_from_a_given_start() -> None:
    rng = np.random.default_rng(5)
    C, b = np.corrcoef(rng.standard_normal((3 * N, N)).T), np.full(N, 1 / N)
    x, _ = conjugate.coordinates_conjugate(Counted(C), b)

    def direction(h: FloatArray, gradient: FloatArray, forcing: float) -> tuple[FloatArray, bool]:
        return np.linalg.solve(C + np.diag(h), gradient), True

    near = Counted(C)
    conjugate.coordinates_conjugate(Counted(C), b, None, conjugate.Rough(near, direction))
    assert near.times == 1 + conjugate.SWEEPS
    near = Counted(C)
    conjugate.coordinates_conjugate(Counted(C), b, x, conjugate.Rough(near, direction))
    assert near.times == 0


def test_coordinates_conjugate__nothing_ever_enough__stops_when_steps_no_longer_help(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without the threshold, steps that no longer halve the error are the end."""
    rng = np.random.default_rng(6)
    C, b = np.corrcoef(rng.standard_normal((3 * N, N)).T), np.full(N, 1 / N)
    taken: list[float] = []
    real = conjugate._direction

    def counted(*arguments: Any) -> tuple[FloatArray, FloatArray]:
        taken.append(arguments[3])
        return real(*arguments)

    monkeypatch.setattr(conjugate, "CONVERGED", -1.0)
    monkeypatch.setattr(conjugate, "_direction", counted)
    x, iterations = conjugate.coordinates_conjugate(Counted(C), b)
    assert np.abs(x * (C @ x) / b - 1).max() < 1e-13
    assert iterations <= len(taken)
    idle = [forcing for forcing in taken if forcing < 1e-13]  # the error, once it is small
    assert 1 <= len(idle) <= conjugate.PATIENCE + 1
    assert max(taken) <= conjugate.FORCING


def test_coordinates_conjugate__sound_directions__all_steps_are_rough_ones() -> None:
    rng = np.random.default_rng(8)
    C, b = np.corrcoef(rng.standard_normal((3 * N, N)).T), rng.dirichlet(np.ones(N)) * 0.5 + 0.5 / N
    asked: list[FloatArray] = []

    def direction(h: FloatArray, gradient: FloatArray, forcing: float) -> tuple[FloatArray, bool]:
        asked.append(b / h)  # h = b / x^2
        return np.linalg.solve(C + np.diag(h), gradient), True

    product = Counted(C)
    x, iterations = conjugate.coordinates_conjugate(product, b, None, conjugate.Rough(Counted(C), direction))
    assert 1 < iterations == len(asked) == product.times
    np.testing.assert_allclose(np.sqrt(asked[-1]), x, rtol=1e-3)
