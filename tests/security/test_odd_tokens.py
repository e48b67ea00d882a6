"""The tokens table of the specification, row by row."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.fixtures.attacks import Heist
from tests.fixtures.system import MAX, System, artifact_contract

SHARE = 10**18
TRUE, FALSE, NOTHING = range(3)


def test_fee_on_transfer__cash__deposit_is_refused(invested: System, heist: Heist) -> None:
    """EQ-61: a payment that leaves the books unbacked reverts."""
    s = invested
    s.cash.send("setFeeBps", 1, sender=s.owner)
    with heist("cash that takes a fee, deposit", s, s.bob, why="unbacked books are refused"):
        s.refuses("RiskParityVault__NotBacked", s.vault, "deposit", 10**9, s.bob, sender=s.bob)
        s.refuses("RiskParityVault__NotBacked", s.vault, "mint", 100 * SHARE, s.bob, sender=s.bob)


def test_fee_on_transfer__bought_token__bid_is_refused(invested: System, heist: Heist) -> None:
    """EQ-61: the same when a bidder pays."""
    s = invested
    s.move([0.0, -0.5, 0.0])
    s.open()
    s.tokens[1].send("setFeeBps", 1, sender=s.owner)
    args = (s.auction.call("current").id, s.cash, s.tokens[1], 10**9, MAX, s.keeper)
    with heist("token that takes a fee, bid", s, s.keeper, why="unbacked books are refused"):
        s.refuses("RiskParityVault__NotBacked", s.auction, "bid", *args, sender=s.keeper)


def test_returns_nothing__is_supported(system: System, heist: Heist) -> None:
    """EQ-50: tokens of the old school come, trade and go."""
    s = system
    for token in [*s.tokens, s.cash]:
        token.send("setAnswer", NOTHING, sender=s.owner)
    s.deposit(s.bob, 10_000)
    with heist("tokens that return nothing", s, s.alice, why="spread and fees of a round trip"):
        s.deposit(s.alice, 10_000)
        s.rebalance()
        s.vault.send("redeem", SHARE, s.alice, s.alice, sender=s.alice)
        s.vault.send("redeemInKind", s.shares(s.alice), s.alice, s.alice, [], sender=s.alice)


def test_returns_false__counts_as_a_refusal(invested: System, heist: Heist) -> None:
    """EQ-61: nothing is booked that did not move; the exit skips the liar."""
    s = invested
    s.cash.send("setAnswer", FALSE, sender=s.owner)
    error = "SafeERC20FailedOperation"
    with heist("cash that returns false", s, s.bob, s.alice, why="a refusal; the exit skips it"):
        s.refuses(error, s.vault, "deposit", 10**6, s.bob, sender=s.bob)
        s.refuses(error, s.vault, "redeem", SHARE, s.alice, s.alice, sender=s.alice)
        s.refuses(error, s.vault, "redeemInKind", SHARE, s.alice, s.alice, [], sender=s.alice)
        s.vault.send("redeemInKind", SHARE, s.alice, s.alice, [s.cash], sender=s.alice)


def test_blocklist__the_vault_itself_blocked__others_and_cash_go_on(invested: System) -> None:
    """EQ-50: a token that freezes the vault freezes that token only."""
    s = invested
    s.tokens[0].send("setBlocked", s.vault, True, sender=s.owner)
    s.deposit(s.bob, 1_000)
    s.vault.send("redeem", SHARE, s.alice, s.alice, sender=s.alice)
    s.refuses("OddToken__Blocked", s.vault, "redeemInKind", SHARE, s.alice, s.alice, [], sender=s.alice)
    s.vault.send("redeemInKind", SHARE, s.alice, s.alice, [s.tokens[0]], sender=s.alice)
    s.move([0.0, 1.0, 0.0])
    s.open()
    s.bid(s.tokens[1], s.cash, 10**4)


def test_blocklist__a_blocked_depositor__leaves_to_another_address(invested: System) -> None:
    """EQ-50: shares are the owner's even where a token refuses the owner."""
    s = invested
    for token in [*s.tokens, s.cash]:
        token.send("setBlocked", s.alice, True, sender=s.owner)
    args = (s.shares(s.alice), s.bob, s.alice, [])
    s.vault.send("redeemInKind", *args, sender=s.alice)
    assert all(t.call("balanceOf", s.bob) > 0 for t in s.tokens)


