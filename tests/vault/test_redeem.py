"""Cash redemptions: prices, idle cash, allowances, refusals."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.client.config import FeesConfig
from tests.fixtures.system import FUZZ, System

SHARE = 10**18
NOBODY = "0x" + "00" * 20


def test_redeem__with_a_basket__pays_the_bid_less_the_exit_fee(invested: System) -> None:
    """EQ-56: the leaver sells the part that is not cash 50 bp under mid."""
    nav = invested.vault.call("nav")
    supply = invested.vault.call("totalSupply")
    shares = 1_000 * SHARE
    before = invested.cash_of(invested.alice)
    invested.vault.send("redeem", shares, invested.alice, invested.alice, sender=invested.alice)
    paid = invested.cash_of(invested.alice) - before
    assert paid == pytest.approx(shares * nav.bid / supply * (1 - 0.0005), abs=2)


def test_withdraw__exact_assets__burns_what_the_preview_said(invested: System) -> None:
    """EQ-55: the receiver gets exactly what was asked for."""
    before = invested.shares(invested.alice)
    preview = invested.vault.call("previewWithdraw", 10**9)
    invested.vault.send("withdraw", 10**9, invested.bob, invested.alice, sender=invested.alice)
    assert before - invested.shares(invested.alice) == preview
    assert invested.cash_of(invested.bob) == invested.units(10_000_000) + 10**9


def test_redeem__more_than_the_idle_cash__is_refused_with_what_there_is(invested: System) -> None:
    """EQ-59: the error names the cash; maxWithdraw and maxRedeem had told."""
    shares = invested.shares(invested.alice)
    cash = invested.balances()[-1]
    revert = invested.refuses(
        "RiskParityVault__InsufficientCash",
        invested.vault,
        "redeem",
        shares,
        invested.alice,
        invested.alice,
        sender=invested.alice,
    )
    assert revert.arguments[1] == cash
    assert invested.vault.call("maxWithdraw", invested.alice) == cash
    most = invested.vault.call("maxRedeem", invested.alice)
    assert 0 < most < shares
    invested.vault.send("redeem", most, invested.alice, invested.alice, sender=invested.alice)
    assert invested.balances()[-1] <= 3


def test_withdraw__the_maximum__empties_the_cash(invested: System) -> None:
    """EQ-59: maxWithdraw is accepted, one wei more is not."""
    most = invested.vault.call("maxWithdraw", invested.alice)
    args = (invested.alice, invested.alice)
    invested.refuses(
        "RiskParityVault__InsufficientCash",
        invested.vault,
        "withdraw",
        most + 1,
        *args,
        sender=invested.alice,
    )
    invested.vault.send("withdraw", most, *args, sender=invested.alice)
    assert invested.balances()[-1] == 0
    assert invested.vault.call("maxRedeem", invested.alice) == 0


def test_redeem__zero_or_dust_or_to_nobody__is_refused(invested: System) -> None:
    """EQ-59: a redemption pays something, to somebody."""
    me, v = invested.alice, invested.vault
    invested.refuses("RiskParityVault__ZeroAmount", v, "redeem", 0, me, me, sender=me)
    invested.refuses("RiskParityVault__ZeroAmount", v, "withdraw", 0, me, me, sender=me)
    invested.refuses("RiskParityVault__ZeroAssets", v, "redeem", 1, me, me, sender=me)
    invested.refuses("RiskParityVault__ZeroAddress", v, "redeem", SHARE, NOBODY, me, sender=me)
    invested.refuses("RiskParityVault__ZeroAddress", v, "withdraw", 10**6, NOBODY, me, sender=me)


def test_max_redeem__dust__is_zero(invested: System) -> None:
    """EQ-55: shares too few for a wei are refused by redeem, so maxRedeem does not offer them."""
    invested.vault.send("transfer", invested.bob, 10**11, sender=invested.alice)
    assert invested.vault.call("maxRedeem", invested.bob) == 0
    assert invested.vault.call("maxWithdraw", invested.bob) == 0


def test_redeem__of_another_without_allowance__is_refused(invested: System) -> None:
    """EQ-59: shares are their owner's."""
    for function, amount in (("redeem", SHARE), ("withdraw", 10**6)):
        invested.refuses(
            "ERC20InsufficientAllowance",
            invested.vault,
            function,
            amount,
            invested.mallory,
            invested.alice,
            sender=invested.mallory,
        )
    invested.vault.send("approve", invested.bob, SHARE, sender=invested.alice)
    invested.vault.send("redeem", SHARE, invested.bob, invested.alice, sender=invested.bob)
    assert invested.vault.call("allowance", invested.alice, invested.bob) == 0


