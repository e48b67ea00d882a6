"""Caps on leverage and the ripcord's arithmetic, against exact fractions."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

WAD = 10**18
exposures = st.lists(st.integers(0, 4 * WAD), min_size=2, max_size=8)
usd = st.integers(10**12, 10**30)


def thresholds_for(values, data):
    n = len(values)
    return data.draw(st.lists(st.integers(0, WAD), min_size=n, max_size=n))


@given(values=exposures, cap=st.integers(WAD // 10, 4 * WAD))
def test_capped__any_exposures__keep_their_proportions(harness, values, cap):
    """EQ-17: scaled by cap / sum, rounded down; untouched below the cap."""
    total = sum(values)
    scaled, leverage, scale = harness.call("capped", values, total, cap)
    if total <= cap:
        assert (list(scaled), leverage, scale) == (values, total, WAD)
        return
    assert list(scaled) == [value * cap // total for value in values]
    assert leverage == sum(scaled) <= cap
    assert scale == cap * WAD // total


def test_capped__nothing_under_a_cap_of_nothing__is_nothing(harness):
    """EQ-17: an empty portfolio that may not grow divides by nothing."""
    assert harness.call("capped", [0, 0], 0, 0) == ([0, 0], 0, WAD)


@given(
    values=exposures,
    health=st.integers(WAD + WAD // 20, 5 * WAD),
    buffer=st.integers(0, WAD // 10),
    data=st.data(),
)
def test_health_cap__any_basket__is_the_largest_safe_leverage(harness, values, health, buffer, data):
    """EQ-18: at the cap the health factor is the target, a step above it is not."""
    thresholds = thresholds_for(values, data)
    cap = harness.call("healthCap", values, thresholds, health, buffer)
    total = sum(values)
    if total == 0:
        assert cap == 2**256 - 1
        return
    mean = Fraction(sum(e * t for e, t in zip(values, thresholds, strict=True)), total) / WAD
    h, b = Fraction(health, WAD), Fraction(buffer, WAD)
    exact = h * (1 - b) / (h - mean)
    # the mean is rounded down to 1e-18 before it is used
    assert exact - exact * Fraction(3, WAD) / (h - mean) - Fraction(2, WAD) <= Fraction(cap, WAD) <= exact
    debt = Fraction(cap, WAD) + b - 1
    if debt > 0:
        assert Fraction(cap, WAD) * mean / debt >= h


@given(
    age=st.integers(0, 10**7),
    fresh=st.integers(600, 604_800),
    more=st.integers(0, 2_592_000),
    top=st.integers(WAD // 10, 4 * WAD),
)
def test_age_cap__any_age__falls_from_the_maximum_to_one(harness, age, fresh, more, top):
    """EQ-19: flat, straight down, flat; never above the maximum, never under the lower of it and 1."""
    cap = harness.call("ageCap", age, fresh, fresh + more, top)
    if age <= fresh or top <= WAD:
        assert cap == top
    elif age >= fresh + more:
        assert cap == WAD
    else:
        assert cap == WAD + (top - WAD) * (fresh + more - age) // more
        assert harness.call("ageCap", age + 1, fresh, fresh + more, top) <= cap


@given(
    elapsed=st.integers(0, 20_000),
    duration=st.integers(60, 3_600),
    cap=st.integers(WAD // 200, WAD // 25),
    collateral=usd,
    part=st.integers(0, WAD - 1),
)
def test_ripcord_discount__any_state__rises_and_spares_half_the_equity(
    harness, elapsed, duration, cap, collateral, part
):
    """EQ-130: 0 at the start, the cap at the end, at most half of (C - D) / C."""
    debt = collateral * part // WAD
    discount = harness.call("ripcordDiscount", elapsed, duration, cap, collateral, debt)
    equity = Fraction(collateral - debt, collateral)
    line = min(Fraction(cap), Fraction(cap * elapsed, duration))
    assert discount <= min(line, equity * WAD / 2)
    assert discount >= min(line, equity * WAD / 2) - 2
    assert harness.call("ripcordDiscount", 0, duration, cap, collateral, debt) == 0


def test_ripcord_discount__little_equity__is_half_of_it(harness):
    """EQ-130: 3 % of 100 against 97 are owed: 1.5 %, whatever the cap."""
    assert harness.call("ripcordDiscount", 900, 900, 3 * WAD // 100, 100 * WAD, 97 * WAD) == 15 * WAD // 1_000
    assert harness.call("ripcordDiscount", 900, 900, 3 * WAD // 100, 100 * WAD, 100 * WAD) == 0


@given(
    collateral=usd,
    ltv=st.integers(WAD // 100, 98 * WAD // 100),
    threshold=st.integers(WAD // 2, 95 * WAD // 100),
    target=st.integers(WAD + WAD // 20, 5 * WAD),
    discount=st.integers(0, WAD // 100),
)
def test_ripcord_fraction__any_debt__is_the_least_that_restores_the_target(
    harness, collateral, ltv, threshold, target, discount
):
    """EQ-131: after selling f of everything at mid less d the health factor is the target, not less."""
    debt = collateral * ltv // WAD
    health = collateral * threshold // debt
    fraction = harness.call("ripcordFraction", health, target, collateral, debt, discount)
    if health >= target:
        assert fraction == 0
        return
    f, d, h = Fraction(fraction, WAD), Fraction(discount, WAD), Fraction(target, WAD)
    missing = (h - Fraction(health, WAD)) * debt
    room = h * collateral * (1 - d) - Fraction(health, WAD) * debt
    assert min(missing / room, 1) <= f
    # three roundings of one unit each
    assert f <= (min((missing + 1) / (room - 3) + Fraction(1, WAD), 1) if room > 3 else 1)
    left = debt - f * collateral * (1 - d)
    if left > 0:
        assert (1 - f) * Fraction(health, WAD) * debt / left >= h


def test_ripcord_fraction__more_debt_than_the_sale_brings__is_everything(harness):
    """EQ-131: where no sale restores the target all is for sale; no overflow, no division by zero."""
    assert harness.call("ripcordFraction", WAD // 2, 2 * WAD, 100 * WAD, 500 * WAD, 0) == WAD
    assert harness.call("ripcordFraction", 0, 2 * WAD, 0, 500 * WAD, 0) == WAD


@pytest.mark.parametrize("age", [0, 3_600])
def test_age_cap__of_equal_limits__needs_no_line(harness, age):
    """EQ-19: freshFor may equal deleverAfter."""
    assert harness.call("ageCap", age, 1_800, 1_800, 3 * WAD) == (3 * WAD if age == 0 else WAD)
