"""The ripcord in any storm: 1,400 generated states of real debt on the real Aave."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from equipoise.errors import ContractRevert
from equipoise.units import WAD
from tests.fixtures.levered import Levered
from tests.stateful.leverage import Storm, hit, storms

DELEVER_ONLY_AFTER = 96 * 3_600
LEAST = 0.01
"""Of every asset that a ripcord sells, since idle cash needs a bid to repay with."""


def check(s: Levered, storm: Storm) -> None:
    hit(s, storm)
    health, guard = s.health(), s.guard.call("params")
    silent = storm.silence > DELEVER_ONLY_AFTER and health < guard.targetHealthWad / WAD
    if health >= guard.triggerHealthWad / WAD and not silent:
        with pytest.raises(ContractRevert, match="RipcordNotDue"):
            s.auction.call("ripcord", sender=s.keeper)
        return
    s.pull()
    s.warp(storm.patience)
    book, ltv = s.vault.call("portfolio"), None
    if book.navWad == 0:
        with pytest.raises(ContractRevert, match="EmptyVault"):
            s.bid_basket()
        return
    ltv, debt = s.ltv(), s.debt()
    receipt = s.bid_basket()
    bids = s.auction.events(receipt, "Bid")
    paid, sold = sum(b.buyValueWad for b in bids), sum(b.sellValueWad for b in bids)
    assert s.ltv() < ltv
    assert s.debt() < debt
    target = guard.targetHealthWad / WAD
    assert s.health() >= target
    if sold > sum(book.valuesWad[:-1]) * LEAST * (1 + 1e-6):
        assert s.health() <= target * (1 + 1e-5)
    with pytest.raises(ContractRevert, match="RipcordNotDue"):
        s.bid_basket()
    cap = s.auction.call("params").ripcordDiscountWad / WAD
    assert paid >= sold * (1 - cap) - 10**12
    assert s.aave.liquidate(s.account.address) == []


@settings(max_examples=900)
@given(storm=storms(-0.45, -0.05))
def test_ripcord__any_fall__lowers_ltv_and_restores_the_target(storm_hit: Levered, storm: Storm) -> None:
    """EQ-131 EQ-132 EQ-133: startable when due and only then; the whole lot passes, also below 1."""
    with storm_hit.scenario():
        check(storm_hit, storm)


@settings(max_examples=500)
@given(storm=storms(-0.55, -0.35))
def test_ripcord__near_insolvency__works_while_equity_is_positive(storm_hit: Levered, storm: Storm) -> None:
    """EQ-130 EQ-133: the discount never eats the last equity; without equity the refusal has a name."""
    with storm_hit.scenario():
        check(storm_hit, storm)
