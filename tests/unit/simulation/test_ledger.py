"""The books of a portfolio: value is kept, costs are paid from it, debt is what exposures exceed it by."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.errors import InputError
from equipoise.simulation.costs import CostModel
from equipoise.simulation.ledger import Ledger, run_targets
from tests.unit.simulation.test_backtest import FREE, closes

THIRDS = np.full(3, 1 / 3)
NO_RISK = np.zeros((50, 3, 3))


def test_ledger__free_trades__conserve_value() -> None:
    prices = closes(days=40)
    ledger = Ledger(prices, FREE, buffer=0.05)
    rng = np.random.default_rng(0)
    for t in range(len(prices)):
        exposures = ledger.advance(t)
        before = ledger.nav[t]
        ledger.trade(t, rng.uniform(0, 1.2, 3) - exposures)
        assert ledger.nav[t] == before
        assert ledger.debt[t] == pytest.approx(max(0.0, ledger.weights[t].sum() + 0.05 - 1))


@settings(max_examples=50, deadline=None)
@given(
    targets=st.lists(st.floats(0, 1.5), min_size=3, max_size=3),
    fee=st.floats(0, 0.05),
    depth=st.floats(1e6, 1e9),
)
def test_move_to__any_targets__held_after_the_costs(targets: list[float], fee: float, depth: float) -> None:
    costs = CostModel(fee=fee, depth_usd=depth)
    ledger = Ledger(closes(days=5), costs)
    for t in range(3):
        ledger.advance(t)
        before = ledger.nav[t]
        held = ledger.move_to(t, np.array(targets) * (t + 1) / 3)
        np.testing.assert_allclose(held, np.array(targets) * (t + 1) / 3, atol=1e-9)
        assert ledger.nav[t] == pytest.approx(before * (1 - ledger.cost[t]), rel=1e-12)
        assert ledger.debt[t] == pytest.approx(max(0.0, held.sum() - 1), abs=1e-9)


def test_ledger__sold_out__holds_exactly_nothing() -> None:
    ledger = Ledger(closes(days=5), CostModel())
    ledger.advance(0)
    ledger.move_to(0, np.array([0.1, 0.7, 0.2]))
    ledger.move_to(0, np.array([0.0, 1.0, 0.0]))
    ledger.advance(1)
    held = ledger.move_to(1, np.zeros(3))
    assert held.tolist() == [0.0, 0.0, 0.0]


def test_ledger__debt_through_a_gap_of_days__owes_interest_for_each_of_them() -> None:
    prices = closes(days=10).iloc[[0, 1, 4]]
    ledger = Ledger(prices, CostModel(fee=0.0, depth_usd=np.inf, borrow_rate=0.1))
    ledger.advance(0)
    ledger.trade(0, np.array([2.0, 0.0, 0.0]))
    ledger.advance(1)
    owed = ledger.debt[1] * ledger.nav[1]
    assert owed == pytest.approx(1 + 0.1 / 365)
    ledger.advance(2)
    assert ledger.debt[2] * ledger.nav[2] == pytest.approx(owed * (1 + 3 * 0.1 / 365))
    assert ledger.nav[2] == pytest.approx(2 * prices.iloc[2, 0] / prices.iloc[0, 0] - owed * (1 + 0.3 / 365))


def test_run_targets__bought_once__is_buy_and_hold() -> None:
    prices = closes(days=50)
    held = run_targets(prices, {0: THIRDS}, FREE, NO_RISK, key="k", name="n", rule="r")
    np.testing.assert_allclose(held.nav, (prices / prices.iloc[0]).mean(axis=1), rtol=1e-12)


def test_run_targets__all_of_nav_at_a_cost__pays_it_without_borrowing() -> None:
    costs = CostModel(fee=0.01, borrow_rate=1.0)
    prices = closes(days=50)
    held = run_targets(prices, {0: THIRDS}, costs, NO_RISK, key="k", name="n", rule="r")
    np.testing.assert_allclose(held.weights.sum(axis=1), 1.0, rtol=1e-12)
    np.testing.assert_allclose(held.nav / held.nav.iloc[0], (prices / prices.iloc[0]).mean(axis=1))
    # costs and NAV in the dollars of the start: what is left and what was paid are the whole
    paid = held.cost_usd.iloc[0] / costs.nav_usd
    assert paid / (held.nav.iloc[0] + paid) == pytest.approx(held.cost.iloc[0])


def test_ledger__everything_lost__named() -> None:
    prices = closes(days=5)
    prices.iloc[3] *= 0.2
    ledger = Ledger(prices, FREE)
    ledger.advance(0)
    ledger.trade(0, np.full(3, 1.0))
    ledger.advance(1)
    ledger.advance(2)
    with pytest.raises(InputError, match="lost everything by 2021-01-04; lower the target"):
        ledger.advance(3)


def test_ledger__trades_that_cost_more_than_there_is__named() -> None:
    ledger = Ledger(closes(days=5), CostModel(nav_usd=1e12, depth_usd=1e6))
    ledger.advance(0)
    with pytest.raises(InputError, match="a NAV of 1,000,000,000,000 USD is too large for depth_usd"):
        ledger.trade(0, THIRDS)
