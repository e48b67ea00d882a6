"""Comparisons of what the oracles compute: pool prices, weights, volatilities, floors, packed words."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from fractions import Fraction
from math import ceil, floor

import mpmath
import numpy as np

from equipoise.units import YEAR, unpack_correlations
from tests.math.comparison import WAD, Comparison, Interval, grid, log_uniform

MAX_TICK = 887_272
MAX_VOL = 4 * 10**9
LANES = 2**32 - 1


def _twaps(rng: np.random.Generator) -> list[tuple]:
    edges = grid((-MAX_TICK, -1, 0, 1, MAX_TICK), (1, 1_800), (True, False), (0, 18), (0, 6, 18))
    cases = [(tick * window, window, *rest) for tick, window, *rest in edges]
    for _ in range(400):
        window = int(rng.integers(1, 86_401))
        delta = int(rng.integers(-MAX_TICK * window, MAX_TICK * window + 1))  # a mean between two ticks
        cases.append((delta, window, bool(rng.integers(2)), int(rng.integers(19)), int(rng.integers(19))))
    return cases


def _twap(delta: int, window: int, is_token0: bool, base: int, quote: int) -> Iterable[Interval]:
    tick = mpmath.mpf(delta) / window * (1 if is_token0 else -1)
    exact = mpmath.mpf("1.0001") ** tick * mpmath.mpf(10) ** (base - quote) * WAD
    return [(exact * (1 - mpmath.mpf("1e-12")) - 1, exact * (1 + mpmath.mpf("1e-12")) + 1)]


def _times(rng: np.random.Generator) -> list[tuple]:
    edges = grid((0, 1, WAD // 2, WAD), (1, 3_600, 86_400, 7 * 86_400, 2**32 - 1), (1, 86_400, 2**32 - 1))
    return edges + [
        (int(rng.integers(WAD + 1)), log_uniform(rng, 1, 2**24), log_uniform(rng, 3_600, 2**24))
        for _ in range(400)
    ]


def _weights(weight: int, elapsed: int, half_life: int) -> Iterable[Interval]:
    kept = mpmath.mpf(2) ** (-mpmath.mpf(elapsed) / half_life)
    old, fresh = weight * kept, WAD * (1 - kept)
    return [(old - 3, old + 2), (fresh - 2, fresh + 2)]


def _updates(rng: np.random.Generator) -> list[tuple]:
    edges = grid((0, 1, MAX_VOL), (0, 1, MAX_VOL**2, 2**255), (0, WAD), (1, WAD), (MAX_VOL,))
    return edges + [
        (
            log_uniform(rng, 0, MAX_VOL),
            log_uniform(rng, 0, 10**22),
            int(rng.integers(WAD + 1)),
            log_uniform(rng, 1, WAD),
            MAX_VOL,
        )
        for _ in range(400)
    ]


def _update(vol: int, sample: int, old: int, fresh: int, top: int) -> Iterable[Interval]:
    mean = (mpmath.mpf(vol) ** 2 * old + min(mpmath.mpf(sample), mpmath.mpf(top) ** 2) * fresh) / (
        old + fresh
    )
    root = int(mpmath.floor(mpmath.sqrt(mean) * (1 + mpmath.mpf(10) ** -45)))
    return [(root, root)]


def _returns(rng: np.random.Generator) -> list[tuple]:
    edges = grid((-(2**80) + 1, -1, 0, 1, 2**80 - 1), (1, 3_600, 2**32 - 1))
    return edges + [
        (int(rng.choice([-1, 1])) * log_uniform(rng, 0, 2**79), log_uniform(rng, 1, 2**31))
        for _ in range(300)
    ]


def _sample(change: int, elapsed: int) -> Iterable[Interval]:
    exact = Fraction(change, 1) ** 2 * Fraction(YEAR, elapsed)
    return [(exact - Fraction(elapsed - 1, elapsed), exact)]


def _moves(rng: np.random.Generator) -> list[tuple]:
    cases = []
    for sigmas, back in grid((0.1, 5.999, 6, 6.001, 50), (-1, -0.501, -0.5, -0.499, 0, 0.499, 0.5, 1)):
        for _ in range(6):
            elapsed = int(rng.integers(600, 86_401))
            variance = log_uniform(rng, 10**10, 16 * 10**18)
            first = int(rng.choice([-1, 1])) * int(sigmas * (variance * elapsed / YEAR) ** 0.5)
            cases += [(first + d, -round(back * (first + d)), elapsed, variance) for d in (-1, 0, 1)]
    return cases


def _spike(first: int, second: int, elapsed: int, variance: int) -> Iterable[Interval]:
    """Certain where the move is a whole unit of variance above six deviations, or not above them."""
    variances = Fraction(first**2 * YEAR, elapsed)
    opposite = (first > 0) != (second > 0) and 2 * abs(second) >= abs(first)
    return [(opposite and variances >= 36 * variance + 1, opposite and variances > 36 * variance)]


def _word(values: Iterable[int]) -> int:
    return sum(int(v) << (32 * i) for i, v in enumerate(values))


def _lanes(word: int, n: int = 8) -> list[int]:
    """By numpy's reading of 32 bytes: zeros too, which `units.unpack_lanes` refuses."""
    return [int(lane) for lane in np.frombuffer(word.to_bytes(32, "little"), dtype="<u4")[:n]]


