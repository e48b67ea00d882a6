"""Bids in any storm: 700 generated states in which leverage and debt may not rise outside Normal."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings

from equipoise.errors import ContractRevert
from equipoise.units import WAD
from tests.fixtures.levered import Levered
from tests.fixtures.system import MAX
from tests.stateful.leverage import Storm, hit, storms

NORMAL = 0
REFUSED = {
    "RebalanceAuction__OnlyCashBought",
    "RebalanceAuction__ZeroAmount",
    "RebalanceAuction__HealthTooLow",
    "RebalanceAuction__BorrowTooDear",
    "RebalanceAuction__LossBudgetExceeded",
    "RebalanceAuction__EmptyVault",
    "LendingAccount__Refused",
}


def attempt(s: Levered, sell: Any, buy: Any) -> bool:
    auction = s.auction.call("current").id
    args = (auction, sell, buy, MAX, MAX, s.keeper)
    try:
        s.auction.send("bid", *args, sender=s.keeper)
    except ContractRevert as revert:
        if revert.name not in REFUSED:
            raise
        return False
    return True


def opens(s: Levered) -> bool:
    try:
        s.open()
    except ContractRevert as revert:
        if revert.name not in {"RebalanceAuction__WithinBands", "RebalanceAuction__EmptyVault"}:
            raise
        return False
    return True


@settings(max_examples=700)
@given(storm=storms(-0.35, 0.35))
def test_bids__any_storm__raise_neither_leverage_nor_debt_outside_normal(
    storm_hit: Levered, storm: Storm
) -> None:
    """EQ-88 EQ-89: outside Normal only sales pass, and they repay; in Normal the target holds."""
    with storm_hit.scenario() as s:
        hit(s, storm)
        s.world.set_prices(s.world.prices())  # type: ignore[union-attr]
        if not opens(s):
            return
        s.warp(900)
        target = max(s.targets_met(), 0.98)
        for token in s.tokens:
            for sell, buy in ((token, s.cash), (s.cash, token)):
                mode, leverage, debt = s.vault.call("mode"), s.leverage(), s.debt()
                if not attempt(s, sell, buy):
                    continue
                # a second's interest may pass between two looks
                if mode != NORMAL:
                    assert buy is s.cash
                    assert s.debt() <= debt + debt // 10**8 + 1
                    assert s.leverage() <= leverage * (1 + 1e-8)
                elif buy is not s.cash:
                    assert s.leverage() <= max(target, leverage) * (1 + 1e-3)
                    floor = s.guard.call("params").increaseHealthWad / WAD
                    assert s.health() >= floor * (1 - 1e-6)
