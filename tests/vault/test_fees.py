"""Entry, exit, management and performance fees, and the high-water mark."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.client.config import FeesConfig
from equipoise.units import YEAR
from tests.fixtures.system import FUZZ, System

SHARE = 10**18
WAD = 10**18


def set_fees(system: System, **fees: float) -> Any:
    params = FeesConfig(**{"entry": 0, "exit": 0, **fees}).params()
    return system.vault.send("setFees", params, system.treasury, sender=system.owner)


@pytest.mark.parametrize(
    ("name", "cap"), [("entry", 0.01), ("exit", 0.01), ("management", 0.02), ("performance", 0.2)]
)
def test_set_fees__above_its_hard_cap__is_refused(system: System, name: str, cap: float) -> None:
    """EQ-53: the owner cannot pass the caps; the caps themselves are accepted."""
    set_fees(system, **{name: cap})
    fees = list(FeesConfig(0, 0, 0, 0).params())
    index = ["entry", "exit", "management", "performance"].index(name)
    fees[index] = round(cap * WAD) + 1
    revert = system.refuses(
        "ParameterOutOfRange", system.vault, "setFees", fees, system.treasury, sender=system.owner
    )
    assert revert.arguments[1:] == (round(cap * WAD) + 1, 0, round(cap * WAD))


def test_set_fees__no_recipient_or_not_the_owner__is_refused(system: System) -> None:
    """EQ-53: a fee goes to somebody, by the owner's word."""
    fees, nobody = FeesConfig().params(), "0x" + "00" * 20
    v = system.vault
    system.refuses("RiskParityVault__ZeroAddress", v, "setFees", fees, nobody, sender=system.owner)
    for sender in (system.guardian, system.mallory):
        system.refuses("OwnableUnauthorizedAccount", v, "setFees", fees, sender, sender=sender)


def test_management_fee__a_year__is_its_rate_of_the_vault(system: System) -> None:
    """EQ-53: after a year at 2 % the recipient owns 2 % of all shares."""
    set_fees(system, management=0.02)
    system.deposit(system.alice, 1_000)
    system.warp(YEAR - 1)
    system.vault.send("accrueFees", sender=system.mallory)
    share = system.shares(system.treasury) / system.vault.call("totalSupply")
    assert share == pytest.approx(0.02, rel=1e-6)
    assert system.balances()[-1] == 1_000_000_000


def test_fees_accrued__tells_each_fee_apart(system: System) -> None:
    """EQ-53: the management fee first, as its name in the event says."""
    set_fees(system, management=0.02)
    system.deposit(system.alice, 1_000)
    system.warp(YEAR)
    receipt = system.vault.send("accrueFees", sender=system.mallory)
    (event,) = system.vault.events(receipt, "FeesAccrued")
    assert event.managementShares == system.shares(system.treasury) > 0
    assert event.performanceShares == 0


