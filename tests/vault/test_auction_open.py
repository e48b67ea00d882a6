"""Opening an auction: when, and towards what."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.client.config import AuctionConfig
from equipoise.policy.parity import parity_gap, portfolio_volatility, risk_shares, target_exposures
from equipoise.solver.parity import solve_parity
from equipoise.units import WAD, unpack_word8
from tests.fixtures.system import FUZZ, System

NONE, PARITY_GAP, TOO_LOW, TOO_HIGH = range(4)


def test_open__all_in_cash__aims_at_the_targets(system: System) -> None:
    """EQ-81: the snapshot is sigma* x / sigma of the reports, as the Python package computes it."""
    s = system
    s.deposit(s.alice, 100_000)
    s.open()
    snapshot = unpack_word8(s.auction.call("current").targets, s.n)
    coordinates = solve_parity(s.correlation, np.full(s.n, 1 / s.n)).coordinates
    expected = target_exposures(coordinates, s.vols, 0.15, 0.98)
    assert snapshot == pytest.approx(expected, rel=2e-5)


def test_open__in_course__is_refused_until_the_end(system: System) -> None:
    """EQ-80: one auction at a time; its last second is still its own."""
    s = system
    s.deposit(s.alice, 100_000)
    s.open()
    ends_at = s.auction.call("current").endsAt
    s.warp(ends_at - s.now() - 1)
    s.refuses("RebalanceAuction__AlreadyOpen", s.auction, "open", sender=s.mallory)
    assert s.open() == 2


def test_open__within_the_bands__is_refused(invested: System) -> None:
    """EQ-80: nobody can spam auctions while risk is where it belongs."""
    revert = invested.refuses(
        "RebalanceAuction__WithinBands", invested.auction, "open", sender=invested.mallory
    )
    gap, band = revert.arguments[:2]
    assert gap <= band == 0.03 * WAD


def test_open__no_reports__is_refused(make_system: Callable[..., System]) -> None:
    """EQ-80: without reports there is no target; nor with cleared coordinates."""
    s = make_system(reports=False)
    s.deposit(s.alice, 1_000)
    s.refuses("RebalanceAuction__NoReports", s.auction, "open", sender=s.keeper)
    s.refuses("RebalanceAuction__NoReports", s.auction, "targetExposures", sender=s.keeper)
    s.post_volatilities()
    s.refuses("RebalanceAuction__NoReports", s.auction, "open", sender=s.keeper)
    s.refuses("RebalanceAuction__NoReports", s.auction, "targetExposures", sender=s.keeper)
    s.post_correlations()
    s.open()


def test_open__empty_vault__is_refused(system: System) -> None:
    """EQ-80: nothing to rebalance."""
    system.refuses("RebalanceAuction__EmptyVault", system.auction, "open", sender=system.keeper)


def test_open__dead_price__is_refused(invested: System) -> None:
    """EQ-80: no price, no risk."""
    invested.kill_feeds()
    invested.refuses("PriceOracle__FeedFailed", invested.auction, "open", sender=invested.keeper)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda s: s.move([0.3, -0.3, 0]), PARITY_GAP),
        (lambda s: s.post_volatilities([v * 1.2 for v in s.vols]), TOO_HIGH),
        (lambda s: (s.warp(86_400), s.post_volatilities([v * 0.85 for v in s.vols])), TOO_LOW),
        (lambda s: s.deposit(s.bob, 20_000), TOO_LOW),
    ],
    ids=["prices", "volatility up", "volatility down", "new cash"],
)
def test_open__band_left__says_why(invested: System, change: Callable[[System], object], reason: int) -> None:
    """EQ-80: each band opens by itself."""
    change(invested)
    receipt = invested.auction.send("open", sender=invested.mallory)
    opened = invested.auction.events(receipt, "AuctionOpened")[0]
    assert opened.reason == reason
    assert opened.opener.lower() == invested.mallory


@FUZZ
@given(moves=st.lists(st.floats(-0.6, 1.5), min_size=3, max_size=3), rho=st.floats(-0.3, 0.9))
def test_risk_state__any_prices__is_what_the_python_package_says(
    invested: System, moves: list[float], rho: float
) -> None:
    """EQ-81: shares, gap and volatility of what is really held, against the floats."""
    s = invested
    with s.scenario():
        correlation = np.full((3, 3), rho) + (1 - rho) * np.eye(3)
        s.warp(10)
        s.post_correlations(correlation)
        s.move(moves)
        state = s.auction.call("riskState")
        prices = [s.price(i) for i in range(3)]
        values = [b / 10**d * p for b, d, p in zip(s.balances(), s.decimals, prices, strict=False)]
        exposures = np.array(values) / (sum(values) + s.balances()[-1] / 10**6)
        assert np.array(state.exposuresWad) / WAD == pytest.approx(exposures, abs=1e-6)
        shares = risk_shares(exposures, s.vols, correlation)
        assert np.array(state.sharesWad) / WAD == pytest.approx(shares, abs=2e-4)
        gap = parity_gap(exposures, s.vols, correlation, [1 / 3] * 3)
        assert state.parityGapWad / WAD == pytest.approx(gap, abs=2e-4)
        assert state.volatilityWad / WAD == pytest.approx(
            portfolio_volatility(exposures, s.vols, correlation), rel=1e-4
        )


@FUZZ
@given(
    vols=st.lists(st.floats(0.81, 30), min_size=3, max_size=3),
    rho=st.floats(-0.4, 0.95),
    target=st.sampled_from([0.01, 0.15, 1.0]),
    leverage=st.sampled_from([0.1, 0.98, 1.0]),
)
def test_target_exposures__any_report__sum_to_at_most_max_leverage(
    system: System, vols: list[float], rho: float, target: float, leverage: float
) -> None:
    """EQ-81: without a lending account the sum of the targets never passes the cap."""
    s = system
    with s.scenario():
        config = AuctionConfig(target_volatility=target, max_leverage=leverage)
        s.auction.send("setParams", config.params(), sender=s.owner)
        s.warp(10)
        s.post_correlations(np.full((3, 3), rho) + (1 - rho) * np.eye(3))
        s.post_volatilities(vols)
        found = s.auction.call("targetExposures")
        assert sum(found.targetsWad) == found.leverageWad <= leverage * WAD
        assert found.targetVolatilityWad <= target * WAD


RANGES = {
    "target_volatility": (0.01, 1),
    "max_leverage": (0.1, 1),
    "parity_band": (0.001, 0.2),
    "volatility_band": (0.01, 0.5),
    "start_premium": (0, 0.05),
    "end_discount": (0, 0.02),
    "loss_budget": (0.0001, 0.02),
    "cash_buffer": (0, 0.1),
    "max_borrow_rate": (0, 1),
    "ripcord_discount": (0.005, 0.04),
    "ripcord_duration": (60, 3_600),
    "duration": (60, 86_400),
}


@pytest.mark.parametrize("name", RANGES)
def test_set_params__outside_its_range__is_refused(system: System, name: str) -> None:
    """EQ-87: both ends are accepted, a step beyond neither."""
    s, index = system, list(RANGES).index(name)
    for end, step in zip(RANGES[name], (-1, 1), strict=True):
        params = list(AuctionConfig(**{**asdict(AuctionConfig()), name: end}).params())
        s.auction.send("setParams", params, sender=s.owner)
        params[index] += step
        if params[index] >= 0:
            s.refuses("ParameterOutOfRange", s.auction, "setParams", params, sender=s.owner)


def test_set_params__not_the_owner__is_refused(system: System) -> None:
    """EQ-87: nor the guardian, where it is no tightening."""
    params = AuctionConfig(target_volatility=0.2).params()
    for sender in (system.guardian, system.mallory):
        system.refuses("OwnableUnauthorizedAccount", system.auction, "setParams", params, sender=sender)
