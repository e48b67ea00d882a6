"""Tokens that call back in the middle of a transfer."""

from __future__ import annotations

from typing import Any

import pytest
from eth_utils import keccak

from equipoise.client.contract import Contract
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


@pytest.mark.parametrize(
    "inner", ["deposit", "mint", "withdraw", "redeem", "redeemInKind", "accrueFees", "bid"]
)
@pytest.mark.parametrize("outer", ["deposit", "redeem", "redeemInKind", "bid"])
def test_callback__into_any_action__is_refused(invested: System, outer: str, inner: str) -> None:
    """EQ-61: whatever a token calls back into, the lock is shut and the outer call ends as it should."""
    s = invested
    s.move([1.0, -0.3, 0.0])
    s.open()
    target, function, args = inner_calls(s)[inner]
    hook(s, s.cash, target, function, args)
    if outer == "bid":
        s.bid(s.tokens[0], s.cash, 10**15)
    elif outer == "deposit":
        s.deposit(s.bob, 100)
    elif outer == "redeem":
        s.vault.send("redeem", SHARE, s.alice, s.alice, sender=s.alice)
    else:
        s.vault.send("redeemInKind", SHARE, s.alice, s.alice, [], sender=s.alice)
    assert s.cash.call("hookCalled")
    assert not s.cash.call("hookSucceeded")
    # a bid from outside the auction's own lock fails at the vault's
    assert s.cash.call("hookResult")[:4] == REENTRANT
    for token, book in zip([*s.tokens, s.cash], s.balances(), strict=True):
        assert book <= token.call("balanceOf", s.vault)


@pytest.mark.parametrize("view", ["sharePriceWad", "totalAssets"])
@pytest.mark.parametrize("outer", ["deposit", "redeem", "redeemInKind", "bid"])
def test_callback__reads_a_view__sees_the_books_after_the_action(
    invested: System, outer: str, view: str
) -> None:
    """EQ-61: read-only re-entrancy: books are written before any token moves, so no view lies in between."""
    s = invested
    s.move([1.0, -0.3, 0.0])
    s.open()
    hook(s, s.cash, s.vault, view, ())
    with s.one_block():
        if outer == "bid":
            s.bid(s.tokens[0], s.cash, 10**15)
        elif outer == "deposit":
            s.deposit(s.bob, 10_000)
        elif outer == "redeem":
            s.vault.send("redeem", 1_000 * SHARE, s.alice, s.alice, sender=s.alice)
        else:
            s.vault.send("redeemInKind", 1_000 * SHARE, s.alice, s.alice, [], sender=s.alice)
        assert s.cash.call("hookSucceeded")
        seen = int.from_bytes(s.cash.call("hookResult"), "big")
        assert seen == s.vault.call(view)


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
