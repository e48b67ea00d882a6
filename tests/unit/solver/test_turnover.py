"""Parity against trading cost: conditions of optimality, an independent solver, both ends of the knob."""

from __future__ import annotations

from itertools import pairwise

import cvxpy as cp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.errors import SolverError
from equipoise.solver import TurnoverSolution, solve_parity, solve_parity_turnover
from equipoise.types import FloatArray
from tests.bench.problems import FAMILIES, problems


def case(seed: int, n: int) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Covariance, budgets, current weights, costs: some assets are not held, some cost nothing."""
    rng = np.random.default_rng(seed)
    family = list(FAMILIES)[seed % len(FAMILIES)]
    S, b = (values[seed // 7 % 5] for values in problems(family, n, 5))
    w0 = rng.dirichlet(np.ones(n)) * (rng.random(n) > 0.1) + 1e-9
    return S, b, w0 / w0.sum(), rng.uniform(0, 0.01, n) * (rng.random(n) > 0.2)


def objective(S: FloatArray, b: FloatArray, w: FloatArray) -> float:
    return float(w @ S @ w / 2 / solve_parity(S, b).volatility ** 2 - b @ np.log(w))


def cost_of(c: FloatArray, w: FloatArray, w0: FloatArray) -> float:
    return float(c @ np.abs(w - w0))


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6), n=st.integers(2, 15), power=st.floats(-2, 5))
def test_solve_parity_turnover__any_costs__optimal_in_shares(seed: int, n: int, power: float) -> None:
    S, b, w0, c = case(seed, n)
    gamma = 10**power
    found = solve_parity_turnover(S, w0, c, gamma, b)
    w = found.weights
    assert (w > 0).all()
    assert w.sum() == pytest.approx(1, abs=1e-8)
    np.testing.assert_array_equal(found.kept, w == w0)
    np.testing.assert_allclose(found.budget_gap, found.contributions / found.volatility - b, atol=1e-12)
    assert found.volatility == pytest.approx(np.sqrt(w @ S @ w), rel=1e-9)
    assert found.parity_gap == np.abs(found.budget_gap).max()
    assert found.cost == pytest.approx(cost_of(c, w, w0), abs=1e-15)
    assert found.turnover == pytest.approx(np.abs(w - w0).sum() / 2, abs=1e-15)
    # what a share lacks is priced at the cost: one way if bought, the other if sold, between if kept
    lack = b / w - S @ w / solve_parity(S, b).volatility ** 2
    scale = 1e-6 * (b / w).max()
    traded = ~found.kept
    price = np.median((lack - gamma * c * np.sign(w - w0))[traded]) if traded.any() else None
    if price is not None:
        assert np.abs(lack - gamma * c * np.sign(w - w0) - price)[traded].max() <= scale
        assert (np.abs(lack - price)[found.kept] <= gamma * c[found.kept] + scale).all()
    else:
        assert (lack - gamma * c).max() <= (lack + gamma * c).min() + scale


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), n=st.integers(2, 12))
def test_solve_parity_turnover__aversion_rises__cost_falls_and_the_risk_objective_rises(
    seed: int, n: int
) -> None:
    S, b, w0, c = case(seed, n)
    path = [solve_parity_turnover(S, w0, c, gamma, b) for gamma in (0.0, 0.1, 1.0, 10.0, 100.0, 1e4)]
    assert all(later.cost <= one.cost + 1e-9 for one, later in pairwise(path))
    values = [objective(S, b, found.weights) for found in path]
    assert all(later >= one - 1e-7 for one, later in pairwise(values))


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6), n=st.integers(1, 12))
def test_solve_parity_turnover__no_aversion_or_no_cost__parity(seed: int, n: int) -> None:
    S, b, w0, c = case(seed, n) if n > 1 else (np.eye(1), np.ones(1), np.ones(1), np.ones(1) / 100)
    parity = solve_parity(S, b).weights
    np.testing.assert_allclose(solve_parity_turnover(S, w0, c, 0.0, b).weights, parity, rtol=1e-6)
    np.testing.assert_allclose(solve_parity_turnover(S, w0, 0.0, 1e3, b).weights, parity, rtol=1e-6)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("aversion", [1e7, 1e12])
def test_solve_parity_turnover__costs_outweigh_all__nothing_traded(family: str, aversion: float) -> None:
    S, b = (values[0] for values in problems(family, 8, 1))
    w0 = np.arange(1, 9) / 36
    found = solve_parity_turnover(S, w0, 0.001, aversion, b)
    np.testing.assert_array_equal(found.weights, w0)
    assert found.kept.all()
    assert (found.turnover, found.cost) == (0, 0)


def test_solve_parity_turnover__asset_that_is_not_held__bought_at_any_aversion() -> None:
    found = solve_parity_turnover(np.diag([0.01, 0.04, 0.09]), [0.5, 0.5, 0.0], 0.01, 1e6)
    assert not found.kept[2]
    assert 0 < found.weights[2] < 1e-4


def test_solve_parity_turnover__parity_is_held__kept() -> None:
    S, b = (values[0] for values in problems("well", 6, 1))
    found = solve_parity_turnover(S, solve_parity(S, b).weights, 0.001, 1.0, b)
    assert found.kept.all()
    assert found.parity_gap < 1e-9


def test_solve_parity_turnover__two_assets_by_hand__stops_at_the_edge_of_its_region() -> None:
    """Parity is 1/2 each, with half of the variance of one; S in its units is 2 I."""
    found = solve_parity_turnover(np.eye(2) * 0.04, [0.8, 0.2], 0.01, 20.0)

    def slope(w: float) -> float:
        return 2 * w - 0.5 / w

    w = found.weights[0]
    assert 0.5 < w < 0.8
    assert slope(w) - slope(1 - w) == pytest.approx(2 * 20 * 0.01, rel=1e-7)


@pytest.mark.parametrize("seed", range(8))
def test_solve_parity_turnover__against_a_conic_solver__same_portfolio(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = 6
    S, b = (values[seed % 4] for values in problems("well", n, 4))
    w0, c, gamma = rng.dirichlet(np.ones(n)), rng.uniform(0, 0.01, n), 10 ** rng.uniform(0, 2)
    found = solve_parity_turnover(S, w0, c, gamma, b)
    w = cp.Variable(n)
    root = np.linalg.cholesky(S).T / solve_parity(S, b).volatility
    risk = cp.sum_squares(root @ w) / 2 - b @ cp.log(w) + gamma * (c @ cp.abs(w - w0))
    cp.Problem(cp.Minimize(risk), [cp.sum(w) == 1]).solve(solver=cp.CLARABEL)
    np.testing.assert_allclose(found.weights, w.value, atol=2e-4)


@pytest.mark.parametrize("scale", [1e-12, 1e12])
def test_solve_parity_turnover__any_scale__same_trade(scale: float) -> None:
    S, b, w0, c = case(3, 6)
    found, other = (solve_parity_turnover(M, w0, c, 10.0, b) for M in (S, S * scale))
    np.testing.assert_allclose(found.weights, other.weights, rtol=1e-6)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"current": [0.5, 0.5]}, r"current has shape \(2,\)"),
        ({"current": [0.5, 0.6, -0.1]}, "current weight -0.1 of asset 2 is not >= 0"),
        ({"current": [0.5, 0.5, np.nan]}, "current weight nan of asset 2"),
        ({"current": [0.5, 0.5, 0.5]}, "current weights sum to 1.5"),
        ({"current": ["a", 0.5, 0.5]}, "current is not an array of numbers"),
        ({"costs": [0.1, 0.1]}, r"costs have shape \(2,\)"),
        ({"costs": -0.001}, "cost -0.001 of asset 0 is outside"),
        ({"costs": [0.001, 10, 0.001]}, "cost 10 of asset 1 is outside"),
        ({"costs": [0.001, 0.001, np.nan]}, "cost nan of asset 2 is outside"),
        ({"aversion": -1.0}, "aversion is -1"),
        ({"aversion": np.inf}, "aversion is inf"),
        ({"aversion": [1.0, 2.0]}, r"aversion is \[1.0, 2.0\]"),
        ({"aversion": "high"}, "aversion is not an array of numbers"),
        ({"budgets": [0.5, 0.5]}, "budgets have shape"),
        ({"covariance": np.ones((3, 3))}, "not positive definite"),
    ],
)
def test_solve_parity_turnover__outside_the_domain__named(change: dict[str, object], message: str) -> None:
    good = {
        "covariance": np.diag([0.1, 0.2, 0.3]),
        "current": [0.2, 0.3, 0.5],
        "costs": 0.001,
        "aversion": 1.0,
    }
    with pytest.raises(SolverError, match=message):
        solve_parity_turnover(**{**good, **change})  # type: ignore[arg-type]


def test_turnover_solution__parity_gap__largest_of_the_gaps() -> None:
    none = np.zeros(2)
    solution = TurnoverSolution(none, 1.0, none, np.array([0.1, -0.3]), none == 0, 0.0, 0.0, 0.0)
    assert solution.parity_gap == 0.3
