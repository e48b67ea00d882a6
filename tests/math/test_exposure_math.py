"""Target exposures against their definition, and WORD8 words."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from equipoise.errors import ContractRevert
from equipoise.solver.parity import solve_parity
from equipoise.units import pack_word8, unpack_word8

WAD = 10**18
lanes = st.lists(
    st.tuples(st.integers(10**5, 4 * 10**9), st.integers(10**6, 2**32 - 1)), min_size=2, max_size=8
)


def word(values: list[int]) -> int:
    return sum(value << (32 * i) for i, value in enumerate(values))


@given(pairs=lanes, target=st.integers(0, 10 * WAD), cap=st.integers(0, 10 * WAD))
@settings(max_examples=120, deadline=None)
def test_targets__any_words__rounded_down_and_never_above_the_cap(harness, pairs, target, cap):
    """EQ-10, EQ-11: each exposure is its exact value rounded down, their sum within the cap."""
    vols, x = [p[0] for p in pairs], [p[1] for p in pairs]
    got = harness.call("targets", word(vols), word(x), len(pairs), target, cap)
    ideal = [Fraction(target * b, a) for a, b in zip(vols, x, strict=True)]
    scale = min(Fraction(1), Fraction(cap) / sum(ideal)) if sum(ideal) else Fraction(1)
    for exposure, value in zip(got.exposuresWad, ideal, strict=True):
        assert exposure <= value
        if scale == 1:
            assert value - exposure < 1
        else:  # both roundings: its own, and that of the sum it is divided by
            assert abs(value * scale - exposure) <= 2 + len(pairs) * value / sum(ideal)
    assert got.leverageWad == sum(got.exposuresWad) <= cap or scale == 1
    assert got.leverageWad <= cap
    assert got.scaleWad <= WAD
    assume(sum(ideal) > 10**6)
    assert abs(got.scaleWad - scale * WAD) <= 1 + scale * WAD * len(pairs) / sum(ideal)


@given(pairs=lanes, target=st.integers(0, WAD))
@settings(max_examples=60, deadline=None)
def test_targetsWord__capped_at_one__lanes_sum_to_at_most_one(harness, pairs, target):
    """EQ-11: packed targets are rounded down once more, so that lanes never sum to more than the cap."""
    vols, x, n = word([p[0] for p in pairs]), word([p[1] for p in pairs]), len(pairs)
    packed = harness.call("targetsWord", vols, x, n, target, WAD)
    wide = harness.call("targets", vols, x, n, target, WAD).exposuresWad
    read = [packed >> (32 * i) & 0xFFFFFFFF for i in range(8)]
    assert read == [e // 10**10 for e in wide] + [0] * (8 - n)
    assert sum(read) <= 10**8


def test_targets__uncapped__reach_the_target_volatility(harness, random_case):
    """EQ-10: target exposures have the target volatility and contribute their budgets."""
    rng = np.random.default_rng(17)
    for _ in range(30):
        case = random_case(rng, 0.05)
        vols = pack_word8(rng.uniform(0.3, 2, case.n))
        x = pack_word8(solve_parity(case.C, case.b).coordinates)
        got = harness.call("targets", vols, x, case.n, WAD // 10, 100 * WAD)
        assert got.scaleWad == WAD
        a = np.array(got.exposuresWad, dtype=float) / WAD * unpack_word8(vols, case.n)
        assert np.sqrt(a @ case.C @ a) == pytest.approx(0.1, abs=1e-7)
        np.testing.assert_allclose(a * (case.C @ a) / (a @ case.C @ a), case.b, atol=2e-6)


def test_targets__zero_volatility_lane__reverts(harness):
    """EQ-12: a missing volatility is no target of zero and no infinite one."""
    with pytest.raises(ContractRevert) as revert:
        harness.call("targets", word([10**8, 0]), word([10**8, 10**8]), 2, WAD, WAD)
    assert revert.value.name == "Panic"


@given(values=st.lists(st.integers(0, 2**32 * 10**10 - 1), min_size=1, max_size=8))
@settings(max_examples=50, deadline=None)
def test_packDown__wad_values__each_rounded_down(harness, values):
    """EQ-1: WORD8 rounds down to 1e-8 and reads back."""
    packed = harness.call("packDown", values)
    assert harness.call("unpackWad", packed, len(values)) == [v // 10**10 * 10**10 for v in values]
    assert harness.call("wordLanesAreZero", packed, len(values))


def test_packDown__value_beyond_its_lane__reverts(harness):
    """EQ-1: 42.94967296 does not fit and does not spill into the next lane."""
    with pytest.raises(ContractRevert) as revert:
        harness.call("packDown", [2**32 * 10**10])
    assert revert.value.name == "SafeCastOverflowedUintDowncast"


@pytest.mark.parametrize("n", range(2, 8))
def test_unusedLanesAreZero__any_bit_above__false(harness, n):
    """EQ-1: no bit beyond the last lane may be set."""
    used = 2 ** (32 * n) - 1
    assert harness.call("wordLanesAreZero", used, n)
    for bit in (32 * n, 32 * n + 17, 255):
        assert not harness.call("wordLanesAreZero", used | 1 << bit, n)
