"""Found by fuzzing: a vault that owes more than it has, kept up by collateral that somebody gave."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.fixtures.system import MAX

MILLION = 1_000_000
CLOSED = "RiskParityVault__DepositsClosed"


def invest(s: Any) -> None:
    """A million, and what Aave lends for it."""
    s.deposit(s.alice, MILLION)
    s.lever()


def sink(s: Any) -> None:
    """More is owed than owned, and the health factor is well."""
    gift = MILLION * 10**6
    s.world.fund("USDC", s.mallory, gift)
    s.aave.pool.send("supply", s.cash, gift, s.account, 0, sender=s.mallory)
    s.crash(-0.6)
    assert s.vault.call("nav").mid == 0 < s.debt()


def test_deposit__into_a_vault_under_water__is_refused(lives: Callable[[str], Any]) -> None:
    """EQ-58 EQ-60: somebody gives Aave collateral for a vault that a crash has left with less than it owes.

    Its health factor is well and its NAV is 0, so that a deposit would mint at a price of nearly nothing:
    whoever came first would own what a recovery brings back.
    """
    with lives("levered").scenario() as s:
        invest(s)
        assert s.world
        before = s.world.prices()
        sink(s)
        assert s.contracts.dashboard().mode == 0
        for entrance in (("deposit", 10**6), ("mint", 10**18)):
            s.refuses(CLOSED, s.vault, *entrance, s.bob, sender=s.bob)
        assert s.vault.call("maxDeposit", s.bob) == s.vault.call("maxMint", s.bob) == 0
        s.world.set_prices(before)
        s.deposit(s.bob, 1)
        assert s.shares(s.bob) < s.shares(s.alice) // 1_000


def test_bid__of_a_vault_under_water__passes_at_mid_and_is_refused_below(
    lives: Callable[[str], Any],
) -> None:
    """EQ-84 EQ-85: a loss of nothing cannot be measured, and had no name; a sale at mid lowers the debt."""
    with lives("levered").scenario() as s:
        invest(s)
        s.move([0.5, 0.0, 0.0])
        s.post_volatilities()
        s.warp(600)
        s.open()
        sink(s)
        s.to_curve(0.995)
        order = (s.auction.call("current").id, s.tokens[0], s.cash, 10**4, MAX, s.keeper)
        s.refuses("RebalanceAuction__LossBudgetExceeded", s.auction, "bid", *order, sender=s.keeper)
        s.auction.send("setParams", s.auction.call("params")._replace(endDiscountWad=0), sender=s.owner)
        debt = s.debt()
        s.auction.send("bid", *order, sender=s.keeper)
        assert s.debt() < debt


def test_redeem_in_kind__by_the_last_one__leaves_no_debt(lives: Callable[[str], Any]) -> None:
    """EQ-50 EQ-124: virtual shares kept units of debt, to which Aave found dust too little collateral.

    Their part of the debt is a unit or more once the debt is above what the shares were at birth.
    """
    with lives("levered").scenario() as s:
        invest(s)
        s.crash(3.0)
        s.post_volatilities()
        s.warp(600)
        s.lever()
        s.vault.send("setFees", (0, 0, 0, 0), s.treasury, sender=s.owner)
        assert s.debt() > 2 * s.vault.call("totalSupply") // 10**12
        for holder in (s.treasury, s.alice):
            s.world.fund("USDC", holder, 2 * s.debt() + 1)
            s.cash.send("approve", s.vault, MAX, sender=holder)
            if shares := s.shares(holder):
                s.vault.send("redeemInKind", shares, holder, holder, [], sender=holder)
        assert s.vault.call("totalSupply") == s.debt() == 0
