"""Deposits: prices, cap, mode, refusals."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.client.config import FeesConfig
from equipoise.errors import ContractRevert
from tests.fixtures.system import FUZZ, MAX, System

SHARE = 10**18


def test_deposit__first__mints_one_share_a_dollar_less_the_entry_fee(system: System) -> None:
    """EQ-60: 1,000 dollars at a 5 bp entry fee buy 999.5 shares."""
    assert system.deposit(system.alice, 1_000) == 999_500 * SHARE // 1_000
    assert system.balances()[-1] == 1_000_000_000


def test_deposit__with_a_basket__mints_at_the_ask(invested: System) -> None:
    """EQ-56: the newcomer pays 50 bp more than mid for the part that is not cash."""
    nav = invested.vault.call("nav")
    supply = invested.vault.call("totalSupply")
    basket = nav.mid - invested.balances()[-1]
    assert nav.ask == pytest.approx(nav.mid + basket * 0.005, abs=2)
    assert nav.bid == pytest.approx(nav.mid - basket * 0.005, abs=2)
    shares = invested.deposit(invested.bob, 10_000)
    assert shares == pytest.approx(10_000e6 * (1 - 0.0005) * supply / nav.ask, rel=1e-9)


def test_mint__exact_shares__takes_what_the_preview_said(invested: System) -> None:
    """EQ-55: mint and previewMint agree, and the receiver gets exactly the shares."""
    before = invested.cash_of(invested.bob)
    invested.vault.send("mint", 123 * SHARE, invested.bob, sender=invested.bob)
    paid = before - invested.cash_of(invested.bob)
    assert invested.shares(invested.bob) == 123 * SHARE
    assert paid == pytest.approx(123e6 * 1.0005 * invested.share_price() / SHARE, rel=0.006)


def test_deposit__zero__is_refused(invested: System) -> None:
    """EQ-60: no amount, no deposit."""
    invested.refuses(
        "RiskParityVault__ZeroAmount", invested.vault, "deposit", 0, invested.bob, sender=invested.bob
    )
    invested.refuses(
        "RiskParityVault__ZeroAmount", invested.vault, "mint", 0, invested.bob, sender=invested.bob
    )


def test_deposit__too_little_for_a_share__is_refused(invested: System) -> None:
    """EQ-60: a wei that the entry fee swallows would be a gift."""
    invested.refuses(
        "RiskParityVault__ZeroShares", invested.vault, "deposit", 1, invested.bob, sender=invested.bob
    )


def test_deposit__to_nobody__is_refused(invested: System) -> None:
    """EQ-60: the zero address holds no shares."""
    nobody = "0x" + "00" * 20
    for function in ("deposit", "mint"):
        invested.refuses("ERC20InvalidReceiver", invested.vault, function, 10**6, nobody, sender=invested.bob)


def test_deposit__above_the_cap__is_refused_with_the_room(invested: System) -> None:
    """EQ-60: the cap counts the NAV at mid."""
    invested.vault.send("setDepositCap", invested.units(150_000), sender=invested.owner)
    room = invested.vault.call("maxDeposit", invested.bob)
    assert room == invested.units(150_000) - invested.vault.call("totalAssets")
    revert = invested.refuses(
        "RiskParityVault__DepositCapExceeded",
        invested.vault,
        "deposit",
        room + 1,
        invested.bob,
        sender=invested.bob,
    )
    assert revert.arguments == (room + 1, room)
    invested.vault.send("deposit", room, invested.bob, sender=invested.bob)


def test_deposit__while_paused__is_refused(invested: System) -> None:
    """EQ-60: the guardian's pause closes the door."""
    invested.guard.send("pauseDeposits", sender=invested.guardian)
    for function, amount in (("deposit", 10**6), ("mint", SHARE)):
        invested.refuses(
            "RiskParityVault__DepositsClosed",
            invested.vault,
            function,
            amount,
            invested.bob,
            sender=invested.bob,
        )
    assert invested.vault.call("maxDeposit", invested.bob) == 0
    assert invested.vault.call("maxMint", invested.bob) == 0