def test_blocklist__fee_recipient_blocked__exits_go_on(invested: System) -> None:
    """EQ-62: fees are shares, so that no token can stop them, nor they an exit."""
    s = invested
    s.vault.send("setFees", (0, 0, 2 * 10**16, 2 * 10**17), s.treasury, sender=s.owner)
    for token in [*s.tokens, s.cash]:
        token.send("setBlocked", s.treasury, True, sender=s.owner)
    s.warp(10**6)
    s.vault.send("redeemInKind", SHARE, s.alice, s.alice, [], sender=s.alice)
    assert s.shares(s.treasury) > 0


def test_clawback__vaults_cash_taken_by_the_issuer__nobody_deposits_into_the_hole(
    invested: System, heist: Heist
) -> None:
    """EQ-61: books above the balance are noticed before new money comes in."""
    s = invested
    half = s.cash.call("balanceOf", s.vault) // 2
    s.chain.request("anvil_impersonateAccount", s.vault.address)
    s.chain.request("anvil_setBalance", s.vault.address, hex(10**18))
    s.cash.send("transfer", s.mallory, half, sender=s.vault.address)
    with heist("deposit after a clawback", s, s.bob, s.alice, why="unbacked books are refused"):
        s.refuses("RiskParityVault__NotBacked", s.vault, "deposit", 10**6, s.bob, sender=s.bob)


def test_paused__every_token_of_the_basket__pays_nobody_who_runs(invested: System, heist: Heist) -> None:
    """EQ-50 EQ-51: who leaves without the paused ones leaves his part of them to who stays."""
    s = invested
    s.deposit(s.mallory, 50_000)
    for token in s.tokens:
        token.send("setBlocked", s.vault, True, sender=s.owner)
    with heist("run from paused tokens", s, s.mallory, why="what is skipped stays"):
        skip = [t.address for t in s.tokens]
        s.vault.send("redeemInKind", s.shares(s.mallory), s.mallory, s.mallory, skip, sender=s.mallory)


def test_paused__token_for_sale__stops_its_own_lots_only(invested: System, heist: Heist) -> None:
    """EQ-50 EQ-82: a bidder cannot have it, and gains nothing from the others."""
    s = invested
    s.move([1.0, 0.5, 0.0])
    s.tokens[0].send("setBlocked", s.vault, True, sender=s.owner)
    s.open()
    s.to_curve(1.001)
    args = (s.auction.call("current").id, s.tokens[0], s.cash, MAX, MAX, s.keeper)
    with heist("auction of a paused token", s, s.keeper, why="its lots wait"):
        s.refuses("OddToken__Blocked", s.auction, "bid", *args, sender=s.keeper)
        s.bid(s.tokens[1], s.cash)
    assert s.vault.call("mode") == 0


@pytest.mark.parametrize("decimals", [0, 6, 8, 18, 24])
def test_decimals__of_a_basket_token__pay_nobody(
    make_system: Callable[..., System], heist: Heist, decimals: int
) -> None:
    """EQ-43 EQ-57: up to 18 are traded to the unit, which rounds the vault's way; more are not listed."""
    if decimals > 18:
        s = make_system()
        args = ("OddToken", "WIDE", decimals)
        token = artifact_contract(s.chain, *args, sender=s.owner)
        listing = (token, s.feeds[0], 90_000, 50, 1, 10**30)
        with heist(f"token of {decimals} decimals", s, s.mallory, why="not listed"):
            s.refuses("ParameterOutOfRange", s.price_oracle, "setFeed", listing, sender=s.owner)
        return
    s = make_system(decimals=(decimals, 18), prices=(700.0, 2_000.0), vols=(0.4, 0.6))
    s.deposit(s.alice, 100_000)
    s.rebalance()
    with heist(f"round trips, token of {decimals} decimals", s, s.mallory, why="fees, spread, rounding"):
        for _ in range(3):
            s.deposit(s.mallory, 1_234.567891)
            s.vault.send("redeemInKind", s.shares(s.mallory), s.mallory, s.mallory, [], sender=s.mallory)