def _words(rng: np.random.Generator, n: int, top: int = LANES) -> int:
    return _word(log_uniform(rng, 0, top) for _ in range(n))


def _floors(rng: np.random.Generator) -> list[tuple]:
    cases = [
        (_word([v] * 8), _word([r] * 8), f, 8) for v, r, f in grid((0, 1, LANES), (0, 1, LANES), (0, 1, WAD))
    ]
    for _ in range(300):
        n = int(rng.integers(1, 9))
        cases.append((_words(rng, n), _words(rng, n), int(rng.integers(WAD + 1)), n))
    return cases


def _raised(vols: int, realised: int, fraction: int, n: int) -> Iterable[Interval]:
    lanes = zip(_lanes(vols, n), _lanes(realised, n), strict=True)
    exact = [max(v, ceil(Fraction(r * fraction, WAD))) for v, r in lanes] + [0] * (8 - n)
    return [(lane, lane) for lane in exact]


def _scales(rng: np.random.Generator) -> list[tuple]:
    cases = [
        (_word([v] * 8), r, f, MAX_VOL, 8)
        for v, r, f in grid((0, 1, MAX_VOL), (0, 1, WAD, WAD + 1, 50 * WAD), (0, 1, WAD))
    ]
    for _ in range(300):
        n = int(rng.integers(1, 9))
        cases.append(
            (_words(rng, n, MAX_VOL), log_uniform(rng, 0, 50 * WAD), int(rng.integers(WAD + 1)), MAX_VOL, n)
        )
    return cases


def _scaled(vols: int, ratio: int, fraction: int, top: int, n: int) -> Iterable[Interval]:
    scale = max(Fraction(1), Fraction(ratio * fraction, WAD**2))
    for lane in _lanes(vols, n) + [0] * (8 - n):
        if scale == 1:
            yield lane, lane
        else:
            yield min(top, ceil(lane * scale)), min(top, ceil(lane * (scale + Fraction(1, WAD))))


FLOATS = [*range(512), *((512 + m) << e for e in range(127) for m in range(512))]
"""Every number of at most ten significant bits below 2^136, in order: a code is its place."""


def _floats(rng: np.random.Generator) -> list[tuple]:
    near = [max(0, value + d) for value in FLOATS[::97] for d in (-1, 0, 1)]
    return [(value,) for value in [*near, *(log_uniform(rng, 0, FLOATS[-1]) for _ in range(500))]]


def _place_down(value: int) -> Iterable[Interval]:
    place = bisect_right(FLOATS, value) - 1
    return [(place, place)]


