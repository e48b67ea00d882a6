"""Float16, mean prices, exponentially weighted variance and floors, against exact numbers and mpmath."""

from __future__ import annotations

from math import isqrt, log

import mpmath
import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.client import Contract, create, load_artifact
from equipoise.errors import ContractRevert
from equipoise.units import YEAR
from tests.math.conftest import WAD

MAX_TICK = 887_272
MAX_VOL = 4 * 10**9
prices = st.one_of(st.integers(0, 2_000), st.integers(0, 10**30), st.integers(0, 120).map(lambda e: 2**e))
lanes = st.lists(st.integers(10**5, MAX_VOL), min_size=2, max_size=8)


@pytest.fixture(scope="module")
def harness(world) -> Contract:
    return create(world.chain, load_artifact("OracleMathHarness"), sender=world.accounts[0])


def word(values):
    return sum(value << (32 * i) for i, value in enumerate(values))


def unword(packed, n):
    return [packed >> (32 * i) & 0xFFFFFFFF for i in range(n)]


@given(value=prices)
def test_float16__any_price__is_bracketed_within_a_500th(harness, value):
    """EQ-44: down is at most, up is at least the value, and neither is far; codes keep the order."""
    low, high = harness.call("packDown16", value), harness.call("packUp16", value)
    down, up = harness.call("unpack16", low), harness.call("unpack16", high)
    assert down <= value <= up
    assert up - down <= value / 512
    assert harness.call("packDown16", down) == harness.call("packUp16", down) == low
    assert high - low in (0, 1)


@given(code=st.integers(0, 2**16 - 2))
def test_float16__codes__are_in_order(harness, code):
    """EQ-44: so that rounding up is the next code."""
    assert harness.call("unpack16", code) < harness.call("unpack16", code + 1)


@given(
    tick=st.integers(-MAX_TICK, MAX_TICK),
    window=st.integers(1, 86_400),
    is_token0=st.booleans(),
    base=st.integers(0, 18),
    quote=st.integers(0, 18),
)
def test_twap__any_tick__is_its_price(harness, tick, window, is_token0, base, quote):
    """EQ-45: 1.0001^tick, or its inverse, in whole tokens, within a millionth for prices above 1e-9."""
    got = harness.call("twapPriceWad", tick * window, window, is_token0, base, quote)
    mpmath.mp.dps = 60
    exact = mpmath.mpf("1.0001") ** (tick if is_token0 else -tick) * mpmath.mpf(10) ** (base - quote)
    assert abs(got - exact * WAD) <= exact * WAD / 10**6 + 1 or (exact < 1e-9 and abs(got - exact * WAD) < 2)


def test_twap__a_known_pool__reads_in_dollars(harness):
    """EQ-45: Uniswap's USDC/WETH pool at tick 200311 says 1 WETH is about 2,000 USDC."""
    price = harness.call("twapPriceWad", 200_311 * 1_800, 1_800, False, 18, 6) / WAD
    assert price == pytest.approx(1e12 / 1.0001**200_311, rel=1e-9)
    assert 1_990 < price < 2_010


@given(
    weight=st.integers(0, WAD), elapsed=st.integers(1, 7 * 86_400), half_life=st.integers(86_400, 90 * 86_400)
)
def test_weights__any_time__halve_in_a_half_life(harness, weight, elapsed, half_life):
    """EQ-140: the old weight decays by 2^(-t / halfLife), the new return gets the rest."""
    kept = 2 ** (-elapsed / half_life)
    old, fresh = harness.call("weights", weight, elapsed, half_life)
    assert old / WAD == pytest.approx(weight / WAD * kept, rel=1e-9, abs=1e-17)
    assert fresh / WAD == pytest.approx(1 - kept, rel=1e-9)
    assert old + fresh <= WAD


@given(
    vol=st.integers(0, MAX_VOL),
    sample=st.integers(0, 10**24),
    old=st.integers(0, WAD),
    fresh=st.integers(10**9, WAD),
)
def test_update__any_sample__is_the_root_of_the_weighted_mean(harness, vol, sample, old, fresh):
    """EQ-140: rounded down, the sample capped so that no lane overflows."""
    got = harness.call("ewmaUpdate", vol, sample, old, fresh, MAX_VOL)
    assert got == isqrt((vol**2 * old + min(sample, MAX_VOL**2) * fresh) // (old + fresh)) <= MAX_VOL


@given(
    sigma=st.floats(0.05, 3), elapsed=st.integers(600, 86_400), sigmas=st.floats(0, 20), back=st.floats(-2, 2)
)
def test_is_spike__far_and_back__only_then(harness, sigma, elapsed, sigmas, back):
    """EQ-142: more than six standard deviations, of which the next print takes back at least half."""
    first = sigmas * sigma * (elapsed / YEAR) ** 0.5
    args = round(first * 1e8), round(-back * first * 1e8), elapsed, round(sigma**2 * 1e16)
    if abs(sigmas - 6) > 1e-3 and abs(abs(back) - 0.5) > 1e-3:
        assert harness.call("isSpike", *args) == (sigmas > 6 and back > 0.5)
        mirrored = -args[0], -args[1], *args[2:]
        assert harness.call("isSpike", *mirrored) == (sigmas > 6 and back > 0.5)


@given(values=lanes, data=st.data(), fraction=st.integers(0, WAD))
def test_raised__any_floor__is_the_greater(harness, values, data, fraction):
    """EQ-144: max(reported, fraction of realised), the floor rounded up; nothing realised changes nothing."""
    n = len(values)
    realised = data.draw(st.lists(st.integers(0, MAX_VOL), min_size=n, max_size=n))
    got = unword(harness.call("raised", word(values), word(realised), fraction, n), n)
    assert got == [max(v, -(-r * fraction // WAD)) for v, r in zip(values, realised, strict=True)]
    assert harness.call("raised", word(values), 0, fraction, n) == word(values)


@given(values=lanes, ratio=st.integers(0, 50 * WAD), fraction=st.integers(0, WAD))
def test_scaled__any_ratio__raises_all_alike(harness, values, ratio, fraction):
    """EQ-146: never lowers; proportions hold below the cap."""
    n = len(values)
    got = unword(harness.call("scaled", word(values), ratio, fraction, MAX_VOL, n), n)
    scale = max(WAD, -(-ratio * fraction // WAD))
    assert got == [min(MAX_VOL, -(-v * scale // WAD)) for v in values]


def test_twap__prices_at_the_ends__do_not_overflow(harness):
    """EQ-45: the largest tick with the largest difference of decimals."""
    assert harness.call("twapPriceWad", -MAX_TICK, 1, True, 0, 18) == 0
    top = harness.call("twapPriceWad", MAX_TICK, 1, True, 18, 0)
    assert log(top) == pytest.approx(MAX_TICK * log(1.0001) + 36 * log(10), rel=1e-9)
    with pytest.raises(ContractRevert):
        harness.call("twapPriceWad", 100 * MAX_TICK, 1, True, 18, 0)
