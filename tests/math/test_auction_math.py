"""Price curve against mpmath, lots, and the leaky bucket."""

from __future__ import annotations

from fractions import Fraction

import mpmath
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

WAD = 10**18
prices = st.integers(WAD // 10**6, 10**6 * WAD)
seconds = st.integers(0, 10**6)


@given(first=prices, second=prices, elapsed=seconds, duration=st.integers(1, 10**6))
@settings(max_examples=150, deadline=None)
def test_price__any_curve__within_1e_16_of_exact(harness, first, second, elapsed, duration):
    """EQ-14: P(t) = start exp(-ln(start / end) t / duration), relative error at most 1e-16 plus a unit."""
    start, end = max(first, second), min(first, second)
    price = harness.call("price", start, end, elapsed, duration)
    assert end <= price <= start
    with mpmath.workdps(60):
        share = min(mpmath.mpf(elapsed) / duration, 1)
        exact = mpmath.mpf(start) ** (1 - share) * mpmath.mpf(end) ** share
        # the logarithm of a ratio up to 1e12 is off by units of 1e-18, and start by as many of itself
        assert abs(price - exact) <= 1 + 100 * mpmath.mpf(start) / WAD


def test_price__ends__are_exact(harness):
    """EQ-14: the curve starts at the start, ends at the end and stays there."""
    start, end = 1_010_000_000_000_000_001, 995_000_000_000_000_003
    assert harness.call("price", start, end, 0, 3600) == start
    assert harness.call("price", start, end, 3600, 3600) == end
    assert harness.call("price", start, end, 10**9, 3600) == end
    assert harness.call("price", start, start, 1800, 3600) == start


def test_price__time_passes__never_rises(harness, call_each):
    """EQ-14: a later price is never higher."""
    for start, end in [(1_010_000 * 10**12, 995_000 * 10**12), (1_000_003, 1_000_000), (10**24, 10**12)]:
        path = call_each(harness, "price", [(start, end, t, 900) for t in range(901)])
        assert path == sorted(path, reverse=True)
        assert (path[0], path[-1]) == (start, end)


@pytest.mark.parametrize(
    ("sell", "sell_target", "buy", "buy_target", "lot"),
    [
        (100, 60, 10, 30, 20),
        (100, 90, 10, 30, 10),
        (100, 100, 10, 30, 0),
        (90, 100, 10, 30, 0),
        (100, 60, 30, 30, 0),
        (100, 60, 40, 30, 0),
        (2**256 - 1, 0, 0, 2**256 - 1, 2**256 - 1),
    ],
)
def test_lot__surplus_and_deficit__the_smaller(harness, sell, sell_target, buy, buy_target, lot):
    """EQ-15: a lot takes no asset past its target."""
    assert harness.call("lot", sell, sell_target, buy, buy_target) == lot


amounts = st.integers(0, 10**30)


@given(used=amounts, capacity=amounts, first=seconds, second=seconds, period=st.integers(1, 10**6))
@settings(max_examples=100, deadline=None)
def test_decayed__in_one_step_or_two__the_same_but_for_rounding(
    harness, used, capacity, first, second, period
):
    """EQ-16: the bucket leaks capacity / period a second, rounded up, however often it is touched."""
    once = harness.call("decayed", used, capacity, first + second, period)
    twice = harness.call(
        "decayed", harness.call("decayed", used, capacity, first, period), capacity, second, period
    )
    assert once <= twice <= once + 1
    left = max(Fraction(0), used - Fraction(capacity * (first + second), period))
    assert 0 <= once - left < 1


def test_price__any_time_after_the_end__is_the_end(harness):
    """EQ-14: also at times for which the exponential has no answer."""
    for elapsed in (86_400, 86_401, 2**200, 2**255, 2**256 - 1):
        assert harness.call("price", 2 * WAD, WAD, elapsed, 86_400) == WAD


def test_decayed__a_whole_period__forgets_a_full_bucket(harness):
    """EQ-16: after one period nothing within the capacity is left, and before it something is."""
    assert harness.call("decayed", 10**18, 10**18, 86_400, 86_400) == 0
    assert harness.call("decayed", 10**18, 10**18, 86_399, 86_400) > 0
    assert harness.call("decayed", 3 * 10**18, 10**18, 86_400, 86_400) == 2 * 10**18
    assert harness.call("decayed", 7, 10**18, 0, 86_400) == 7
    assert harness.call("decayed", 7, 2**255, 4, 1) == 0  # more has leaked than a word holds
