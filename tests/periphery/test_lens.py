"""One call for a dashboard, in every mode."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from equipoise.units import WAD
from tests.fixtures.system import System


def test_dashboard__normal__tells_what_the_contracts_tell(invested: System) -> None:
    """EQ-112: every figure is the one of its own contract."""
    s = invested
    s.move([0.5, -0.3, 0.0])
    s.open()
    d = s.lens.call("dashboard", s.auction)
    assert d.mode == 0
    assert d.hasRisk
    assert d.auctionOpen
    assert d.totalAssets == s.vault.call("totalAssets")
    assert d.totalSupply == s.vault.call("totalSupply")
    assert d.sharePriceWad == s.share_price()
    assert d.highWaterMarkWad == s.vault.call("highWaterMarkWad")
    assert d.risk == s.auction.call("riskState")
    assert d.auction == s.auction.call("current")
    assert d.curveWad == s.auction.call("curveWad", d.timestamp)
    assert (d.lossUsedWad, d.lossBudgetWad) == tuple(s.auction.call("lossBudget"))
    assert [d.tokens, d.balances] == [list(x) for x in s.vault.call("holdings")]
    assert sum(d.weightsWad) == pytest.approx(WAD, abs=10)
    assert d.pricesWad == [round(s.price(i) * 1e8) * 10**10 for i in range(3)] + [WAD]
    assert d.volatilitiesWad == [round(v * 1e8) * 10**10 for v in s.vols]
    assert sum(d.budgetsWad) == WAD


def test_dashboard__dead_price__tells_the_rest(invested: System) -> None:
    """EQ-112: InKindOnly: faults, ages and balances, and zeros for what cannot be known."""
    s = invested
    s.feeds[1].send("set", 0, 0, sender=s.keeper)
    d = s.lens.call("dashboard", s.auction)
    assert (d.mode, d.faults, d.navWad, d.hasRisk) == (3, [0, 3, 0, 0], 0, False)
    assert d.balances == s.balances()
    assert d.volatilitiesAge < 10_000


def test_dashboard__before_anything__answers(make_system: Callable[..., System]) -> None:
    """EQ-112: no report, no deposit, no auction."""
    s = make_system(reports=False)
    d = s.lens.call("dashboard", s.auction)
    assert (d.mode, d.totalSupply, d.hasRisk, d.auctionOpen) == (1, 0, False, False)
    assert d.volatilitiesAge == d.correlationsAge == 2**256 - 1


@pytest.mark.parametrize("hours", [40, 100, 10_000])
def test_dashboard__stale_reports__answers(invested: System, hours: int) -> None:
    """EQ-112: NoIncrease and DeleverOnly."""
    invested.warp(hours * 3_600)
    d = invested.lens.call("dashboard", invested.auction)
    assert d.mode == (1 if hours == 40 else 2)
    assert d.hasRisk
    assert d.volatilitiesAge >= hours * 3_600


def test_dashboard__everyone_left__answers(invested: System) -> None:
    """EQ-112: shares gone, dust in the books."""
    s = invested
    s.vault.send("redeemInKind", s.shares(s.alice), s.alice, s.alice, [], sender=s.alice)
    d = s.lens.call("dashboard", s.auction)
    assert d.totalSupply == 0
    assert d.navWad > 0