def _place_up(value: int) -> Iterable[Interval]:
    place = bisect_left(FLOATS, value)
    return [(place, place)]


def _codes(rng: np.random.Generator) -> list[tuple]:
    edges = [512 * e + m for e in range(128) for m in (0, 1, 511)]
    return [(code,) for code in [*edges, *map(int, rng.integers(0, 2**16, 500))]]


def _float(code: int) -> Iterable[Interval]:
    return [(FLOATS[code], FLOATS[code])]


def _lane_cases(rng: np.random.Generator) -> list[tuple]:
    words = [0, 2**256 - 1, *(int(rng.integers(2**63)) ** 4 % 2**256 for _ in range(40))]
    return grid(words, range(9))


def _unpacked(word: int, n: int) -> Iterable[Interval]:
    return [(lane, lane) for lane in _lanes(word, n)]


def _matrices(rng: np.random.Generator) -> list[tuple]:
    """Every number of assets, extreme lanes and random ones."""
    cases = []
    for n in range(2, 9):
        pairs = n * (n - 1) // 2
        for k in range(30):
            lanes = rng.integers(-32_767, 32_768, pairs)
            if k < 3:
                lanes = np.full(pairs, (-32_767, 32_767, 1)[k])
            joined = sum((int(lane) & 0xFFFF) << (16 * i) for i, lane in enumerate(lanes))
            cases.append(((joined % 2**256, joined >> 256), n))
    return cases


def _loaded(words: tuple[int, int], n: int) -> Iterable[Interval]:
    """The package's matrix holds lane / 32767 as floats: the lane is their nearest integer."""
    for value in unpack_correlations(words, n).ravel():
        exact = Fraction(round(value * 32_767), 32_767) * WAD
        cut = floor(exact) if exact >= 0 else ceil(exact)
        yield cut, cut


COMPARISONS = [
    Comparison(
        "OracleMathHarness",
        "packDown16",
        "place in a list of all such numbers",
        "exact",
        _floats,
        _place_down,
    ),
    Comparison(
        "OracleMathHarness", "packUp16", "place in a list of all such numbers", "exact", _floats, _place_up
    ),
    Comparison(
        "OracleMathHarness", "unpack16", "entry of a list of all such numbers", "exact", _codes, _float
    ),
    Comparison(
        "OracleMathHarness",
        "scaled",
        "definition, rational; lanes by numpy",
        "at least exact; over by the lane · 1e-18 + 1 unit",
        _scales,
        _scaled,
        _lanes,
    ),
    Comparison(
        "OracleMathHarness",
        "twapPriceWad",
        "mpmath: 1.0001^mean tick · 10^decimals",
        "1e-12 of the price + 1 unit",
        _twaps,
        _twap,
    ),
    Comparison(
        "OracleMathHarness",
        "weights",
        "mpmath: 2^(−t / half-life)",
        "3 units below, 2 above (old); 2 units (fresh)",
        _times,
        _weights,
    ),
    Comparison(
        "OracleMathHarness",
        "ewmaUpdate",
        "mpmath: root of the weighted mean",
        "exact, rounded down",
        _updates,
        _update,
    ),
    Comparison(
        "OracleMathHarness", "sample", "definition, rational", "exact, rounded down", _returns, _sample
    ),
    Comparison(
        "OracleMathHarness",
        "isSpike",
        "definition, rational",
        "exact but within one unit of variance above the line",
        _moves,
        _spike,
    ),
    Comparison(
        "OracleMathHarness",
        "raised",
        "definition, rational; lanes by numpy",
        "exact",
        _floors,
        _raised,
        _lanes,
    ),
    Comparison("MathHarness", "unpack", "numpy's little-endian uint32", "exact", _lane_cases, _unpacked),
    Comparison(
        "MathHarness",
        "loadCorrelations",
        "`units.unpack_correlations`",
        "exact, cut towards 0",
        _matrices,
        _loaded,
    ),
]
