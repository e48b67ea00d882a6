"""Caps and floors: the conditions of optimality, an independent solver, and bounds that admit nothing."""

from __future__ import annotations

from typing import Any

import cvxpy as cp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.errors import SolverError
from equipoise.solver import constrained, solve_parity, solve_parity_constrained
from equipoise.types import FloatArray


def covariance(rng: np.random.Generator, n: int) -> FloatArray:
    factors = rng.standard_normal((n, 3))
    S = factors @ factors.T + np.diag(rng.uniform(0.05, 1.0, n))
    sigma = rng.uniform(0.1, 2, n) / np.sqrt(np.diag(S))
    return S * sigma[:, None] * sigma


@settings(max_examples=80, deadline=None)
@given(seed=st.integers(0, 10**6), n=st.integers(2, 12), tight=st.floats(0.05, 1.0))
def test_solve_parity_constrained__any_bounds__optimal_within_them(seed: int, n: int, tight: float) -> None:
    rng = np.random.default_rng(seed)
    S, b = covariance(rng, n), rng.dirichlet(np.full(n, 3.0)) * 0.9 + 0.1 / n
    low = rng.uniform(0, 1, n) * 0.5 / n * (rng.random(n) < 0.5)
    high = np.minimum(1.0, (1 / n + tight * rng.uniform(0.02, 1, n)))
    solution = solve_parity_constrained(S, b, lower=low, upper=high)
    w = solution.weights
    assert (w >= low - 1e-12).all()
    assert (w <= high + 1e-12).all()
    assert w.sum() == pytest.approx(1.0, abs=1e-9)
    per_budget = solution.contributions / b
    free = ~(solution.at_lower | solution.at_upper)
    if free.any():
        level = per_budget[free].mean()
        np.testing.assert_allclose(per_budget[free], level, rtol=1e-7)
        # a cap keeps an asset below its part of the risk, a floor above it
        assert (per_budget[solution.at_upper] < level).all()
        assert (per_budget[solution.at_lower] > level).all()
    shares = solution.contributions / solution.volatility
    np.testing.assert_allclose(solution.budget_gap, shares - b, atol=1e-12)
    np.testing.assert_allclose(solution.volatility, np.sqrt(w @ S @ w), rtol=1e-9)