def test_redeem__more_than_owned__is_refused(invested: System) -> None:
    """EQ-59: nobody burns what it has not."""
    invested.deposit(invested.bob, 100)
    invested.refuses(
        "ERC20InsufficientBalance",
        invested.vault,
        "redeem",
        101 * SHARE,
        invested.bob,
        invested.bob,
        sender=invested.bob,
    )


def test_redeem__while_everything_is_paused_and_stale__pays(invested: System) -> None:
    """EQ-59: exits in cash need prices, and nothing else."""
    invested.guard.send("pauseDeposits", sender=invested.guardian)
    invested.guard.send("pauseIncreases", sender=invested.guardian)
    invested.warp(10 * 86_400)
    assert invested.vault.call("mode") == 2
    invested.vault.send("redeem", 1_000 * SHARE, invested.alice, invested.alice, sender=invested.alice)


@pytest.mark.parametrize("function", ["deposit", "mint", "withdraw", "redeem", "accrueFees"])
def test_cash__with_a_dead_price__is_refused_by_the_oracles_error(invested: System, function: str) -> None:
    """EQ-59: there is no NAV to trade at."""
    invested.kill_feeds()
    me = invested.alice
    args = {"accrueFees": (), "deposit": (10**6, me), "mint": (SHARE, me)}.get(function, (10**6, me, me))
    invested.refuses("PriceOracle__FeedFailed", invested.vault, function, *args, sender=me)
    for view in ("maxDeposit", "maxMint", "maxWithdraw", "maxRedeem"):
        assert invested.vault.call(view, me) == 0


@FUZZ
@given(
    assets=st.integers(1, 10**11),
    fee=st.sampled_from([0, 0.0005, 0.01]),
    by_assets=st.booleans(),
)
def test_redeem__any_amount__never_dilutes_the_others(
    invested: System, assets: int, fee: float, by_assets: bool
) -> None:
    """EQ-58: the share price at mid never falls by a redemption."""
    s = invested
    with s.scenario():
        s.vault.send("setFees", FeesConfig(exit=fee).params(), s.treasury, sender=s.owner)
        before = s.share_price()
        function, amount = ("withdraw", assets) if by_assets else ("redeem", assets * 10**12)
        unless = ["RiskParityVault__InsufficientCash", "RiskParityVault__ZeroAssets"]
        s.attempt(s.vault, function, amount, s.alice, s.alice, sender=s.alice, unless=unless)
        assert s.share_price() >= before


def test_redeem__the_last_share__leaves_books_that_the_next_depositor_can_use(system: System) -> None:
    """EQ-58: exit fees of a vault that everyone left neither block nor rob the next depositor."""
    shares = system.deposit(system.alice, 1_000_000)
    system.vault.send("redeem", shares, system.alice, system.alice, sender=system.alice)
    assert system.vault.call("totalSupply") == 0
    left = system.balances()[-1]
    assert left > 0
    shares = system.deposit(system.bob, 10_000)
    worth = system.vault.call("convertToAssets", shares)
    assert worth >= 10_000e6 * (1 - 0.0005) - 1
    assert worth <= 10_000e6
