"""When to rebalance and what to trade."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.errors import InputError
from equipoise.policy.rebalance import CASH, Bands, Reason, State, Trade, plan_trades, should_rebalance

NAMES = ("BTC", "ETH", "SPX")


@pytest.mark.parametrize(
    ("gap", "volatility", "reason"),
    [
        (0.0, 0.20, Reason.NONE),
        (0.03, 0.22, Reason.NONE),  # a deviation equal to its band is left alone
        (0.0301, 0.20, Reason.PARITY_GAP),
        (0.0301, 0.17, Reason.PARITY_GAP),
        (0.0301, 0.23, Reason.VOLATILITY_TOO_HIGH),
        (0.0, 0.2201, Reason.VOLATILITY_TOO_HIGH),
        (0.0, 0.1799, Reason.VOLATILITY_TOO_LOW),
        (0.0, 0.0, Reason.VOLATILITY_TOO_LOW),  # a vault that holds only cash
    ],
)
def test_should_rebalance__default_bands__first_reason(gap: float, volatility: float, reason: Reason) -> None:
    assert should_rebalance(State(gap, volatility, 0.2)) is reason
    assert bool(reason) is (reason is not Reason.NONE)


def test_should_rebalance__volatility_at_the_edge_of_its_band__left_alone() -> None:
    bands = Bands(volatility=0.25)  # exact in binary
    for volatility in (0.75, 1.25):
        assert should_rebalance(State(0.0, volatility, 1.0), bands) is Reason.NONE


def test_should_rebalance__wider_bands__left_alone() -> None:
    assert not should_rebalance(State(0.05, 0.25, 0.2), Bands(parity_gap=0.06, volatility=0.3))


@pytest.mark.parametrize("state", [State(float("nan"), 0.2, 0.2), State(0.0, -0.1, 0.2)])
def test_should_rebalance__invalid_state__input_error(state: State) -> None:
    with pytest.raises(InputError):
        should_rebalance(state)


def test_plan_trades__surplus_and_deficits__sells_first_through_cash() -> None:
    trades = plan_trades(
        {"BTC": 600.0, "ETH": 100.0, "SPX": 200.0}, 100.0, {"BTC": 0.3, "ETH": 0.3, "SPX": 0.3}
    )
    assert trades == [
        Trade("BTC", CASH, pytest.approx(300.0)),
        Trade(CASH, "ETH", pytest.approx(200.0)),
        Trade(CASH, "SPX", pytest.approx(100.0)),
    ]


def test_plan_trades__only_cash__buys_the_basket() -> None:
    trades = plan_trades(dict.fromkeys(NAMES, 0.0), 1000.0, {"BTC": 0.1, "ETH": 0.2, "SPX": 0.3})
    assert [(t.buy, t.usd) for t in trades] == [("SPX", 300.0), ("ETH", 200.0), ("BTC", 100.0)]


def test_plan_trades__equal_trades__in_the_order_of_their_names() -> None:
    held = {"ETH": 300.0, "BTC": 300.0, "SPX": 0.0, "AAA": 0.0, "GLD": 400.0}
    trades = plan_trades(held, 0.0, {"ETH": 0.1, "BTC": 0.1, "SPX": 0.2, "AAA": 0.2, "GLD": 0.4})
    assert [(t.sell, t.buy) for t in trades] == [("BTC", CASH), ("ETH", CASH), (CASH, "AAA"), (CASH, "SPX")]


def test_plan_trades__two_surpluses__the_larger_is_sold_first() -> None:
    trades = plan_trades({"A": 150.0, "B": 450.0, "C": 400.0}, 0.0, {"A": 0.1, "B": 0.1, "C": 0.4})
    assert [(t.sell, t.usd) for t in trades] == [("B", pytest.approx(350)), ("A", pytest.approx(50))]


def test_plan_trades__trade_as_small_as_the_minimum__is_made() -> None:
    targets = {"BTC": 0.5, "ETH": 0.5}
    assert len(plan_trades({"BTC": 510.0, "ETH": 490.0}, 0.0, targets, min_usd=10.0)) == 2
    assert [t.usd for t in plan_trades({"BTC": 500.25, "ETH": 499.75}, 0.0, targets)] == [0.25, 0.25]


def test_plan_trades__targets_a_billionth_above_one__rounding_and_no_debt() -> None:
    assert plan_trades({"BTC": 100.0}, 0.0, {"BTC": 1 + 1e-9}) == []


def test_plan_trades__no_money_for_a_deficit__no_trade_of_nothing() -> None:
    held, targets = {"BTC": 100.0, "ETH": 0.0}, {"BTC": 1.0, "ETH": 1.0}
    assert plan_trades(held, 0.0, targets, debt=0.5) == [Trade("BTC", CASH, 0.5), Trade(CASH, "ETH", 0.5)]
    assert plan_trades(held, 0.0, {"BTC": 2.0, "ETH": 1.0}, debt=0.5) == []


def test_plan_trades__every_trade_below_the_minimum__none() -> None:
    trades = plan_trades({"BTC": 505.0, "ETH": 495.0}, 0.0, {"BTC": 0.5, "ETH": 0.5}, min_usd=10.0)
    assert trades == []


@given(
    values=st.lists(st.floats(0, 1e6), min_size=3, max_size=3),
    cash=st.floats(0, 1e6),
    targets=st.lists(st.floats(0, 0.33), min_size=3, max_size=3),
    min_usd=st.floats(0, 1e5),
)
def test_plan_trades__any_holdings__never_overdraws_and_never_overshoots(
    values: list[float], cash: float, targets: list[float], min_usd: float
) -> None:
    held = dict(zip(NAMES, values, strict=True))
    wanted = dict(zip(NAMES, targets, strict=True))
    nav = cash + sum(values)
    trades = plan_trades(held, cash, wanted, min_usd)
    after, money = dict(held), cash
    for trade in trades:
        assert trade.usd >= min_usd
        assert CASH in (trade.sell, trade.buy)
        if trade.buy == CASH:
            after[trade.sell] -= trade.usd
            money += trade.usd
        else:
            after[trade.buy] += trade.usd
            money -= trade.usd
        assert money >= -1e-6
    for name in NAMES:
        before, goal = held[name], wanted[name] * nav
        assert min(before, goal) - 1e-6 <= after[name] <= max(before, goal) + 1e-6
    if min_usd == 0:
        assert after == pytest.approx({name: wanted[name] * nav for name in NAMES}, abs=1e-5)


@pytest.mark.parametrize(
    ("values", "cash", "targets"),
    [
        ({"BTC": 1.0}, 1.0, {"ETH": 0.5}),
        ({CASH: 1.0}, 1.0, {CASH: 0.5}),
        ({"BTC": -1.0}, 1.0, {"BTC": 0.5}),
        ({"BTC": 1.0}, float("nan"), {"BTC": 0.5}),
        ({"BTC": 1.0}, 1.0, {"BTC": 1.1}),
    ],
)
def test_plan_trades__invalid__input_error(values: dict, cash: float, targets: dict) -> None:  # type: ignore[type-arg]
    with pytest.raises(InputError):
        plan_trades(values, cash, targets)
