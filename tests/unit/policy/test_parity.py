"""The one formula: targets carry the budgets at any volatility, and the gap sees what does not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.errors import InputError
from equipoise.policy.parity import (
    parity_gap,
    portfolio_volatility,
    risk_shares,
    risk_state,
    scaled_risk_state,
    target_exposures,
)
from equipoise.solver.parity import solve_parity

PAIR = np.array([[1.0, 0.5], [0.5, 1.0]])


def test_risk_shares__two_assets__by_hand() -> None:
    """a = (0.1, 0.2): rc = (0.1 * 0.2, 0.2 * 0.25) = (0.02, 0.05)."""
    np.testing.assert_allclose(risk_shares([0.5, 0.5], [0.2, 0.4], PAIR), [2 / 7, 5 / 7])
    assert parity_gap([0.5, 0.5], [0.2, 0.4], PAIR, [0.5, 0.5]) == pytest.approx(3 / 14)
    assert portfolio_volatility([0.5, 0.5], [0.2, 0.4], PAIR) == pytest.approx(np.sqrt(0.07))


def test_parity_gap__nothing_held__zero_by_definition() -> None:
    assert risk_shares([0.0, 0.0], [0.2, 0.4], PAIR).tolist() == [0.0, 0.0]
    assert parity_gap([0.0, 0.0], [0.2, 0.4], PAIR, [0.5, 0.5]) == 0.0
    assert portfolio_volatility([0.0, 0.0], [0.2, 0.4], PAIR) == 0.0


def test_parity_gap__one_asset_missing__its_whole_budget() -> None:
    assert parity_gap([1.0, 0.0], [0.2, 0.4], PAIR, [0.3, 0.7]) == pytest.approx(0.7)


@settings(max_examples=100, deadline=None)
@given(seed=st.integers(0, 10_000), n=st.integers(2, 8), target=st.floats(0.01, 3.0), cap=st.floats(0.1, 3.0))
def test_target_exposures__any_market__parity_at_the_target_or_at_the_cap(
    seed: int, n: int, target: float, cap: float
) -> None:
    rng = np.random.default_rng(seed)
    factors = rng.normal(size=(n, n + 2))
    covariance = factors @ factors.T
    sigma = np.sqrt(np.diag(covariance))
    correlation = 0.95 * covariance / np.outer(sigma, sigma) + 0.05 * np.eye(n)
    budgets = rng.dirichlet(np.ones(n)) * 0.9 + 0.1 / n
    vol_ann = rng.uniform(0.05, 2.0, n)
    x = solve_parity(correlation, budgets).coordinates
    exposures = target_exposures(x, vol_ann, target, cap)
    assert parity_gap(exposures, vol_ann, correlation, budgets) < 1e-9
    assert exposures.sum() <= cap * (1 + 1e-12)
    volatility = portfolio_volatility(exposures, vol_ann, correlation)
    if exposures.sum() < cap * (1 - 1e-9):
        assert volatility == pytest.approx(target, rel=1e-9)
    else:
        assert volatility <= target * (1 + 1e-9)


@given(seed=st.integers(0, 10_000), days=st.integers(1, 5), cap=st.floats(0.1, 5.0))
def test_target_exposures__many_days_at_once__each_as_alone(seed: int, days: int, cap: float) -> None:
    rng = np.random.default_rng(seed)
    x, vol_ann = rng.uniform(0.1, 1, (days, 3)), rng.uniform(0.05, 2, (days, 3))
    found = target_exposures(x, vol_ann, 0.3, cap)
    for day in range(days):
        np.testing.assert_array_equal(found[day], target_exposures(x[day], vol_ann[day], 0.3, cap))


@given(seed=st.integers(0, 10_000))
def test_scaled_risk_state__good_arrays__same_as_checked(seed: int) -> None:
    rng = np.random.default_rng(seed)
    exposures, vol_ann, budgets = rng.uniform(0, 1, 2), rng.uniform(0.1, 1, 2), np.array([0.4, 0.6])
    expected = risk_state(exposures, vol_ann, PAIR, budgets)
    assert scaled_risk_state(exposures * vol_ann, PAIR, budgets) == expected
    assert expected[0] == pytest.approx(portfolio_volatility(exposures, vol_ann, PAIR))
    assert scaled_risk_state(np.zeros(2), PAIR, budgets) == (0.0, 0.0)


def test_target_exposures__no_leverage_given__invested_at_most_once() -> None:
    np.testing.assert_allclose(target_exposures([0.7, 0.7], [0.1, 0.1], 1.0), [0.5, 0.5])


def test_formulas__one_asset__bears_all_the_risk() -> None:
    assert risk_state([0.5], [0.2], [[1.0]], [1.0]) == (pytest.approx(0.1), 0.0)
    np.testing.assert_allclose(target_exposures([1.0], [0.2], 0.1), [0.5])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: risk_shares([[0.5, 0.5]], [0.2, 0.4], PAIR), r"^exposures has shape \(1, 2\)"),
        (lambda: risk_shares([], [], np.ones((0, 0))), r"^exposures has shape \(0,\); .* each of the assets"),
        (lambda: risk_shares([0.5, None], [0.2, 0.4], PAIR), "^exposures has values that are not finite"),
        (lambda: risk_shares([0.5, 0.5], [0.2], PAIR), r"^vol_ann has shape \(1,\); .* each of 2 assets"),
        (lambda: risk_shares([0.5, 0.5], [0.2, None], PAIR), "^vol_ann has values"),
        (lambda: risk_shares([0.5, 0.5], [0.2, 0.4], [[1, None], [None, 1]]), "^correlation has shape"),
        (lambda: risk_state([0.5, 0.5], [0.2, 0.4], PAIR, [1.0]), r"^budgets has shape \(1,\)"),
        (lambda: target_exposures([0.7, None], [0.2, 0.4], 0.1), "must be finite and > 0"),
        (lambda: target_exposures([0.7, 0.7], [0.2, None], 0.1), "must be finite and > 0"),
        (lambda: target_exposures([0.7, 0.7], [0.2, 0.0], 0.1), "must be finite and > 0"),
        (lambda: target_exposures([0.7, 0.7], [0.2, 0.4], 0.1, 0.0), "max_leverage 0.0 must be"),
        (lambda: target_exposures(0.7, 0.2, 0.1), "give one of each an asset"),
    ],
)
def test_formulas__wrong_argument__named(call: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        call()


@pytest.mark.parametrize(
    "call",
    [
        lambda: risk_shares([0.5, -0.1], [0.2, 0.4], PAIR),
        lambda: risk_shares([0.5], [0.2, 0.4], PAIR),
        lambda: risk_shares([0.5, 0.5], [0.2, 0.0], PAIR),
        lambda: risk_shares([0.5, 0.5], [0.2, 0.4], np.eye(3)),
        lambda: risk_shares([0.5, float("nan")], [0.2, 0.4], PAIR),
        lambda: parity_gap([0.5, 0.5], [0.2, 0.4], PAIR, [1.0]),
        lambda: target_exposures([0.7, 0.0], [0.2, 0.4], 0.1),
        lambda: target_exposures([0.7, 0.7], [0.2, -0.4], 0.1),
        lambda: target_exposures([0.7, 0.7], [0.2, 0.4], 0.0),
        lambda: target_exposures([0.7, 0.7], [0.2, float("nan")], 0.1),
        lambda: target_exposures([[0.7, 0.7]], [0.2, 0.4], 0.1),
        lambda: target_exposures([], [], 0.1),
        lambda: target_exposures([0.7, 0.7], [0.2, 0.4], 0.1, float("inf")),
    ],
)
def test_formulas__outside_the_domain__input_error(call) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InputError):
        call()
