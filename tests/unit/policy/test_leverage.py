"""Leverage in floats: the definitions, and the contract's own numbers."""

from __future__ import annotations

import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.errors import InputError
from equipoise.policy.leverage import age_cap, health_cap, health_factor, ripcord_fraction
from equipoise.policy.rebalance import CASH, plan_trades

NAN = float("nan")
exposures = st.lists(st.floats(0.01, 2), min_size=2, max_size=8)


@given(weights=exposures, threshold=st.floats(0.3, 0.95), target=st.floats(1.05, 5), buffer=st.floats(0, 0.1))
def test_health_cap__at_the_cap__the_health_factor_is_the_target(
    weights: list[float], threshold: float, target: float, buffer: float
) -> None:
    thresholds = [threshold * (1 - 0.02 * i) for i in range(len(weights))]
    cap = health_cap(weights, thresholds, target, buffer)
    scaled = [w * cap / sum(weights) for w in weights]
    debt = cap + buffer - 1
    if debt > 1e-6:
        assert health_factor(scaled, thresholds, debt) == pytest.approx(target, rel=1e-6)


def test_health_cap__nothing_held__is_no_cap() -> None:
    assert health_cap([0.0, 0.0], [0.8, 0.7], 1.6, 0.02) == float("inf")
    assert health_factor([1.0], [0.8], 0.0) == float("inf")


def test_health_cap__many_days_at_once__each_as_alone() -> None:
    days = [[0.5, 0.5], [0.0, 0.0], [2.0, 0.1]]
    found = health_cap(days, [0.8, 0.7], 1.6, 0.02)
    assert list(found) == [health_cap(day, [0.8, 0.7], 1.6, 0.02) for day in days]  # type: ignore[arg-type]


def test_health_cap__by_hand__two_for_one_at_the_target() -> None:
    """h (1 - b) / (h - LT) = 1.6 * 0.9 / 0.8; of unequal parts, LT = (0.25 * 1 + 0.75 * 0.4)."""
    cap = health_cap([0.3, 0.3], [0.8, 0.8], 1.6, 0.1)
    assert cap == pytest.approx(1.8)
    assert isinstance(cap, float)
    assert health_cap([[1, 3], [0, 0]], [1.0, 0.4], 1.6, 0.1) == pytest.approx([1.44 / 1.05, float("inf")])
    assert health_cap([1.0, 1.0], [0.0, 1.0], 1.6, 0.1) == pytest.approx(1.44 / 1.1)


def test_health_cap__nothing_held_on_a_day__no_warning_of_a_division() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert health_cap([0.0, 0.0], [0.8, 0.7], 1.6, 0.02) == float("inf")
        days = health_cap([[0.0, 0.0], [0.2, 0.2]], [0.8, 0.7], 1.6, 0.0)
    assert list(days) == [float("inf"), pytest.approx(1.6 / 0.85)]  # type: ignore[arg-type]


def test_ripcord_fraction__by_hand() -> None:
    """(1.6 - 1.2) 50 / (1.6 * 100 * 0.99 - 1.2 * 50) = 20 / 98.4."""
    assert ripcord_fraction(1.2, 1.6, 100, 50, 0.01) == pytest.approx(20 / 98.4)
    assert ripcord_fraction(1.2, 1.6, 1.0, 0.5, 0.01) == pytest.approx(0.2 / 0.984)
    assert ripcord_fraction(1.5, 1.6, 1.5, 1.6, 0.5) == 1.0  # a sale would bring less than it backs
    assert ripcord_fraction(0.75, 1.0, 1.5, 1.0, 0.5) == 1.0  # exactly as much: nothing left to divide by
    assert ripcord_fraction(0.0, 1.6, 0.0, 0.0, 0.0) == 1.0
    assert ripcord_fraction(0.0, 0.0, 0.0, 0.0, 0.0) == 0.0


@given(health=st.floats(0.2, 1.59), ltv=st.floats(0.1, 0.9), discount=st.floats(0, 0.03))
def test_ripcord_fraction__after_the_sale__the_target_stands(
    health: float, ltv: float, discount: float
) -> None:
    collateral, debt = 100.0, 100 * ltv
    fraction = ripcord_fraction(health, 1.6, collateral, debt, discount)
    left = debt - fraction * collateral * (1 - discount)
    if 0 < fraction < 1:
        assert (1 - fraction) * health * debt / left == pytest.approx(1.6, rel=1e-6)


