"""What the chain itself saw: estimator, spacing, bad prints, warm-up, and how it holds reports up."""

from __future__ import annotations

from collections.abc import Callable
from math import exp, inf, log, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.client.artifacts import load_artifact
from equipoise.client.config import RealizedConfig
from equipoise.client.contract import Contract, create
from equipoise.errors import ContractRevert
from equipoise.units import DAY, WAD, YEAR, to_wad
from tests.fixtures.system import FUZZ, System

ALL = 2**256 - 1
HOUR = 3600
HALF_LIFE = RealizedConfig().half_life
NOBODY = "0x" + "0" * 40


class Reference:
    """The same estimator in floats, prices one behind, without the spike filter."""

    def __init__(self, at: int, price: float) -> None:
        self.sum, self.weight = 0.0, 0.0
        self.prints = [(at, log(price))]

    def add(self, at: int, price: float) -> None:
        self.prints.append((at, log(price)))
        if len(self.prints) < 3:
            return
        (t0, a), (t1, b) = self.prints[-3:-1]
        kept = 2 ** (-min(t1 - t0, DAY) / HALF_LIFE)
        self.sum = kept * self.sum + (1 - kept) * (b - a) ** 2 * YEAR / (t1 - t0)
        self.weight = kept * self.weight + 1 - kept

    @property
    def vol(self) -> float:
        return sqrt(self.sum / self.weight) if self.weight else 0.0


def poke(s: System, elapsed: int = HOUR + 2) -> int:
    """The time of a poke, that many seconds after the last block."""
    s.warp(max(1, elapsed - 1))
    return int(s.realized_volatility.send("poke", sender=s.mallory).timestamp)


def vol(s: System, index: int = 0) -> float:
    """Whether warm or not."""
    return (s.realized_volatility.call("rawVolatilities") >> 32 * index & 0xFFFFFFFF) / 1e8


def floor_of(s: System, index: int = 0) -> int:
    """Lane of a warm series, else 0."""
    return int(s.realized_volatility.call("floors").volatilities >> 32 * index & 0xFFFFFFFF)


