"""Certificate and fallback solver against the Python solver, on matrices that are hard on both."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest

from equipoise.solver.parity import solve_parity
from equipoise.units import pack_budgets, pack_correlations, pack_word8, unpack_lanes, unpack_word8

TOLERANCE_WAD = 10**12
WAD = 10**18


def exact_error(case, coordinates: int) -> Fraction:
    """max |x_i (Cx)_i - b_i| of the packed words in rational arithmetic."""
    n = case.n
    C = [[Fraction(int(i == j)) for j in range(n)] for i in range(n)]
    joined = case.correlations[0] | case.correlations[1] << 256
    for k, (i, j) in enumerate(combinations(range(n), 2)):
        lane = (joined >> 16 * k) & 0xFFFF
        C[i][j] = C[j][i] = Fraction(lane - (lane >> 15 << 16), 32767)
    x = [Fraction(lane, 10**8) for lane in unpack_lanes(coordinates, n)]
    b = [Fraction(lane, 10**8) for lane in unpack_lanes(case.budgets, n)]
    return max(abs(x[i] * sum(C[i][j] * x[j] for j in range(n)) - b[i]) for i in range(n))


@pytest.fixture(scope="module")
def cases(random_case):
    rng = np.random.default_rng(20260101)
    floors = [0.002, 0.002, 0.01, 0.05]
    return [random_case(rng, floors[k % 4]) for k in range(1000)]


@pytest.fixture(scope="module")
def references(cases):
    return [solve_parity(case.C, case.b).coordinates for case in cases]


def test_cases__cover_what_they_claim(cases):
    smallest = np.array([np.linalg.eigvalsh(case.C)[0] for case in cases])
    assert {case.n for case in cases} == set(range(2, 9))
    assert (smallest > 0.002).all()
    assert (smallest < 0.004).sum() > 100
    assert sum((case.C < 0).any() for case in cases) > 500


def test_solve__1000_random_matrices__agrees_with_python_and_passes_the_certificate(
    harness, call_each, cases, references
):
    """EQ-9: the fallback solver passes the certificate and agrees with the Python solver."""
    solved = call_each(harness, "solve", [(c.correlations, c.budgets, c.n) for c in cases])
    errors = call_each(
        harness,
        "certificateError",
        [(x, c.correlations, c.budgets, c.n) for x, c in zip(solved, cases, strict=True)],
    )
    assert max(errors) <= TOLERANCE_WAD
    for case, word, reference in zip(cases, solved, references, strict=True):
        np.testing.assert_allclose(unpack_word8(word, case.n), reference, rtol=1e-5, atol=1e-8)


def test_certificate__coordinates_of_the_python_solver__pass(harness, call_each, cases, references):
    """EQ-7: rounding the solution to 1e-8 stays within the tolerance for every eigenvalue above 0.002."""
    arguments = [
        (pack_word8(x), c.correlations, c.budgets, c.n) for x, c in zip(references, cases, strict=True)
    ]
    errors = call_each(harness, "certificateError", arguments)
    assert max(errors) <= TOLERANCE_WAD


def test_certificate__any_coordinates__is_the_exact_error_rounded_up(harness, call_each, cases, references):
    """EQ-7: the certificate equals rational arithmetic, rounded up to 1e-18."""
    rng = np.random.default_rng(3)
    arguments, expected = [], []
    for k, (case, x) in enumerate(zip(cases[:300], references[:300], strict=True)):
        off = np.clip(x * (1 + 10.0 ** rng.uniform(-8, 1) * rng.normal(size=case.n)), 1e-8, 42.9)
        word = 2 ** (32 * case.n) - 1 if k == 0 else pack_word8(off)
        arguments.append((word, case.correlations, case.budgets, case.n))
        error = exact_error(case, word) * WAD
        expected.append(-(-error.numerator // error.denominator))
    assert call_each(harness, "certificateError", arguments) == expected


def test_certificate__one_coordinate_off_by_a_thousandth__fails(harness, call_each, cases, references):
    """EQ-7: what is not the solution does not pass."""
    arguments = []
    for k, (case, x) in enumerate(zip(cases, references, strict=True)):
        off = x.copy()
        off[k % case.n] *= 1.001
        arguments.append((pack_word8(off), case.correlations, case.budgets, case.n))
    assert min(call_each(harness, "certificateError", arguments)) > TOLERANCE_WAD


def test_solve__no_correlation__is_the_root_of_the_budgets(harness):
    """EQ-9: with C = I the coordinates are sqrt(b)."""
    budgets = np.array([0.5, 0.3, 0.15, 0.05])
    word = harness.call("solve", pack_correlations(np.eye(4)), pack_budgets(budgets), 4)
    np.testing.assert_allclose(unpack_word8(word, 4), np.sqrt(budgets), atol=1e-8)


def test_certificate__eight_assets__costs_at_most_10k_gas(harness, call_each, cases, references):
    """EQ-8: the certificate of eight assets costs at most 10,000 gas."""
    eight = [
        (pack_word8(x), c.correlations, c.budgets, 8)
        for x, c in zip(references, cases, strict=True)
        if c.n == 8
    ]
    assert max(call_each(harness, "certificateGas", eight)) <= 10_000


def test_solve__eight_assets__fits_a_block_many_times(harness, call_each, cases):
    """EQ-9: the fallback solver of eight assets costs at most 500,000 gas, also near singularity."""
    eight = [(c.correlations, c.budgets, 8) for c in cases if c.n == 8]
    assert max(call_each(harness, "solveGas", eight)) <= 500_000