def test_management_fee__accrued_daily__is_no_more_than_accrued_once(system: System) -> None:
    """EQ-53: calling often gains the recipient nothing to speak of, and never more than the rate."""
    set_fees(system, management=0.02)
    system.deposit(system.alice, 1_000)
    for _ in range(50):
        system.warp(YEAR // 50)
        system.vault.send("accrueFees", sender=system.mallory)
    share = system.shares(system.treasury) / system.vault.call("totalSupply")
    assert 0.0195 < share < 0.02 * (1 + 1e-5)


def test_management_fee__a_century_unclaimed__leaves_the_holders_half(system: System) -> None:
    """EQ-53: nor does silence eat the vault."""
    set_fees(system, management=0.02)
    system.deposit(system.alice, 1_000)
    system.warp(100 * YEAR)
    args = (10**6, system.alice, system.alice, [])
    system.vault.send("redeemInKind", *args, sender=system.alice)
    assert system.shares(system.treasury) <= system.vault.call("totalSupply") // 2 + 10**6


def test_management_fee__years_without_holders__charges_the_next_nothing(system: System) -> None:
    """EQ-53: time without shares owes no fee."""
    set_fees(system, management=0.02)
    system.warp(5 * YEAR)
    system.post_reports()
    shares = system.deposit(system.alice, 1_000)
    assert system.vault.call("convertToAssets", shares) >= 1_000_000_000 - 1


def test_performance_fee__gain__is_its_part_of_the_gain(invested: System) -> None:
    """EQ-53: of a gain of g per share the recipient owns 20 %."""
    set_fees(invested, performance=0.2)
    before = invested.vault.call("totalAssets")
    invested.move([0.2, 0.2, 0.2])
    gain = invested.vault.call("totalAssets") - before
    invested.vault.send("accrueFees", sender=invested.mallory)
    worth = invested.vault.call("convertToAssets", invested.shares(invested.treasury))
    assert worth == pytest.approx(0.2 * gain, rel=1e-3)


def test_performance_fee__fall_and_recovery__is_not_due_again(invested: System) -> None:
    """EQ-53: the mark never falls, and below it nothing is due."""
    set_fees(invested, performance=0.2)
    marks = []
    for change in (0.2, -0.3, 0.2, 0.1):
        invested.move([change] * 3)
        invested.vault.send("accrueFees", sender=invested.mallory)
        marks.append(invested.vault.call("highWaterMarkWad"))
        if change == 0.2 and len(marks) == 1:
            paid = invested.shares(invested.treasury)
    assert marks == [marks[0]] * 4
    assert invested.shares(invested.treasury) == paid
    invested.move([0.3] * 3)
    invested.vault.send("accrueFees", sender=invested.mallory)
    assert invested.vault.call("highWaterMarkWad") > marks[0]
    assert invested.shares(invested.treasury) > paid


def test_set_fees__first_performance_fee__owes_nothing_for_gains_before_it(
    invested: System,
) -> None:
    """EQ-53: a fee switched on later starts from the price of that moment."""
    invested.move([0.5, 0.5, 0.5])
    set_fees(invested, performance=0.2)
    invested.vault.send("accrueFees", sender=invested.mallory)
    assert invested.shares(invested.treasury) == 0
    assert invested.vault.call("highWaterMarkWad") == invested.share_price()


def test_set_fees__new_recipient__the_old_one_keeps_what_it_earned(system: System) -> None:
    """EQ-53: fees are accrued under the old rules before the new ones hold."""
    set_fees(system, management=0.02)
    system.deposit(system.alice, 1_000)
    system.warp(YEAR)
    system.vault.send("setFees", FeesConfig(0, 0).params(), system.bob, sender=system.owner)
    assert system.shares(system.treasury) > 0
    system.warp(YEAR)
    system.vault.send("accrueFees", sender=system.bob)
    assert system.shares(system.bob) == 0


@pytest.mark.parametrize("usd", [1_000, 1_000_000, 9_900_000])
def test_fees__left_vault__next_depositor_owes_no_performance_fee(system: System, usd: float) -> None:
    """EQ-53: the exit fees of those who left lift the price of nothing; nobody's gain, nobody's fee."""
    set_fees(system, exit=0.01, performance=0.2)
    shares = system.deposit(system.alice, usd)
    system.vault.send("redeem", shares, system.alice, system.alice, sender=system.alice)
    shares = system.deposit(system.bob, 1_000)
    for _ in range(3):
        system.vault.send("accrueFees", sender=system.mallory)
    worth = system.vault.call("convertToAssets", system.shares(system.treasury))
    assert worth <= 1
    assert system.vault.call("convertToAssets", shares) >= 1_000_000_000 - 2


@FUZZ
@given(moves=st.lists(st.floats(-0.5, 0.8), min_size=1, max_size=5))
def test_performance_fee__any_path__never_falls_mark_and_never_exceeds_its_part(
    invested: System, moves: list[float]
) -> None:
    """EQ-53: each accrual takes at most 20 % of what lies above the mark, and nothing below it."""
    s = invested
    with s.scenario():
        set_fees(s, performance=0.2)
        for move in moves:
            s.move([move] * 3)
            supply, mark = s.vault.call("totalSupply"), s.vault.call("highWaterMarkWad")
            price = s.vault.call("totalAssets") * 10**30 // supply
            s.vault.send("accrueFees", sender=s.mallory)
            after = s.vault.call("totalSupply")
            assert (after - supply) / after <= 0.2 * max(price - mark, 0) / price + 1e-9
            assert s.vault.call("highWaterMarkWad") >= mark


def test_exit_fee__in_cash_and_in_kind__stays_in_the_vault(make_system: Callable[..., System]) -> None:
    """EQ-53: entry and exit fees go to the other holders, not to the recipient."""
    s = make_system(fees=FeesConfig(0.01, 0.01))
    s.deposit(s.alice, 1_000)
    shares = s.deposit(s.bob, 1_000)
    assert s.share_price() > WAD
    s.vault.send("redeem", shares // 2, s.bob, s.bob, sender=s.bob)
    s.vault.send("redeemInKind", s.shares(s.bob), s.bob, s.bob, [], sender=s.bob)
    assert s.shares(s.treasury) == 0
    worth = s.vault.call("convertToAssets", s.shares(s.alice))
    assert worth == pytest.approx(s.vault.call("totalAssets"), abs=1)
    assert worth > 1_010e6