def walk(s: System, sigma: float, count: int, seed: int = 1, spacing: int = DAY // 2, index: int = 0) -> None:
    """A random walk of one asset's price, poked at each step; the others stand still."""
    rng = np.random.default_rng(seed)
    price = s.price(index)
    for shock in rng.standard_normal(count):
        price *= exp(sigma * sqrt(spacing / YEAR) * shock)
        s.set_price(index, price)
        poke(s, spacing)


@pytest.fixture
def quiet(system: System) -> System:
    """Reports stay usable however long the pokes go on."""
    s = system
    s.volatility_oracle.send("setParams", (DAY, *params_tail(s)), sender=s.owner)
    return s


def params_tail(s: System) -> tuple[int, ...]:
    return tuple(s.volatility_oracle.call("params"))[1:]


STEPS = st.lists(st.tuples(st.integers(HOUR + 2, 4 * DAY), st.floats(-0.05, 0.05)), min_size=5, max_size=25)


@FUZZ
@given(steps=STEPS)
def test_poke__at_any_times__is_the_decayed_mean(system: System, steps: list[tuple[int, float]]) -> None:
    """EQ-140: r^2 year / t, decayed by elapsed time: spacing changes the weights and nothing else."""
    with system.scenario() as s:
        price = s.price(0)
        reference = Reference(s.realized_volatility.call("clock").settledAt, price)
        for elapsed, change in steps:
            price = round(price * exp(change) * 10**8) / 10**8
            s.set_price(0, price)
            reference.add(poke(s, elapsed), price)
        # six standard deviations of 100 % over the shortest interval here are 6.4 %: nothing was a spike
        assert vol(s) == pytest.approx(reference.vol, rel=1e-4, abs=1e-5)
        assert s.realized_volatility.call("clock").weight / 1e9 == pytest.approx(reference.weight, rel=1e-6)


@pytest.mark.parametrize("spacing", [HOUR + 2, DAY // 4, 2 * DAY])
def test_poke__of_a_random_walk__finds_its_volatility(system: System, spacing: int) -> None:
    """EQ-140: whatever the spacing; 200 returns leave a standard error of 5 to 10 %."""
    walk(system, 0.8, 200, spacing=spacing)
    assert vol(system) == pytest.approx(0.8, rel=0.3)


def test_poke__before_its_interval__is_refused(system: System) -> None:
    """EQ-141: nobody can make noise count more by poking fast."""
    s = system
    at = poke(s)
    assert s.realized_volatility.call("dueAt").pokeAt == at + HOUR
    revert = s.refuses("RealizedVolatility__TooEarly", s.realized_volatility, "poke", sender=s.mallory)
    assert revert.arguments[0] == at + HOUR
    s.warp(HOUR)
    s.realized_volatility.send("poke", sender=s.mallory)


def test_poke__a_dead_feed__stops_no_other_and_catches_up(system: System) -> None:
    """EQ-141: an asset without a usable price stands still; its whole move counts when it is back."""
    s = system
    rng = np.random.default_rng(11)
    shocks = rng.standard_normal(60) * 0.8 * sqrt(DAY / 2 / YEAR)

    def run(dead: range) -> tuple[float, float]:
        with s.scenario():
            prices = [s.price(0), s.price(1)]
            for k, shock in enumerate(shocks):
                prices = [p * exp(shock) for p in prices]
                for i, price in enumerate(prices):
                    s.set_price(i, price)
                s.feeds[1].send("setBehaviour", int(k in dead), b"", sender=s.keeper)
                receipt = s.realized_volatility
                s.warp(DAY // 2 - 10)
                receipt = s.realized_volatility.send("poke", sender=s.mallory)
                used = s.realized_volatility.events(receipt, "Poked")[0].used
                assert used == (0b101 if k in dead else 0b111)
            return vol(s, 0), vol(s, 1)

    alive, back = run(range(20, 24))
    assert alive == run(range(0))[0]
    assert back == pytest.approx(alive, rel=0.25)
    assert back != alive


@FUZZ
@given(size=st.floats(0.02, 8), sign=st.sampled_from([-1, 1]), at=st.integers(2, 58))
def test_poke__one_bad_print_of_any_size__leaves_no_trace(
    system: System, size: float, sign: int, at: int
) -> None:
    """EQ-142: a price a thousand times off for one print moves the volatility less than a good one."""
    rng = np.random.default_rng(7)
    shocks = rng.standard_normal(60) * 0.6 * sqrt(HOUR / YEAR)

    def run(bad: int | None) -> float:
        with system.scenario() as s:
            price = s.price(0)
            for k, shock in enumerate(shocks):
                price *= exp(shock)
                s.set_price(0, price * exp(sign * size) if k == bad else price)
                poke(s)
            return vol(s)

    clean = run(None)
    # below six standard deviations (4 % at 60 % an hour) it is no spike, and counts as the two returns it is
    allowed = 0.12 if size > 0.07 else inf
    assert abs(run(at) / clean - 1) < allowed


def test_poke__a_fall_that_stays__counts_in_full(system: System) -> None:
    """EQ-142: the control: a crash is no bad print; it counts one print later."""
    s = system
    walk(s, 0.3, 40)
    before = vol(s)
    s.set_price(0, s.price(0) * 0.6)
    poke(s, DAY // 2)
    assert vol(s) < 1.3 * before
    poke(s, DAY // 2)
    assert vol(s) > 3 * before


def test_floors__before_the_warm_up__are_zero(system: System) -> None:
    """EQ-143: half a half-life's worth of returns before anything counts, however long that takes."""
    s = system
    seen = []
    for _ in range(14):
        s.set_price(0, s.price(0) * 1.02)
        poke(s, DAY)
        warm = s.realized_volatility.call("clock").weight >= 5 * 10**8
        assert warm == (floor_of(s) > 0)
        seen.append(warm)
    assert not seen[5]
    assert seen[-1]


def test_floors__after_a_long_silence__still_hold(system: System) -> None:
    """EQ-143: nobody poked for two months: the floor stands, and one return weighs a day's."""
    s = system
    walk(s, 0.8, 40)
    known, weight = floor_of(s), s.realized_volatility.call("clock").weight
    s.warp(60 * DAY)
    assert floor_of(s) == known
    for _ in range(2):
        poke(s)
    assert floor_of(s) > 0.9 * known
    assert s.realized_volatility.call("clock").weight > weight


def test_exposures__reported_below_the_floor__use_the_floor(quiet: System) -> None:
    """EQ-144: targets, portfolio volatility and dashboard see max(reported, 0.7 x realised)."""
    s = quiet
    walk(s, 1.5, 40)
    realised = floor_of(s)
    s.post_volatilities([0.2, 0.6, 0.2])
    floor = -(-realised * 7 // 10)
    assert floor > 0.5 * 10**8
    for data in (s.volatility_oracle.call("exposureData"), s.volatility_oracle.call("riskData")):
        assert data.vols & 0xFFFFFFFF == floor
        assert data.vols >> 32 & 0xFFFFFFFF == 6 * 10**7
    assert s.volatility_oracle.call("reportedVolatilities") & 0xFFFFFFFF == 2 * 10**7
    board = s.lens.call("dashboard", s.auction)
    assert (board.volatilitiesWad[0], board.reportedWad[0]) == (floor * 10**10, 2 * 10**17)
    assert board.realizedWad[0] == realised * 10**10
    targets = s.auction.call("targetExposures").targetsWad
    s.post_volatilities([2.5, 0.6, 0.2])
    assert s.auction.call("targetExposures").targetsWad[0] < targets[0]
    assert s.volatility_oracle.call("exposureData").vols & 0xFFFFFFFF == 25 * 10**7


def correlated_walk(s: System, matrix: np.ndarray, days: int, vols: list[float], seed: int = 3) -> None:
    """Daily prices of all assets with these correlations; assets poked twice a day, the portfolio daily."""
    rng = np.random.default_rng(seed)
    root = np.linalg.cholesky(matrix)
    prices = np.array([s.price(i) for i in range(s.n)])
    for _ in range(days):
        for _ in range(2):
            prices = prices * np.exp(
                root @ rng.standard_normal(s.n) * np.array(vols) * sqrt(0.5 * DAY / YEAR)
            )
            for i, price in enumerate(prices):
                s.set_price(i, float(price))
            poke(s, DAY // 2)
        too_early = ["RealizedVolatility__TooEarly"]
        s.attempt(s.realized_volatility, "pokeParity", sender=s.mallory, unless=too_early)


@pytest.mark.parametrize(
    ("truth", "low", "high"), [(0.5, 0.75, 1.35), (0.9, 1.25, 2.2)], ids=["as reported", "far above"]
)
def test_poke_parity__correlations__are_told_from_false_ones(
    quiet: System, truth: float, low: float, high: float
) -> None:
    """EQ-145: signed as 0.5 and true, the ratio is about one; signed as -0.1 and truly 0.9, far above."""
    s = quiet
    claimed = 0.5 if truth == 0.5 else -0.1
    s.post_correlations(np.full((3, 3), claimed) + (1 - claimed) * np.eye(3))
    correlated_walk(s, np.full((3, 3), truth) + (1 - truth) * np.eye(3), 45, s.vols)
    ratio = s.realized_volatility.call("floors")[1] / WAD
    assert low < ratio < high
    assert s.lens.call("dashboard", s.auction).parityRatioWad == pytest.approx(ratio * WAD)


def test_poke_parity__a_feed_wrong_for_days__is_capped(quiet: System) -> None:
    """EQ-145: one return counts ten standard deviations at most, and the ratio never exceeds ten."""
    s = quiet
    correlated_walk(s, np.full((3, 3), 0.5) + 0.5 * np.eye(3), 20, s.vols)
    usual = s.price(0)
    s.set_price(0, usual * 50)
    for _ in range(3):
        poke(s, DAY // 2)
    s.realized_volatility.send("pokeParity", sender=s.mallory)
    weight = 1 - 2 ** (-DAY / HALF_LIFE)
    ratio = s.realized_volatility.call("clock").parityRatio / 1e8
    assert 2 < ratio <= sqrt(1.5**2 + 100 * weight / 0.7)


def test_exposures__with_false_correlations__shrink_together(quiet: System) -> None:
    """EQ-146: all targets are divided by 0.7 x ratio, so shares of risk hold and the portfolio does not."""
    s = quiet
    s.post_correlations(np.full((3, 3), -0.3) + 1.3 * np.eye(3))
    honest = s.auction.call("targetExposures").targetsWad
    correlated_walk(s, np.full((3, 3), 0.95) + 0.05 * np.eye(3), 45, s.vols)
    ratio = s.realized_volatility.call("floors")[1] / WAD
    assert 0.7 * ratio > 1.05
    shrunk = s.auction.call("targetExposures").targetsWad
    uncapped = s.volatility_oracle.call("parityPortfolio").vols
    used = s.volatility_oracle.call("exposureData").vols
    for i in range(3):
        lane = 32 * i
        assert (used >> lane & 0xFFFFFFFF) == pytest.approx(
            (uncapped >> lane & 0xFFFFFFFF) * 0.7 * ratio, rel=1e-6
        )
    assert sum(shrunk) < sum(honest)


@pytest.mark.parametrize("report", [None, "post_volatilities", "post_correlations"])
def test_poke_parity__without_a_portfolio__is_refused(
    make_system: Callable[..., System], report: str | None
) -> None:
    """EQ-145: before there are reports of both kinds there is nothing to watch."""
    s = make_system(reports=False)
    if report:
        getattr(s, report)()
    poke(s)
    error = "RealizedVolatility__NoPortfolio"
    s.refuses(error, s.realized_volatility, "pokeParity", sender=s.mallory)
    for missing in {"post_volatilities", "post_correlations"} - {report}:
        getattr(s, missing)()
    s.realized_volatility.send("pokeParity", sender=s.mallory)


def test_poke_parity__with_old_prices_or_too_early__is_refused(system: System) -> None:
    """EQ-145: a return of about a day, up to prices of about now."""
    s = system
    s.warp(2 * DAY + 2)
    error = "RealizedVolatility__PricesTooOld"
    s.refuses(error, s.realized_volatility, "pokeParity", sender=s.mallory)
    for _ in range(2):
        poke(s)
    s.realized_volatility.send("pokeParity", sender=s.mallory)
    at = s.realized_volatility.call("clock").parityAt
    assert s.realized_volatility.call("dueAt").parityAt == at + DAY
    error = "RealizedVolatility__TooEarly"
    revert = s.refuses(error, s.realized_volatility, "pokeParity", sender=s.mallory)
    assert revert.arguments == (at + DAY, at)


RANGES = [
    (0, DAY, 90 * DAY),
    (1, 600, DAY),
    (2, HOUR, 7 * DAY),
    (3, HOUR, 7 * DAY),
    (4, WAD // 10, 9 * WAD // 10),
]


@pytest.mark.parametrize(("position", "lowest", "highest"), RANGES)
def test_set_params__outside_its_range__is_refused(
    system: System, position: int, lowest: int, highest: int
) -> None:
    """EQ-147: every parameter has its range and is the owner's."""
    s, right = system, list(RealizedConfig().params())
    for wrong in (lowest - 1, highest + 1):
        params = [*right[:position], wrong, *right[position + 1 :]]
        revert = s.refuses("ParameterOutOfRange", s.realized_volatility, "setParams", params, sender=s.owner)
        assert revert.arguments[1:] == (wrong, lowest, highest)
    for value in (lowest, highest):
        params = [*right[:position], value, *right[position + 1 :]]
        if position == 1:
            params[2] = 7 * DAY
        s.realized_volatility.send("setParams", params, sender=s.owner)
        assert list(s.realized_volatility.call("params")) == params
    s.refuses("OwnableUnauthorizedAccount", s.realized_volatility, "setParams", right, sender=s.guardian)


def test_set_volatility_oracle__twice_or_of_another_basket__is_refused(system: System) -> None:
    """EQ-147: once, by the owner, and for the same assets in the same order."""
    s = system
    args = s.realized_volatility, "setVolatilityOracle", s.volatility_oracle
    s.refuses("RealizedVolatility__OracleAlreadySet", *args, sender=s.owner)
    other = build(s, [s.tokens[1], s.tokens[0], s.tokens[2]])
    for sender, error in (
        (s.mallory, "OwnableUnauthorizedAccount"),
        (s.owner, "RealizedVolatility__BasketMismatch"),
    ):
        with pytest.raises(ContractRevert) as caught:
            other.send("setVolatilityOracle", s.volatility_oracle, sender=sender)
        assert caught.value.name == error
    with pytest.raises(ContractRevert) as caught:
        other.send("pokeParity", sender=s.mallory)
    assert caught.value.name == "RealizedVolatility__NoPortfolio"


def test_constructor__no_assets_or_nine_or_an_unlisted_one__is_refused(system: System) -> None:
    """EQ-147: 1 to 8 listed tokens."""
    s = system
    for tokens, error in (
        ([], "RealizedVolatility__AssetCountOutOfRange"),
        (s.tokens * 3, "RealizedVolatility__AssetCountOutOfRange"),
        ([s.impostor], "PriceOracle__UnknownToken"),
    ):
        with pytest.raises(ContractRevert) as caught:
            build(s, tokens)
        assert caught.value.name == error
    assert [a.lower() for a in build(s, s.tokens[:1]).call("assets")] == [s.tokens[0].address.lower()]


def build(s: System, tokens: list[Contract]) -> Contract:
    params = (*RealizedConfig().params()[:4], to_wad(0.5))
    args = s.owner, s.price_oracle, tokens, params
    return create(s.chain, load_artifact("RealizedVolatility"), *args, sender=s.owner)