def test_deposit__without_allowance__is_refused(invested: System) -> None:
    """EQ-60: nobody pays for another."""
    invested.cash.send("approve", invested.vault, 0, sender=invested.bob)
    invested.refuses(
        "ERC20InsufficientAllowance",
        invested.vault,
        "deposit",
        10**6,
        invested.bob,
        sender=invested.bob,
    )


def test_deposit__absurd_amount__reverts(invested: System) -> None:
    """EQ-60: no amount overflows the books; uint96 of cash is the end of them."""
    invested.vault.send("setDepositCap", 2**96 - 1, sender=invested.owner)
    for amount in (2**96, 2**128, MAX):
        with pytest.raises(ContractRevert):
            invested.vault.send("deposit", amount, invested.bob, sender=invested.bob)
        with pytest.raises(ContractRevert):
            invested.vault.send("mint", amount * SHARE % 2**256, invested.bob, sender=invested.bob)


def test_max_deposit__room_below_a_share__is_zero(invested: System) -> None:
    """EQ-55: what maxDeposit says is accepted, also when the cap leaves a single wei."""
    nav = invested.vault.call("totalAssets")
    invested.vault.send("setDepositCap", nav + 1, sender=invested.owner)
    assert invested.vault.call("maxDeposit", invested.bob) == 0
    assert invested.vault.call("maxMint", invested.bob) == 0


@FUZZ
@given(
    amount=st.integers(1, 10**12), earlier=st.integers(10**6, 10**12), fee=st.sampled_from([0, 0.0005, 0.01])
)
def test_deposit__any_amount__never_dilutes_the_others(
    system: System, amount: int, earlier: int, fee: float
) -> None:
    """EQ-58: the share price at mid never falls by a deposit."""
    with system.scenario():
        system.vault.send("setFees", FeesConfig(entry=fee).params(), system.treasury, sender=system.owner)
        system.vault.send("deposit", earlier, system.alice, sender=system.alice)
        system.rebalance()
        before = system.share_price()
        unless = ["RiskParityVault__ZeroShares"]
        system.attempt(system.vault, "deposit", amount, system.bob, sender=system.bob, unless=unless)
        assert system.share_price() >= before


@pytest.mark.parametrize("decimals", [0, 6, 8, 18])
def test_deposit__any_cash_decimals__prices_shares_alike(
    make_system: Callable[..., System], decimals: int
) -> None:
    """EQ-56: shares have twelve decimals more than the cash, whatever that has."""
    system = make_system(cash_decimals=decimals, fees=FeesConfig(0, 0))
    assert system.vault.call("decimals") == decimals + 12
    shares = system.deposit(system.alice, 1_000)
    assert shares == 1_000 * 10 ** (decimals + 12)
    assert system.share_price() == SHARE


def test_nav__cash_with_a_spread_of_its_own__counts_it_against_the_trader(
    make_system: Callable[..., System],
) -> None:
    """EQ-56: the basket is bought with cash at its bid and sold for cash at its ask; cash itself is cash."""
    s = make_system(cash_price=0.98, cash_spread_bps=30, half_spread_bps=70)
    s.deposit(s.alice, 100_000)
    s.rebalance()
    nav, cash = s.vault.call("nav"), s.balances()[-1]
    units = [10**d for d in s.decimals]
    basket = sum(b / u * s.price(i) for i, (b, u) in enumerate(zip(s.balances(), units, strict=False)))
    assert nav.mid == pytest.approx(cash + basket * 1e6 / 0.98, abs=2)
    assert nav.bid == pytest.approx(cash + basket * 1e6 * (1 - 0.007) / (0.98 * (1 + 0.003)), abs=2)
    assert nav.ask == pytest.approx(cash + basket * 1e6 * (1 + 0.007) / (0.98 * (1 - 0.003)), abs=3)