@pytest.mark.parametrize("seed", range(6))
def test_solve_parity_constrained__against_a_conic_solver__same_portfolio(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = 6
    S, high = covariance(rng, n), np.full(n, 0.25)
    found = solve_parity_constrained(S, upper=high)
    assert found.at_upper.any()
    level = float((found.contributions * n)[~found.at_upper].mean()) * found.volatility
    w = cp.Variable(n)
    root = np.linalg.cholesky(S).T
    risk = cp.sum_squares(root @ w) / 2 - level / n * cp.sum(cp.log(w))
    cp.Problem(cp.Minimize(risk), [w <= high]).solve(solver=cp.CLARABEL)
    np.testing.assert_allclose(found.weights, w.value, atol=2e-4)


def test_solve_parity_constrained__bounds_that_do_not_bind__plain_parity() -> None:
    S = covariance(np.random.default_rng(1), 5)
    plain = solve_parity(S)
    loose = solve_parity_constrained(S, lower=plain.weights.min() / 2, upper=plain.weights.max() * 1.01)
    np.testing.assert_array_equal(loose.weights, plain.weights)
    assert loose.unmet == ()
    np.testing.assert_allclose(loose.budget_gap, 0, atol=1e-9)


def test_solve_parity_constrained__two_assets_by_hand__the_cap_holds_and_is_told() -> None:
    solution = solve_parity_constrained(np.diag([0.01, 0.04]), upper=[0.5, 1.0])
    np.testing.assert_allclose(solution.weights, [0.5, 0.5], atol=1e-9)
    assert solution.unmet == (0,)
    np.testing.assert_allclose(solution.budget_gap, [0.2 - 0.5, 0.8 - 0.5], atol=1e-8)


def test_solve_parity_constrained__caps_that_leave_one_portfolio__that_one() -> None:
    S = covariance(np.random.default_rng(2), 4)
    np.testing.assert_allclose(solve_parity_constrained(S, upper=0.25).weights, 0.25, atol=1e-9)


@pytest.mark.parametrize(
    ("bounds", "message"),
    [
        ({"upper": 0.2}, "caps sum to 0.6, below 1"),
        ({"lower": 0.5}, "floors sum to 1.5, above 1"),
        ({"lower": [0.5, 0.1, 0.1], "upper": [0.4, 1, 1]}, "bounds of asset 0 are 0.5 to 0.4"),
        ({"lower": -0.1}, "bounds of asset 0 are -0.1 to 1"),
        ({"upper": [1, np.nan, 1]}, "bounds of asset 1"),
        ({"upper": [1.0, 1.0]}, r"upper has shape \(2,\); give a number, or one an asset, \(3,\)"),
        ({"lower": [[0.0, 0.0, 0.0]]}, r"lower has shape \(1, 3\)"),
        ({"upper": [1, 1, "all"]}, "upper is not an array of numbers"),
        ({"lower": "none"}, "lower is not an array of numbers"),
        (
            {"upper": [1, 0, 1]},
            "bounds of asset 1 are 0 to 0; they must be 0 <= lower <= upper <= 1, and",
        ),
        ({"upper": [1, 1, 1.01]}, r"bounds of asset 2 are 0 to 1\.01"),
        ({"lower": [0.4, 0.4, 0.2 + 1e-9]}, "floors sum to 1, above 1"),
        ({"upper": [0.4, 0.4, 0.2 - 1e-9]}, "caps sum to 1, below 1"),
    ],
)
def test_solve_parity_constrained__bounds_that_admit_nothing__named(
    bounds: dict[str, object], message: str
) -> None:
    with pytest.raises(SolverError, match=message):
        solve_parity_constrained(np.diag([0.1, 0.2, 0.3]), **bounds)  # type: ignore[arg-type]


def test_solve_parity_constrained__floors_that_leave_one_portfolio__that_one() -> None:
    found = solve_parity_constrained(np.diag([0.1, 0.2, 0.3]), lower=[0.2, 0.3, 0.5])
    np.testing.assert_allclose(found.weights, [0.2, 0.3, 0.5], atol=1e-9)
    fixed = solve_parity_constrained(np.diag([0.1, 0.2, 0.3]), lower=[0.5, 0, 0], upper=[0.5, 1, 1])
    assert fixed.weights[0] == 0.5


def test_solve_parity_constrained__hedge_of_a_floor__more_than_everything_is_refused() -> None:
    """The least risky hedge of 0.6 is 0.99 of it: together 1.19, whatever the risk."""
    S = np.array([[1.0, -0.99], [-0.99, 1.0]])
    with pytest.raises(SolverError, match="hedges keep the floors from summing to 1 at any risk"):
        solve_parity_constrained(S, [0.3, 0.7], lower=[0.6, 0.0])


def test_solve_parity_constrained__floor_and_cap__bind_and_are_told_apart() -> None:
    """Parity is (6, 3, 2) / 11: the first is capped, the last floored, the second has the rest."""
    found = solve_parity_constrained(np.diag([1 / 36, 1 / 9, 1 / 4]), lower=[0, 0, 0.3], upper=[0.4, 1, 1])
    np.testing.assert_allclose(found.weights, [0.4, 0.3, 0.3], atol=1e-9)
    assert found.at_upper.tolist() == [True, False, False]
    assert found.at_lower.tolist() == [False, False, True]
    assert found.unmet == (0, 2)
    parts = np.array([0.16 / 36, 0.09 / 9, 0.09 / 4])
    assert found.volatility == pytest.approx(np.sqrt(parts.sum()))
    np.testing.assert_allclose(found.contributions, parts / np.sqrt(parts.sum()), rtol=1e-8)
    assert found.max_error <= constrained.TOLERANCE


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("spoilt", [False, True])
def test_solve_parity_constrained__start__same_portfolio(seed: int, spoilt: bool) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(3, 12))
    S, low, high = covariance(rng, n), np.full(n, 0.3 / n), np.full(n, 1.3 / n)
    cold = solve_parity_constrained(S, lower=low, upper=high)
    assert cold.unmet
    start = rng.dirichlet(np.ones(n)) if spoilt else cold.weights * rng.uniform(0.99, 1.01, n)
    warm = solve_parity_constrained(S, lower=low, upper=high, start=start)
    np.testing.assert_allclose(warm.weights, cold.weights, rtol=1e-7)
    assert warm.unmet == cold.unmet


def test_solve_parity_constrained__start__fewer_minimisations(monkeypatch: pytest.MonkeyPatch) -> None:
    S = covariance(np.random.default_rng(0), 8)
    calls: list[float] = []
    real = constrained._minimise

    def counted(*arguments: Any) -> FloatArray:
        calls.append(arguments[4])
        return real(*arguments)

    monkeypatch.setattr(constrained, "_minimise", counted)
    first = solve_parity_constrained(S, upper=0.2)
    cold = len(calls)
    solve_parity_constrained(S * 1.001 + 1e-4 * np.diag(np.diag(S)), upper=0.2, start=first.weights)
    assert len(calls) - cold < cold <= 20


@pytest.mark.parametrize("start", [[0.5, 0.5], [1.0, -1.0, 1.0], [1.0, np.nan, 1.0]])
def test_solve_parity_constrained__start_that_is_none__named(start: list[float]) -> None:
    with pytest.raises(SolverError, match=r"start has shape .* give \(3,\) weights > 0"):
        solve_parity_constrained(np.diag([0.1, 0.2, 0.3]), upper=0.4, start=start)
