"""Tokens that call back in the middle of a transfer."""

from __future__ import annotations

from typing import Any

import pytest
from eth_utils import keccak

from equipoise.client.contract import Contract
from equipoise.units import WAD
from tests.fixtures.attacks import Ledger, measured
from tests.fixtures.system import MAX, System

REENTRANT = keccak(text="ReentrancyGuardReentrantCall()")[:4]
SHARE = 10**18


def inner_calls(s: System) -> dict[str, tuple[Contract, str, tuple[Any, ...]]]:
    me = s.mallory
    current = s.auction.call("current").id
    return {
        "deposit": (s.vault, "deposit", (10**6, me)),
        "mint": (s.vault, "mint", (SHARE, me)),
        "withdraw": (s.vault, "withdraw", (1, me, me)),
        "redeem": (s.vault, "redeem", (SHARE, me, me)),
        "redeemInKind": (s.vault, "redeemInKind", (SHARE, me, me, [])),
        "accrueFees": (s.vault, "accrueFees", ()),
        "bid": (s.auction, "bid", (current, s.tokens[0], s.cash, 10**15, MAX, me)),
    }


def hook(s: System, token: Contract, target: Contract, function: str, args: tuple[Any, ...]) -> None:
    token.send("setHook", target, target.encode(function, *args), sender=s.mallory)


def act(s: System, outer: str) -> None:
    if outer == "bid":
        s.bid(s.tokens[0], s.cash, 10**15)
    elif outer == "deposit":
        s.deposit(s.bob, 10_000)
    elif outer == "redeem":
        s.vault.send("redeem", 1_000 * SHARE, s.alice, s.alice, sender=s.alice)
    else:
        s.vault.send("redeemInKind", 1_000 * SHARE, s.alice, s.alice, [], sender=s.alice)


def during_an_auction(s: System) -> System:
    s.move([1.0, -0.3, 0.0])
    s.open()
    return s


@pytest.mark.parametrize("outer", ["deposit", "redeem", "redeemInKind", "bid"])
def test_callback__into_any_action__is_refused(invested: System, attack: Ledger, outer: str) -> None:
    """EQ-61: whatever a token calls back into, the lock is shut and the outer call ends as it should."""
    s, best, loss = during_an_auction(invested), 0.0, 0.0
    for target, function, args in inner_calls(s).values():
        with s.scenario(), measured(s, s.mallory) as score:
            hook(s, s.cash, target, function, args)
            act(s, outer)
            assert s.cash.call("hookCalled")
            assert not s.cash.call("hookSucceeded")
            # a bid from outside the auction's own lock fails at the vault's
            assert s.cash.call("hookResult")[:4] == REENTRANT
            for token, book in zip([*s.tokens, s.cash], s.balances(), strict=True):
                assert book <= token.call("balanceOf", s.vault)
        best = max(best, score.profit)
        loss = max(loss, score.loss) if outer != "bid" else loss
    attack(f"re-entrance during {outer}", best, loss, why="seven inner calls; the lock is shut")


def views(s: System) -> list[tuple[Contract, str, tuple[Any, ...]]]:
    """What an integrator asks: a lender, an aggregator, a bidder, a dashboard."""
    vault = s.vault
    plain = ["sharePriceWad", "totalAssets", "totalSupply", "nav", "portfolio", "holdings", "mode", "debt"]
    sized = ["convertToAssets", "convertToShares", "previewDeposit", "previewMint", "previewWithdraw"]
    return [
        *((vault, name, ()) for name in plain),
        *((vault, name, (10**6,)) for name in sized),
        (vault, "previewRedeem", (SHARE,)),
        (vault, "previewRedeemInKind", (SHARE,)),
        *((vault, name, (s.bob,)) for name in ("maxDeposit", "maxMint", "maxWithdraw", "maxRedeem")),
        (s.auction, "riskState", ()),
        (s.auction, "quoteBid", (s.tokens[0], s.cash, 10**15)),
    ]


@pytest.mark.parametrize("outer", ["deposit", "redeem", "redeemInKind", "bid"])
def test_callback__reads_any_view__sees_the_books_after_the_action(
    invested: System, attack: Ledger, outer: str
) -> None:
    """EQ-61: read-only re-entrancy: books are written before any token moves, so no view lies in between.

    The profit is what a lender who takes all shares at the price seen would lend too much.
    """
    s, too_much = during_an_auction(invested), 0.0
    for target, view, args in views(s):
        with s.scenario(), s.one_block():
            hook(s, s.cash, target, view, args)
            act(s, outer)
            assert s.cash.call("hookSucceeded"), view
            seen, after = s.cash.call("hookResult"), s.chain.call(target.address, target.encode(view, *args))
            assert seen == after, view
            if view == "sharePriceWad":
                difference = int.from_bytes(seen, "big") - int.from_bytes(after, "big")
                too_much = difference / WAD * s.vault.call("totalSupply") / SHARE
    attack(f"read-only re-entrancy during {outer}", too_much, 0.0, why="21 views tell the books after it")


@pytest.mark.parametrize("inner", ["open", "ripcord"])
@pytest.mark.parametrize("outer", ["bid", "bidBasket"])
def test_callback__starts_an_auction_during_a_bid__is_refused(
    invested: System, outer: str, inner: str
) -> None:
    """EQ-61: the auction's own lock: the vault's does not cover what asks nothing of the vault."""
    s = during_an_auction(invested)
    hook(s, s.cash, s.auction, inner, ())
    current = s.auction.call("current").id
    if outer == "bid":
        act(s, "bid")
    else:
        s.auction.send("bidBasket", current, [10**15, 0, 0], MAX, s.keeper, sender=s.keeper)
    assert s.cash.call("hookCalled")
    assert s.cash.call("hookResult")[:4] == REENTRANT
    assert s.auction.call("current").id == current


def test_callback__opens_an_auction_during_a_deposit__sees_the_books_after_it(system: System) -> None:
    """EQ-61: an auction opened from a callback finds the same state as one opened afterwards."""
    s = system
    hook(s, s.cash, s.auction, "open", ())
    s.deposit(s.alice, 100_000)
    assert s.cash.call("hookSucceeded")
    targets = s.auction.call("current").targets
    s.warp(1_900)
    s.open()
    assert s.auction.call("current").targets == targets
