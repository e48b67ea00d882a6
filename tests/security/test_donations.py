"""Gifts and births: what inflates other vaults."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.client.config import FeesConfig
from tests.fixtures.attacks import Heist
from tests.fixtures.system import FUZZ, System

SHARE = 10**18


def test_donation__any_token__changes_nothing(invested: System) -> None:
    """EQ-54: NAV, share price, every preview and every maximum stay what they were."""
    s = invested

    def figures() -> list[object]:
        v = s.vault
        amounts = [v.call(f"preview{f}", 10**9) for f in ("Deposit", "Mint", "Withdraw", "Redeem")]
        limits = [v.call(f"max{f}", s.alice) for f in ("Deposit", "Mint", "Withdraw", "Redeem")]
        return [v.call("nav"), s.share_price(), s.balances(), s.auction.call("riskState"), *amounts, *limits]

    before = figures()
    for token in [*s.tokens, s.cash]:
        token.send("mint", s.vault, 10**24, sender=s.mallory)
    assert figures() == before
    with s.scenario():
        s.vault.send("redeemInKind", s.shares(s.alice), s.alice, s.alice, [], sender=s.alice)
        assert s.cash.call("balanceOf", s.vault) >= 10**24


@FUZZ
@given(
    seed=st.integers(1, 10**8),
    gift=st.integers(0, 10**13),
    forfeit=st.integers(0, 10**13),
    victim=st.integers(10**6, 10**12),
)
def test_first_depositor__any_gift_or_forfeit__takes_nothing_from_the_second(
    system: System, seed: int, gift: int, forfeit: int, victim: int
) -> None:
    """EQ-63: neither by a transfer nor by shares burnt with everything skipped."""
    s = system
    with s.scenario():
        s.vault.send("setFees", FeesConfig(0, 0).params(), s.treasury, sender=s.owner)
        s.vault.send("setDepositCap", 10**20, sender=s.owner)
        s.cash.send("mint", s.mallory, 10**14, sender=s.owner)
        spent = s.cash_of(s.mallory)
        s.vault.send("deposit", seed + forfeit, s.mallory, sender=s.mallory)
        if gift:
            s.cash.send("transfer", s.vault, gift, sender=s.mallory)
        if forfeit:
            args = (s.shares(s.mallory) * forfeit // (seed + forfeit), s.mallory, s.mallory, [s.cash])
            s.vault.send("redeemInKind", *args, sender=s.mallory)
        s.vault.send("deposit", victim, s.bob, sender=s.bob)
        worth = s.vault.call("convertToAssets", s.shares(s.bob))
        # a share costs (seed + forfeit) / 1e12 wei at most: that is what rounding can take
        assert worth >= victim - 2 - (seed + forfeit) // 10**12
        args = (s.shares(s.mallory), s.mallory, s.mallory)
        unless = ["RiskParityVault__ZeroAssets"]
        s.attempt(s.vault, "redeem", *args, sender=s.mallory, unless=unless)
        assert s.cash_of(s.mallory) <= spent


@pytest.mark.parametrize("decimals", [0, 18])
def test_first_depositor__other_cash_decimals__takes_nothing_from_the_second(
    make_system: Callable[..., System], decimals: int
) -> None:
    """EQ-63: the offset protects whatever the cash looks like."""
    s = make_system(cash_decimals=decimals, fees=FeesConfig(0, 0))
    s.vault.send("deposit", 1, s.mallory, sender=s.mallory)
    s.cash.send("transfer", s.vault, s.units(100_000), sender=s.mallory)
    shares = s.deposit(s.bob, 1_000)
    assert s.vault.call("convertToAssets", shares) >= s.units(1_000) - 1


def test_donation__during_an_auction__sells_nothing_more(invested: System) -> None:
    """EQ-54: a gift of the surplus token makes no lot bigger."""
    s = invested
    s.move([1.0, 0.0, 0.0])
    s.open()
    with s.one_block():
        lot = s.auction.call("quoteBid", s.tokens[0], s.cash, 2**256 - 1).sold
        s.tokens[0].send("mint", s.vault, 10**21, sender=s.mallory)
        assert s.auction.call("quoteBid", s.tokens[0], s.cash, 2**256 - 1).sold == lot


def test_inflation__by_a_gift_at_birth__is_a_gift(system: System, heist: Heist) -> None:
    """EQ-63: a hundred wei, 100,000 USD sent to the vault, a victim of 1,000 USD, at the default fees."""
    s = system
    with heist("inflation at birth by a gift", s, s.mallory, why="the books do not see it"):
        s.vault.send("deposit", 100, s.mallory, sender=s.mallory)
        s.cash.send("transfer", s.vault, s.units(100_000), sender=s.mallory)
        shares = s.deposit(s.bob, 1_000)
        s.vault.send("redeem", s.shares(s.mallory), s.mallory, s.mallory, sender=s.mallory)
    assert s.vault.call("convertToAssets", shares) >= s.units(999)


def test_inflation__by_forfeited_shares_at_birth__is_a_gift(system: System, heist: Heist) -> None:
    """EQ-63: shares burnt for nothing leave their cash in the books, mostly to the virtual shares."""
    s = system
    with heist("inflation at birth by forfeited shares", s, s.mallory, why="a share is 1e-12 of a cent"):
        s.deposit(s.mallory, 100_000)
        args = (s.shares(s.mallory) - 10**12, s.mallory, s.mallory, [s.cash])
        s.vault.send("redeemInKind", *args, sender=s.mallory)
        shares = s.deposit(s.bob, 1_000)
        s.vault.send("redeem", s.shares(s.mallory), s.mallory, s.mallory, sender=s.mallory)
    assert s.vault.call("convertToAssets", shares) >= s.units(998)


@pytest.mark.parametrize("means", ["gift", "forfeit"])
def test_inflation__of_a_running_vault__is_shared_with_its_holders(
    invested: System, heist: Heist, means: str
) -> None:
    """EQ-54 EQ-58: half of it is alice's, or none of it is anybody's, whatever bob does in between."""
    s = invested
    s.deposit(s.mallory, 100_000)
    with heist(f"share price pushed by a {means} around a deposit", s, s.mallory):
        if means == "gift":
            s.cash.send("transfer", s.vault, s.units(50_000), sender=s.mallory)
        else:
            skip = [t.address for t in [*s.tokens, s.cash]]
            s.vault.send(
                "redeemInKind", s.shares(s.mallory) // 2, s.mallory, s.mallory, skip, sender=s.mallory
            )
        s.deposit(s.bob, 100_000)
        s.vault.send("redeemInKind", s.shares(s.mallory), s.mallory, s.mallory, [], sender=s.mallory)
