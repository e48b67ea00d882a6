"""The tokens table of the specification, row by row."""

from __future__ import annotations

from tests.fixtures.system import MAX, System

SHARE = 10**18
TRUE, FALSE, NOTHING = range(3)


def test_fee_on_transfer__cash__deposit_is_refused(invested: System) -> None:
    """EQ-61: a payment that leaves the books unbacked reverts."""
    s = invested
    s.cash.send("setFeeBps", 1, sender=s.owner)
    s.refuses("RiskParityVault__NotBacked", s.vault, "deposit", 10**9, s.bob, sender=s.bob)
    s.refuses("RiskParityVault__NotBacked", s.vault, "mint", 100 * SHARE, s.bob, sender=s.bob)


def test_fee_on_transfer__bought_token__bid_is_refused(invested: System) -> None:
    """EQ-61: the same when a bidder pays."""
    s = invested
    s.move([0.0, -0.5, 0.0])
    s.open()
    s.tokens[1].send("setFeeBps", 1, sender=s.owner)
    args = (s.auction.call("current").id, s.cash, s.tokens[1], 10**9, MAX, s.keeper)
    s.refuses("RiskParityVault__NotBacked", s.auction, "bid", *args, sender=s.keeper)


def test_returns_nothing__is_supported(system: System) -> None:
    """EQ-50: tokens of the old school come, trade and go."""
    s = system
    for token in [*s.tokens, s.cash]:
        token.send("setAnswer", NOTHING, sender=s.owner)
    s.deposit(s.alice, 10_000)
    s.rebalance()
    s.vault.send("redeem", SHARE, s.alice, s.alice, sender=s.alice)
    s.vault.send("redeemInKind", s.shares(s.alice), s.alice, s.alice, [], sender=s.alice)


def test_returns_false__counts_as_a_refusal(invested: System) -> None:
    """EQ-61: nothing is booked that did not move; the exit skips the liar."""
    s = invested
    s.cash.send("setAnswer", FALSE, sender=s.owner)
    error = "SafeERC20FailedOperation"
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


def test_clawback__vaults_cash_taken_by_the_issuer__nobody_deposits_into_the_hole(invested: System) -> None:
    """EQ-61: books above the balance are noticed before new money comes in."""
    s = invested
    half = s.cash.call("balanceOf", s.vault) // 2
    s.chain.request("anvil_impersonateAccount", s.vault.address)
    s.chain.request("anvil_setBalance", s.vault.address, hex(10**18))
    s.cash.send("transfer", s.mallory, half, sender=s.vault.address)
    s.refuses("RiskParityVault__NotBacked", s.vault, "deposit", 10**6, s.bob, sender=s.bob)
