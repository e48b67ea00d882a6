"""The chores that anybody may do, and what each refusal says."""

from __future__ import annotations

import pytest

from equipoise.client.upkeep import Upkeep
from equipoise.client.venue import foreign_collateral
from equipoise.errors import InputError
from tests.fixtures.levered import Levered
from tests.fixtures.system import System

DAY = 86_400


def anybody(s: System) -> Upkeep:
    return Upkeep(s.contracts, s.mallory)


def test_poke__due_and_too_early__does_it_or_says_when(invested: System) -> None:
    invested.warp(2 * 3_600)
    assert "poke" in anybody(invested).poke()
    with pytest.raises(InputError, match=r"poke is due in \d+ min"):
        anybody(invested).poke()


def test_open__band_left_in_course_and_within__each_in_words(system: System) -> None:
    with pytest.raises(InputError, match="nothing of value"):
        anybody(system).open()
    system.deposit(system.alice, 100_000)
    assert anybody(system).open() == 1
    with pytest.raises(InputError, match=r"no\. 1 is in course for another 30 min: ape run keep fill"):
        anybody(system).open()
    system.to_curve(1.0)
    system.fill_all()
    system.warp(3_600)
    with pytest.raises(InputError, match=r"no band is left: parity gap \d\.\d% of 3\.0%"):
        anybody(system).open()


def test_open__no_report__says_what_is_missing(make_system: object) -> None:
    s = make_system(reports=False)  # type: ignore[operator]
    with pytest.raises(InputError, match="no report"):
        anybody(s).open()


def test_ripcord__not_due__tells_the_health_factor(levered: Levered) -> None:
    with pytest.raises(InputError, match=r"health factor is 1\.\d+, the ripcord is for less than 1\.30"):
        anybody(levered).ripcord()


def test_ripcord__below_the_trigger__is_pulled_and_filled_by_the_pools(levered: Levered) -> None:
    """EQ-133: without a keeper and without capital, the health factor is back at its target."""
    levered.crash(-0.22)
    levered.world.align_pools()  # type: ignore[union-attr]
    upkeep = anybody(levered)
    assert levered.health() < 1.3
    assert upkeep.ripcord() == 2
    with pytest.raises(InputError, match="no pool pays at"):
        upkeep.fill()
    levered.warp(600)
    (filled,) = upkeep.fill()
    assert filled.profit > 0
    assert levered.health() > 1.59  # and more, by the idle cash that repays with it


def test_fill__ripcord_with_a_paused_reserve__sells_the_others(levered: Levered) -> None:
    """EQ-133: one token that Aave does not let out keeps no other from being sold."""
    levered.crash(-0.22)
    levered.pools_follow()
    levered.aave.pause("ETH")
    upkeep = anybody(levered)
    upkeep.ripcord()
    levered.warp(600)
    before = levered.health()
    assert [lot.words for lot in upkeep.fill()] == ["BTC, SPX sold for debt"]
    assert levered.health() > before + 0.1


def test_fill__auction__takes_every_lot_that_pays(lending: Levered) -> None:
    lending.deposit(lending.alice, 100_000)
    upkeep = anybody(lending)
    with pytest.raises(InputError, match="no auction is in course"):
        upkeep.fill()
    upkeep.open()
    lending.to_curve(0.9992)  # two pools take 0.05 %, the third 0.3 %
    assert [lot.words for lot in upkeep.fill()] == ["BTC bought", "ETH bought"]
    with pytest.raises(InputError, match="no pool pays"):
        upkeep.fill()
    lending.to_curve(0.9965)
    assert [lot.words for lot in upkeep.fill()] == ["SPX bought"]
    assert lending.leverage() > 1.5


def test_coordinates__cleared_and_in_place__solves_or_says_so(system: System) -> None:
    upkeep = anybody(system)
    with pytest.raises(InputError, match="are in place"):
        upkeep.coordinates()
    budgets = 2 * 10**7 | (3 * 10**7) << 32 | (5 * 10**7) << 64
    system.volatility_oracle.send("setBudgets", budgets, sender=system.owner)
    upkeep.coordinates()
    assert system.volatility_oracle.call("reportTimes").hasCoordinates


def test_activate__proposed_signer__after_its_delay_only(system: System) -> None:
    upkeep, oracle = anybody(system), system.volatility_oracle
    with pytest.raises(InputError, match="is not proposed"):
        upkeep.activate(system.bob)
    oracle.send("proposeSigner", system.bob, "0x" + "0" * 40, 3, sender=system.owner)
    with pytest.raises(InputError, match="may be activated in 48 h"):
        upkeep.activate(system.bob)
    system.warp(2 * DAY)
    upkeep.activate(system.bob)
    assert oracle.call("isSigner", system.bob)


def test_accrue__fees_due__mints_them(invested: System) -> None:
    fees = (0, 0, 2 * 10**16, 0)
    invested.vault.send("setFees", fees, invested.treasury, sender=invested.owner)
    invested.warp(30 * DAY)
    invested.set_price(0, invested.price(0))
    anybody(invested).accrue()
    assert invested.shares(invested.treasury) > 0


def test_collateral__of_a_basket_or_given__is_dropped_or_says_why_not(
    levered: Levered, system: System
) -> None:
    """EQ-126: by its symbol or its address; what backs the debt stays."""
    upkeep, pledge = anybody(levered), levered.aave.tokens["PLEDGE"].address
    with pytest.raises(InputError, match=r"BTC: .*NotZeroLtv.*; nothing was sent"):
        upkeep.collateral("BTC", use=False)
    with pytest.raises(
        InputError, match=r"'PLEDGE' is neither in the basket \(BTC, ETH, SPX\) nor an address"
    ):
        upkeep.collateral("PLEDGE", use=False)
    levered.aave.a_tokens["PLEDGE"].send("transfer", levered.account, 1, sender=levered.aave.borrower)
    assert foreign_collateral(levered.contracts) == [pledge]
    upkeep.collateral(pledge.lower(), use=False)
    assert foreign_collateral(levered.contracts) == []
    with pytest.raises(InputError, match="NotHeld"):
        upkeep.collateral(pledge, use=True)
    assert foreign_collateral(system.contracts) == []
    with pytest.raises(InputError, match="does not borrow"):
        anybody(system).collateral("TOK0", use=False)
