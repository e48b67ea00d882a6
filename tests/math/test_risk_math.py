"""Volatility, shares of variance and parity gap against 50-digit arithmetic."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.errors import ContractRevert
from equipoise.solver.parity import solve_parity
from equipoise.units import pack_correlations, pack_word8, unpack_word8

WAD = 10**18


def reference(case, vols: int, exposures_wad: list[int]):
    """Volatility, shares and gap from the covariance matrix, to 50 digits."""
    n = case.n
    with mpmath.workdps(50):
        sigma = [mpmath.mpf(round(v * 10**8)) / 10**8 for v in unpack_word8(vols, n)]
        C = [[mpmath.mpf(round(v * 32767)) / 32767 for v in row] for row in case.C.tolist()]
        S = mpmath.matrix([[C[i][j] * sigma[i] * sigma[j] for j in range(n)] for i in range(n)])
        w = mpmath.matrix([mpmath.mpf(e) / WAD for e in exposures_wad])
        variance = (w.T * S * w)[0]
        shares = [w[i] * (S * w)[i] / variance for i in range(n)]
        budgets = [mpmath.mpf(round(v * 10**8)) / 10**8 for v in case.b]
        gap = max(abs(share - b) for share, b in zip(shares, budgets, strict=True))
        return mpmath.sqrt(variance), shares, gap, max(w[i] * sigma[i] for i in range(n))


@given(seed=st.integers(0, 2**32 - 1), scale=st.floats(1e-9, 10))
@settings(max_examples=80, deadline=None)
def test_riskState__any_portfolio__within_its_error_bounds(harness, random_case, seed, scale):
    """EQ-4, EQ-5: volatility within n + 2 units of 1e-18; shares within 4 n a_max / vol^2 + 2 units."""
    rng = np.random.default_rng(seed)
    case = random_case(rng)
    vols = pack_word8(10 ** rng.uniform(-2.5, 1.5, case.n))
    exposures = [int(e * WAD) for e in rng.dirichlet(np.ones(case.n)) * scale]
    got = harness.call("riskState", exposures, vols, case.correlations, case.budgets, case.n)
    with mpmath.workdps(50):
        volatility, shares, gap, largest = reference(case, vols, exposures)
        assert abs(got.volatilityWad - volatility * WAD) <= case.n + 2
        bound = 4 * case.n * largest / volatility**2 + 2
        for share_wad, share in zip(got.sharesWad, shares, strict=True):
            assert abs(share_wad - share * WAD) <= bound
        assert abs(got.parityGapWad - gap * WAD) <= bound
    assert abs(sum(got.sharesWad) - WAD) <= case.n


def test_riskState__parity_portfolio__has_no_gap(harness, random_case):
    """EQ-4: exposures x / vol contribute their budgets."""
    rng = np.random.default_rng(5)
    for _ in range(30):
        case = random_case(rng, 0.02)
        vol = rng.uniform(0.1, 2, case.n)
        x = solve_parity(case.C, case.b).coordinates
        vols = pack_word8(vol)
        exposures = [int(0.2 * a / v * WAD) for a, v in zip(x, unpack_word8(vols, case.n), strict=True)]
        got = harness.call("riskState", exposures, vols, case.correlations, case.budgets, case.n)
        assert got.parityGapWad < 1e-9 * WAD
        assert abs(got.volatilityWad - 0.2 * WAD) < 1e-9 * WAD


def test_riskState__hedge__has_a_negative_share(harness, random_case):
    """EQ-5: a hedge's share of variance is negative and counts as such."""
    case = random_case(np.random.default_rng(1), n=2)
    correlations = pack_correlations(np.array([[1, -0.9], [-0.9, 1]]))
    vols = pack_word8([1.0, 1.0])
    got = harness.call("riskState", [WAD, WAD // 10], vols, correlations, case.budgets, 2)
    assert got.sharesWad[1] < 0
    assert abs(sum(got.sharesWad) - WAD) <= 2


def test_riskState__no_exposure__is_zero_everywhere(harness, random_case):
    """EQ-6: an empty portfolio has volatility 0, shares 0 and gap 0."""
    case = random_case(np.random.default_rng(2), n=5)
    got = harness.call("riskState", [0] * 5, pack_word8([0.5] * 5), case.correlations, case.budgets, 5)
    assert (got.volatilityWad, got.sharesWad, got.parityGapWad) == (0, [0] * 5, 0)


def test_riskState__a_variance_below_zero__is_no_risk(harness):
    """EQ-6: three assets cannot all be opposites; no such matrix is stored, and no root of it is drawn."""
    correlations = pack_correlations(np.array([[1, -1, -1], [-1, 1, -1], [-1, -1, 1]]))
    args = pack_word8([1.0] * 3), correlations, pack_word8([0.5, 0.25, 0.25])
    got = harness.call("riskState", [WAD] * 3, *args, 3)
    assert (got.volatilityWad, got.sharesWad, got.parityGapWad) == (0, [0] * 3, 0)


@pytest.mark.parametrize("exposure", [2**127, 2**200, 2**255, 2**256 - 1])
def test_riskState__absurd_exposure__reverts(harness, random_case, exposure):
    """EQ-13: an exposure outside the domain reverts instead of wrapping."""
    case = random_case(np.random.default_rng(4), n=2)
    with pytest.raises(ContractRevert) as revert:
        harness.call("riskState", [exposure, 0], pack_word8([42.0, 1.0]), case.correlations, case.budgets, 2)
    assert "Overflow" in revert.value.name or "Panic" in revert.value.name
