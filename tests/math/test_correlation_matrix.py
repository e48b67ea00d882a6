"""CORR words: reading, unused lanes, and the eigenvalue floor."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.units import pack_correlations

WAD = 10**18


@given(n=st.integers(2, 8), seed=st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None)
def test_load__any_lanes__is_symmetric_with_unit_diagonal(harness, n, seed):
    """EQ-2: C reads as packed: pairs in order, two's complement, 1/32767."""
    rng = np.random.default_rng(seed)
    C = np.eye(n)
    upper = np.triu_indices(n, 1)
    C[upper] = rng.uniform(-1, 1, len(upper[0]))
    C = np.triu(C, 1) + np.triu(C, 1).T + np.eye(n)
    read = (
        np.array(harness.call("loadCorrelations", pack_correlations(C), n), dtype=float).reshape(n, n) / WAD
    )
    np.testing.assert_allclose(read, C, atol=0.5 / 32767 + 1e-15)
    np.testing.assert_array_equal(read, read.T)


def test_load__extreme_lanes__keep_their_sign(harness):
    """EQ-2: -1, -1/32767 and 1 are what they are."""
    word = 0x8001 | 0xFFFF << 16 | 0x7FFF << 32
    read = harness.call("loadCorrelations", (word, 0), 3)
    assert read == [WAD, -WAD, -WAD // 32767 + 1, -WAD, WAD, WAD, -WAD // 32767 + 1, WAD, WAD]


@pytest.mark.parametrize("n", range(2, 9))
def test_unusedLanesAreZero__one_bit_in_any_unused_lane__false(harness, call_each, n):
    """EQ-2: no bit beyond the last pair may be set."""
    pairs = n * (n - 1) // 2
    used = 2 ** (16 * pairs) - 1
    words = [used] + [used | 1 << bit for bit in range(16 * pairs, 512, 7)] + [1 << 511]
    answers = call_each(harness, "correlationLanesAreZero", [((w % 2**256, w >> 256), n) for w in words])
    assert answers == [True] + [False] * (len(words) - 1)


def shifted(C: np.ndarray, smallest: float) -> np.ndarray:
    """C mixed with I so that its smallest eigenvalue is `smallest`."""
    e = np.linalg.eigvalsh(C)[0]
    mix = (smallest - e) / (1 - e)
    return (1 - mix) * C + mix * np.eye(len(C))


@pytest.mark.parametrize("floor", [0.002, 0.01, 0.1, 0.5])
def test_eigenvaluesAbove__random_matrices__accepted_iff_above_the_floor(
    harness, call_each, random_case, floor
):
    """EQ-3: accepted when the smallest eigenvalue is 2e-6 above the floor, refused when it is below."""
    rng = np.random.default_rng(11)
    arguments, smallest = [], []
    for _ in range(300):
        case = random_case(rng, 0.002)
        C = case.C
        if rng.random() < 0.8:
            C = shifted(C, floor + rng.choice([-1, 1]) * 10 ** rng.uniform(-5, -3))
        if np.abs(C).max() > 1:
            continue
        words = pack_correlations((C + C.T) / 2)
        arguments.append((words, case.n, int(floor * WAD)))
        smallest.append(np.linalg.eigvalsh(type(case)(case.n, words, case.budgets).C)[0])
    answers = call_each(harness, "eigenvaluesAbove", arguments)
    seen = set()
    for answer, e in zip(answers, smallest, strict=True):
        if e > floor + 2e-6 or e < floor:
            assert answer.accepted == (e > floor), (e, answer)
            seen.add(answer.accepted)
            assert answer.accepted == (answer.index == 0 and answer.pivotWad == 0)
    assert seen == {True, False}


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_eigenvaluesAbove__any_lanes_at_all__never_overflows_and_never_lies(harness, seed):
    """EQ-3: whatever 28 lanes hold, -32768 included, the answer is right."""
    rng = np.random.default_rng(seed)
    lanes = rng.integers(-32768, 32768, 28)
    if seed % 2:
        lanes = np.where(rng.random(28) < 0.7, rng.choice([-32768, -32767, 32767]), lanes // 50)
    joined = sum((int(lane) & 0xFFFF) << (16 * k) for k, lane in enumerate(lanes))
    C = np.eye(8)
    C[np.triu_indices(8, 1)] = lanes / 32767
    C = np.triu(C, 1) + np.triu(C, 1).T + np.eye(8)
    e = np.linalg.eigvalsh(C)[0]
    accepted = harness.call("eigenvaluesAbove", (joined % 2**256, joined >> 256), 8, 2 * WAD // 1000).accepted
    if not 0.002 <= e <= 0.002002:
        assert accepted == (e > 0.002)


def test_eigenvaluesAbove__order_of_assets__does_not_matter(harness, call_each, random_case):
    """EQ-3: a permuted matrix gets the same answer, unlike the pivots of C itself."""
    rng = np.random.default_rng(8)
    arguments = []
    for _ in range(60):
        case = random_case(rng, 0.002, n=6)
        order = rng.permutation(6)
        for C in (case.C, case.C[np.ix_(order, order)]):
            arguments.append((pack_correlations(C), 6, int(0.0025 * WAD)))
    answers = [answer.accepted for answer in call_each(harness, "eigenvaluesAbove", arguments)]
    assert answers[::2] == answers[1::2]
    assert set(answers) == {True, False}