def test_ripcord_fraction__healthy__is_nothing() -> None:
    assert ripcord_fraction(1.6, 1.6, 100, 50, 0.01) == 0
    assert ripcord_fraction(0.1, 1.6, 100, 500, 0.01) == 1


def test_age_cap__three_ages__flat_line_flat() -> None:
    assert [age_cap(age, 10, 20, 3.0) for age in (0, 10, 15, 20, 99)] == [3, 3, 2, 1, 1]
    assert age_cap(99, 10, 20, 0.9) == 0.9
    assert age_cap(15, 10, 20, 1.5) == pytest.approx(1.25)
    assert age_cap(99, 10, 20, 1.0) == 1.0


def test_age_cap__report_never_fresh_or_fresh_to_the_end__a_line_or_a_step() -> None:
    assert [age_cap(age, 0, 20, 3.0) for age in (0, 10, 20)] == [3, 2, 1]
    assert [age_cap(age, 20, 20, 3.0) for age in (20, 20.5)] == [3, 1]
    assert [age_cap(age, 0.5, 20, 3.0) for age in (0.5, 20)] == [3, 1]


@pytest.mark.parametrize(
    "call",
    [
        lambda: health_cap([1.0], [0.8, 0.8], 1.6, 0.02),
        lambda: health_cap([-1.0], [0.8], 1.6, 0.02),
        lambda: health_cap([1.0], [1.2], 1.6, 0.02),
        lambda: health_cap([1.0], [0.8], 1.0, 0.02),
        lambda: health_cap([1.0], [0.8], 1.6, 1.0),
        lambda: health_factor([1.0], [0.8], -1.0),
        lambda: age_cap(-1, 10, 20, 3.0),
        lambda: age_cap(1, 20, 10, 3.0),
        lambda: age_cap(1, 10, 20, 0.0),
        lambda: ripcord_fraction(-1, 1.6, 1, 1, 0),
        lambda: ripcord_fraction(-1, -2, 1, 1, 0),
        lambda: ripcord_fraction(1, -1, 1, 1, 0),
        lambda: ripcord_fraction(1, 1.6, 1, -1, 0),
        lambda: health_cap([NAN], [0.8], 1.6, 0.02),
        lambda: health_cap([None], [0.8], 1.6, 0.02),
        lambda: health_cap([1.0], [None], 1.6, 0.02),
        lambda: health_cap([float("inf")], [0.8], 1.6, 0.02),
        lambda: health_cap([1.0], [-0.1], 1.6, 0.02),
        lambda: health_factor([1.0], [0.8], NAN),
        lambda: health_factor([NAN], [0.8], 1.0),
        lambda: health_factor([None], [0.8], 1.0),
        lambda: health_factor([1.0], [None], 1.0),
        lambda: age_cap(NAN, 10, 20, 3.0),
        lambda: ripcord_fraction(NAN, 1.6, 1, 1, 0),
        lambda: ripcord_fraction(1, 1.6, 1, NAN, 0),
        lambda: ripcord_fraction(1, 1.6, -1, 1, 0),
        lambda: ripcord_fraction(1, 1.6, 1, 1, 1),
    ],
)
def test_leverage__bad_input__is_refused(call: object) -> None:
    with pytest.raises(InputError):
        call()  # type: ignore[operator]


def test_plan_trades__on_credit__buys_beyond_the_cash() -> None:
    """NAV is 100: targets of 180 % need 80 of credit beside the cash that sales bring."""
    values, targets = {"BTC": 50.0, "SPX": 90.0}, {"BTC": 0.4, "SPX": 1.4}
    trades = plan_trades(values, 2.0, targets, debt=42.0, borrowable=1_000.0)
    assert [(t.sell, t.buy, pytest.approx(t.usd)) for t in trades] == [("BTC", CASH, 10), (CASH, "SPX", 50)]
    short = plan_trades(values, 2.0, targets, debt=42.0, borrowable=3.0)
    assert [t.usd for t in short] == [10, pytest.approx(15)]


def test_plan_trades__debt_beyond_everything__is_refused() -> None:
    with pytest.raises(InputError, match="exceeds what is held"):
        plan_trades({"BTC": 1.0}, 0.0, {"BTC": 1.0}, debt=2.0)
    with pytest.raises(InputError, match="without borrowing"):
        plan_trades({"BTC": 1.0}, 0.0, {"BTC": 1.5})
