"""What a keeper would do, from facts alone: order, profit, and what the modes leave to do."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from equipoise.keeper.facts import Facts
from equipoise.keeper.lots import Basket, Lot, Pair, Quote, Sale, opportunity
from equipoise.keeper.plan import Policy, gas_of, plan
from equipoise.policy.auction import PriceCurve
from equipoise.units import WAD, pack_correlations, pack_word8

BTC, ETH, USDC = "0xb", "0xe", "0xc"
UNITS = {BTC: 10**8, ETH: 10**18, USDC: 10**6}
ME = "0xme"
FEES = (500, 500)
GWEI = 10**9
IDENTITY = pack_correlations([[1.0, 0.2], [0.2, 1.0]])


def facts(**change: Any) -> Facts:
    """Two assets at 1M of NAV, debt, all in order; `state` holds changes of the dashboard."""
    state = {
        "mode": 0,
        "timestamp": 10_000,
        "tokens": [BTC, ETH, USDC],
        "balances": [5, 6, 7],
        "pricesWad": [30_000 * WAD, 2_000 * WAD, WAD],
        "weightsWad": [WAD, WAD // 2, WAD // 50],
        "navWad": 1_000_000 * WAD,
        "debtWad": 520_000 * WAD,
        "debt": 520_000,
        "levered": True,
        "healthFactorWad": 16 * WAD // 10,
        "hasRisk": True,
        "risk": SimpleNamespace(reason=0, targetsWad=[WAD, WAD // 2], parityGapWad=0),
        "volatilitiesAge": 3_600,
        "auctionOpen": False,
        "auction": SimpleNamespace(id=4, ripcord=False, startedAt=9_000, endsAt=10_800, targets=0),
        "lossUsedWad": 0,
        "lossBudgetWad": WAD // 200,
    } | change.pop("state", {})
    known: dict[str, Any] = {
        "state": SimpleNamespace(**state),
        "auction": SimpleNamespace(startPremiumWad=WAD // 100, endDiscountWad=WAD // 100),
        "guard": SimpleNamespace(
            triggerHealthWad=13 * WAD // 10, targetHealthWad=16 * WAD // 10, deleverAfter=96 * 3_600
        ),
        "risk": SimpleNamespace(
            n=2, correlationsAt=1, coordinates=1, correlations=IDENTITY, budgets=pack_word8([0.5, 0.5])
        ),
        "poke_due": 20_000,
        "parity_due": 20_000,
        "lots": (),
        "prospects": (),
        "baskets": (),
        "units": UNITS,
        "ready": (),
        "gas_price": 10 * GWEI,
        "eth_usd": 2_000.0,
    }
    return Facts(**(known | change))


def kinds(known: Facts, **policy: Any) -> list[str]:
    return [action.kind for action in plan(known, Policy(**policy), ME, FEES)]


def lot(usd: float, slippage: float) -> Lot:
    """A surplus of BTC, of which the pool pays all but `slippage`, and half of that for the half."""
    whole = int(usd / 30_000 * UNITS[BTC])
    halves = [(whole, slippage), (whole // 2, slippage / 2)]
    quotes = tuple(
        Quote(amount, int(amount / UNITS[BTC] * 30_000 * (1 - loss) * UNITS[USDC])) for amount, loss in halves
    )
    return Lot(Pair(BTC, USDC, 500, usd), quotes)


HIGH = {"risk": SimpleNamespace(reason=3, targetsWad=[WAD // 2, WAD // 2], parityGapWad=WAD // 10)}
OPEN = {"auctionOpen": True}


def test_plan__all_in_order__is_empty() -> None:
    assert kinds(facts()) == []


def test_plan__all_at_once__what_protects_comes_first() -> None:
    """EQ-182: then what others wait for, then what pays."""
    known = facts(
        state=HIGH | {"healthFactorWad": 12 * WAD // 10},
        risk=SimpleNamespace(**{**facts().risk.__dict__, "coordinates": 0}),
        poke_due=10_000,
        parity_due=9_999,
        ready=("0xs",),
        prospects=(lot(100_000, 0.001),),
    )
    assert kinds(known) == ["ripcord", "coordinates", "solve", "poke", "parity", "activate", "open"]
    assert [a.urgent for a in plan(known, Policy(), ME, FEES)] == [True] + 6 * [False]


@pytest.mark.parametrize(
    ("state", "pulled"),
    [
        ({"healthFactorWad": 13 * WAD // 10}, False),
        ({"healthFactorWad": 13 * WAD // 10 - 1}, True),
        ({"healthFactorWad": 13 * WAD // 10 - 1, "debt": 0}, False),
        ({"healthFactorWad": 13 * WAD // 10 - 1, "levered": False}, False),
        ({"healthFactorWad": 15 * WAD // 10, "volatilitiesAge": 97 * 3_600}, True),
        ({"healthFactorWad": 16 * WAD // 10, "volatilitiesAge": 97 * 3_600}, False),
    ],
)
def test_plan__ripcord__by_the_vaults_own_rule(state: dict[str, Any], pulled: bool) -> None:
    """EQ-132"""
    assert ("ripcord" in kinds(facts(state=state))) == pulled
    assert "ripcord" not in kinds(facts(state=state), ripcord=False)


def test_plan__ripcord_in_course__is_filled_by_what_the_market_says_in_its_order() -> None:
    known = facts(
        state={
            "auctionOpen": True,
            "auction": SimpleNamespace(id=4, ripcord=True, startedAt=9_000, endsAt=10_800),
        },
        baskets=(Basket((Sale(4, 300, 300), Sale(4, 200, 250))), Basket((Sale(4, 300, 300), Sale()))),
    )
    actions = plan(known, Policy(), ME, FEES)
    assert [(a.kind, a.args[0][1], a.args[0][3]) for a in actions] == [
        ("basket", [4, 4], 0),
        ("basket", [4, 0], 0),
    ]
    assert kinds(known, ripcord=False) == []


@pytest.mark.parametrize(
    ("prospects", "opens"),
    [
        ((), False),
        ((lot(100_000, 0.001),), True),
        # its worth at the curve's end, 50,000 (1 % - 0.975 %) = 12 USD, is less than a fill's gas alone
        ((lot(100_000, 0.0195),), False),
        ((lot(500, 0.001),), False),
    ],
)
def test_plan__open__when_the_pools_pay_for_all_gas(prospects: tuple[Lot, ...], opens: bool) -> None:
    """EQ-180"""
    known = facts(state=HIGH, prospects=prospects)
    assert ("open" in kinds(known)) == opens
    assert "open" in kinds(known, open="always")
    assert "open" not in kinds(known, open="never")


def test_plan__open__not_while_one_is_in_course_nor_with_the_loss_budget_spent() -> None:
    prospects = (lot(100_000, 0.001),)
    assert "open" not in kinds(facts(state=HIGH | OPEN, prospects=prospects), open="always")
    spent = HIGH | {"lossUsedWad": WAD // 200}
    assert "open" not in kinds(facts(state=spent, prospects=prospects))


@pytest.mark.parametrize(
    ("mode", "reason", "opens"), [(1, 1, False), (1, 3, True), (2, 3, True), (3, 3, False)]
)
def test_plan__open__outside_normal_only_too_much_risk_is_worth_it(
    mode: int, reason: int, opens: bool
) -> None:
    risk = SimpleNamespace(reason=reason, targetsWad=[WAD // 2, WAD // 2], parityGapWad=0)
    known = facts(state={"mode": mode, "risk": risk}, prospects=(lot(100_000, 0.001),))
    assert ("open" in kinds(known)) == opens


def test_plan__fill__when_its_second_has_come_and_with_what_it_must_leave() -> None:
    """EQ-184: gas and profit are in the order, so that a lost race reverts."""
    early = facts(state=OPEN | {"timestamp": 9_900}, lots=(lot(100_000, 0.001),))
    assert kinds(early) == []
    (fill,) = plan(facts(state=OPEN | {"timestamp": 10_100}, lots=early.lots), Policy(), ME, FEES)
    gas_usd = gas_of("fill", 2, True) * 10 * GWEI / 1e18 * 2_000.0
    assert fill.args[0][5] / UNITS[USDC] == pytest.approx(gas_usd + 1.0, rel=1e-4)
    assert fill.args[0][6] == ME
    assert fill.expected_usd == pytest.approx(1.0)
    assert kinds(facts(state=OPEN | {"timestamp": 10_100}, lots=early.lots), fill=False) == []


def test_plan__fill__of_parts_that_are_due_the_largest() -> None:
    """The half is due 45 seconds before the whole."""
    known = facts(state=OPEN | {"timestamp": 10_700}, lots=(lot(100_000, 0.005),))
    (fill,) = plan(known, Policy(), ME, FEES)
    assert fill.args[0][4] == known.lots[0].quotes[0].amount


def test_plan__fill__beyond_the_loss_budget_only_the_part_that_it_pays_for() -> None:
    """EQ-84: what is left is 0.03 % of NAV, 300 USD; the whole costs 500, the half 125."""
    state = OPEN | {"timestamp": 10_790, "lossUsedWad": WAD // 200 - 3 * WAD // 10_000}
    known = replace(facts(state=state, lots=(lot(100_000, 0.005),)), gas_price=0)
    (fill,) = plan(known, Policy(), ME, FEES)
    assert fill.args[0][4] == known.lots[0].quotes[1].amount


def test_opportunity__what_never_pays__is_none() -> None:
    curve = PriceCurve(1.01, 0.99, 1_800)
    prices = {BTC: 30_000.0, USDC: 1.0}
    assert opportunity(lot(100_000, 0.011), prices, UNITS, curve, 0, 0.0) is not None  # its half does
    assert opportunity(lot(100_000, 0.021), prices, UNITS, curve, 0, 0.0) is None


@pytest.mark.parametrize(
    "kind", ["open", "fill", "ripcord", "basket", "poke", "parity", "coordinates", "solve"]
)
def test_gas_of__more_assets_or_debt__is_never_less(kind: str) -> None:
    assert gas_of(kind, 8, True) >= gas_of(kind, 3, True) >= gas_of(kind, 3, False) > 21_000
