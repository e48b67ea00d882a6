"""The exit that needs nobody."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.errors import ContractRevert
from tests.fixtures.system import FUZZ, System

SHARE = 10**18
NOBODY = "0x" + "00" * 20


def exit_in_kind(system: System, shares: int, skip: list[object] | None = None) -> list[int]:
    """alice's exit; what she received of each token, cash last."""
    tokens = [*system.tokens, system.cash]
    before = [t.call("balanceOf", system.alice) for t in tokens]
    args = (shares, system.alice, system.alice, skip or [])
    system.vault.send("redeemInKind", *args, sender=system.alice)
    return [t.call("balanceOf", system.alice) - b for t, b in zip(tokens, before, strict=True)]


def test_redeem_in_kind__dead_feeds_paused_and_stale__pays(invested: System) -> None:
    """EQ-50: every oracle dead, every signer silent, everything paused, the owner gone."""
    invested.guard.send("pauseDeposits", sender=invested.guardian)
    invested.guard.send("pauseIncreases", sender=invested.guardian)
    invested.vault.send("setDepositCap", 0, sender=invested.guardian)
    for owned in (invested.vault, invested.guard, invested.auction, invested.price_oracle):
        owned.send("renounceOwnership", sender=invested.owner)
    invested.warp(100 * 86_400)
    invested.kill_feeds()
    assert invested.vault.call("mode") == 3
    books, supply = invested.balances(), invested.vault.call("totalSupply")
    shares = invested.shares(invested.alice)
    got = exit_in_kind(invested, shares)
    expected = [b * shares * 9_995 // (supply * 10_000) for b in books]
    assert got == pytest.approx(expected, rel=1e-6)
    assert all(a > 0 for a in got)


def test_redeem_in_kind__without_any_report__pays(system: System) -> None:
    """EQ-50: from the first day on, before any signer spoke."""
    system.volatility_oracle.send(
        "setBudgets", 34_000_000 | 33_000_000 << 32 | 33_000_000 << 64, sender=system.owner
    )
    shares = system.deposit(system.alice, 1_000)
    assert system.vault.call("mode") == 1
    assert exit_in_kind(system, shares)[-1] == pytest.approx(999.5e6 * 1_000 / 999.5, rel=1e-3)


def test_redeem_in_kind__during_an_auction__pays(invested: System) -> None:
    """EQ-50: an auction in course holds nobody."""
    invested.move([0.5, -0.3, 0.1])
    invested.open()
    assert all(a > 0 for a in exit_in_kind(invested, 1_000 * SHARE))


def test_redeem_in_kind__a_blocked_token__is_skipped_and_stays(invested: System) -> None:
    """EQ-51: the skipped token's part stays with the other holders."""
    frozen = invested.tokens[1]
    frozen.send("setBlocked", invested.alice, True, sender=invested.owner)
    shares = invested.shares(invested.alice) // 2
    with pytest.raises(ContractRevert, match="OddToken__Blocked"):
        exit_in_kind(invested, shares)
    before = invested.balances()
    got = exit_in_kind(invested, shares, skip=[frozen])
    after = invested.balances()
    assert got[1] == 0
    assert after[1] == before[1]
    assert all(got[i] == before[i] - after[i] > 0 for i in (0, 2, 3))


def test_redeem_in_kind__skip_named_twice__counts_once(invested: System) -> None:
    """EQ-51: duplicates in `skip` change nothing."""
    with invested.scenario():
        once = exit_in_kind(invested, SHARE, skip=[invested.tokens[0]])
    assert exit_in_kind(invested, SHARE, skip=[invested.tokens[0]] * 3) == once


def test_redeem_in_kind__skip_everything__burns_for_nothing(invested: System) -> None:
    """EQ-51: a fool's gift goes to the other holders."""
    invested.deposit(invested.bob, 10_000)
    before = invested.share_price()
    assert exit_in_kind(invested, 1_000 * SHARE, skip=[*invested.tokens, invested.cash]) == [0, 0, 0, 0]
    assert invested.share_price() > before


def test_redeem_in_kind__refusals__change_nothing(invested: System) -> None:
    """EQ-51: no shares, no receiver, no right, no such token, no balance."""
    me, v, thief = invested.alice, invested.vault, invested.mallory
    invested.refuses("RiskParityVault__ZeroAmount", v, "redeemInKind", 0, me, me, [], sender=me)
    invested.refuses("RiskParityVault__ZeroAddress", v, "redeemInKind", 1, NOBODY, me, [], sender=me)
    invested.refuses("ERC20InsufficientAllowance", v, "redeemInKind", 1, thief, me, [], sender=thief)
    invested.refuses("RiskParityVault__UnknownToken", v, "redeemInKind", 1, me, me, [me], sender=me)
    too_many = invested.shares(me) + 1
    invested.refuses("ERC20InsufficientBalance", v, "redeemInKind", too_many, me, me, [], sender=me)


def test_redeem_in_kind__with_allowance__spends_it(invested: System) -> None:
    """EQ-51: an approved caller exits for the owner, once."""
    invested.vault.send("approve", invested.bob, SHARE, sender=invested.alice)
    args = (SHARE, invested.bob, invested.alice, [])
    invested.vault.send("redeemInKind", *args, sender=invested.bob)
    invested.refuses("ERC20InsufficientAllowance", invested.vault, "redeemInKind", *args, sender=invested.bob)


@FUZZ
@given(shares=st.integers(1, 10**23), skip=st.sets(st.integers(0, 3)))
def test_redeem_in_kind__any_amount__pays_at_most_pro_rata(
    invested: System, shares: int, skip: set[int]
) -> None:
    """EQ-51 and EQ-58: rounded down, never at the others' expense."""
    s = invested
    shares = min(shares, s.shares(s.alice))
    with s.scenario():
        books, supply, price = s.balances(), s.vault.call("totalSupply"), s.share_price()
        tokens = [*s.tokens, s.cash]
        got = exit_in_kind(s, shares, [tokens[i] for i in skip])
        for i, (amount, book) in enumerate(zip(got, books, strict=True)):
            assert amount * supply <= book * shares
            assert not (i in skip and amount)
        assert s.share_price() >= price


def test_redeem_in_kind__everyone__leaves_less_than_the_exit_fee(invested: System) -> None:
    """EQ-51: nothing is stuck but the fee and dust, and the books stay backed."""
    books = invested.balances()
    exit_in_kind(invested, invested.shares(invested.alice))
    for left, had in zip(invested.balances(), books, strict=True):
        assert left <= had * 5.01 / 10_000 + 1
