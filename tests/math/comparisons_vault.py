"""Comparisons of what vault and auction compute: prices of a curve, fees, NAV, lots, linear algebra."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

import mpmath
import numpy as np

from equipoise.units import YEAR
from tests.math.comparison import WAD, Comparison, Interval, grid, log_uniform

HUGE = 2**256 - 1


def _curves(rng: np.random.Generator) -> list[tuple]:
    cases = []
    pairs = [(WAD, WAD), (105 * WAD // 100, 98 * WAD // 100), (10**36, 10**18 + 1), (2, 1), (10**18, 1)]
    for (start, end), (elapsed, duration) in grid(
        pairs, [(0, 1), (1, 1), (1, 2), (59, 60), (86_399, 86_400), (10**9, 86_400)]
    ):
        cases.append((start, end, elapsed, duration))
    for _ in range(400):
        end = log_uniform(rng, 10**9, 10**24)
        start = min(10**36, end + log_uniform(rng, 0, end * 10**6))
        duration = log_uniform(rng, 1, 86_400)
        cases.append((start, end, int(rng.integers(0, duration + 2)), duration))
    return cases


def _price(start: int, end: int, elapsed: int, duration: int) -> Iterable[Interval]:
    share = min(mpmath.mpf(elapsed) / duration, 1)
    exact = mpmath.mpf(start) ** (1 - share) * mpmath.mpf(end) ** share
    error = 1 + 100 * mpmath.mpf(start) / WAD
    return [(max(exact - error, end), min(exact + error, start))]


def _amounts(rng: np.random.Generator, count: int, top: int, size: int) -> list[tuple]:
    return [tuple(log_uniform(rng, 0, top) for _ in range(size)) for _ in range(count)]


def _lots(rng: np.random.Generator) -> list[tuple]:
    return grid(*[(0, 1, WAD, HUGE)] * 4) + _amounts(rng, 200, 10**30, 4)


def _lot(sell: int, sell_target: int, buy: int, buy_target: int) -> Iterable[Interval]:
    """The largest sale that takes neither asset past its target, by what is left after it."""
    most = (
        sorted((0, sell - sell_target, buy_target - buy))[1] if sell > sell_target and buy_target > buy else 0
    )
    return [(most, most)]


def _buckets(rng: np.random.Generator) -> list[tuple]:
    edges = grid((0, 1, WAD, 10**30), (0, 1, WAD, 10**30), (0, 1, 86_399, 86_400, 10**9), (1, 86_400))
    return edges + [
        (*used, log_uniform(rng, 0, 10**7), log_uniform(rng, 1, 10**7))
        for used in _amounts(rng, 200, 10**30, 2)
    ]


def _decayed(used: int, capacity: int, elapsed: int, period: int) -> Iterable[Interval]:
    left = max(Fraction(0), used - Fraction(capacity * elapsed, period))
    return [(left, left + 1 - Fraction(1, 10**40))]


def _management_cases(rng: np.random.Generator) -> list[tuple]:
    edges = grid((0, 1, WAD, 10**30, 2**128), (0, 1, 2 * WAD // 100, WAD - 1), (0, 1, YEAR, 25 * YEAR, 2**40))
    return edges + [
        (log_uniform(rng, 0, 10**32), log_uniform(rng, 0, 2 * WAD // 100), log_uniform(rng, 0, 2**31))
        for _ in range(300)
    ]


def _diluted(supply: int, fraction: Fraction, lost: Fraction) -> Iterable[Interval]:
    """Shares that own `fraction` of all once they exist; `fraction` itself may have lost so much."""
    exact = supply * fraction / (1 - fraction)
    return [(exact - supply * lost / (1 - fraction) ** 2 - 1, exact)]


def _management(supply: int, fee: int, elapsed: int) -> Iterable[Interval]:
    return _diluted(supply, min(Fraction(fee * elapsed, WAD * YEAR), Fraction(1, 2)), Fraction(1, WAD))


def _performance_cases(rng: np.random.Generator) -> list[tuple]:
    edges = grid((0, 1, WAD, 2**128), (0, 1, WAD // 5), (0, 1, WAD, 2**96), (0, 1, WAD - 1, WAD, 2**96 - 1))
    return edges + [
        (
            log_uniform(rng, 0, 10**32),
            log_uniform(rng, 0, WAD // 5),
            log_uniform(rng, 1, 10**24),
            log_uniform(rng, 1, 10**24),
        )
        for _ in range(300)
    ]


def _performance(supply: int, fee: int, price: int, mark: int) -> Iterable[Interval]:
    """The recipient ends with `fee` of what all shares together gained above the mark."""
    if price <= mark:
        return [(0, 0)]
    return _diluted(supply, Fraction(fee, WAD) * Fraction(price - mark, price), Fraction(2, WAD))


def _books(rng: np.random.Generator) -> list[tuple]:
    cases = []
    for k in range(300):
        n = int(rng.integers(2, 9))
        quotes = []
        for _ in range(n + 1):
            mid = log_uniform(rng, 10**6, 10**30) if k % 3 else log_uniform(rng, 10**14, 10**24)
            spread = mid * int(rng.integers(0, 501)) // 10_000
            quotes.append((mid, mid - spread, mid + spread, 10 ** int(rng.integers(0, 19))))
        balances = [log_uniform(rng, 0, 2**96 - 1) if rng.random() < 0.8 else 0 for _ in range(n + 1)]
        cases.append((balances, quotes, log_uniform(rng, 0, 2**96 - 1) if k % 2 else 0))
    dear, one = (10**30, 10**30, 105 * 10**28, 1), (1, 1, 1, 10**18)
    edges = [([2**96 - 1] * 9, [dear] * 9, 0), ([0, 0, 0], [dear] * 3, 0), ([1, 1, 1], [one] * 3, 5)]
    return cases + edges


def _nav(balances: list[int], quotes: list[tuple], debt: int) -> Iterable[Interval]:
    """In the order bid, mid, ask; each asset may lose, or at ask gain, 1e-18 USD, the sum a unit more."""
    *basket, (mid, bid, ask, unit) = quotes
    for column, price, up in ((1, ask, False), (0, mid, False), (2, bid, True)):
        usd = sum(
            (Fraction(b * q[column], q[3]) for b, q in zip(balances, basket, strict=False)), Fraction(0)
        )
        exact = balances[-1] + usd * unit / price - debt
        error = Fraction(len(basket) * unit, price) + 1
        low, high = (exact, exact + error) if up else (exact - error, exact)
        yield max(low, 0), max(high, 0)


def _values(rng: np.random.Generator) -> list[tuple]:
    edges = grid((0, 1, 2**96 - 1), [(p, p, p, u) for p in (1, WAD, 10**30) for u in (1, 10**6, 10**18)])
    return edges + [(b, quotes[0]) for balances, quotes, _ in _books(rng)[:200] for b in balances[:1]]


def _value(balance: int, quote: tuple[int, ...]) -> Iterable[Interval]:
    exact = Fraction(balance * quote[0], quote[3])
    return [(exact - Fraction(quote[3] - 1, quote[3]), exact)]


def _rows(rng: np.random.Generator) -> list[tuple]:
    cases = []
    for _ in range(200):
        n = int(rng.integers(2, 9))
        sign = rng.choice([-1, 1], n * n + n)
        numbers = [int(s) * log_uniform(rng, 0, 10**20) for s in sign]
        cases.append((numbers[: n * n], numbers[n * n :], int(rng.integers(n))))
    return cases


def _row(a: list[int], x: list[int], i: int) -> Iterable[Interval]:
    n = len(x)
    exact = sum(Fraction(a[i * n + j] * x[j], WAD) for j in range(n))
    cut = int(exact)  # towards zero
    return [(cut, cut)]


def _pick(rng: np.random.Generator, n: int) -> list[int]:
    """A correlation matrix whose smallest eigenvalue is from 1e-3 to 1, at 1e-18."""
    basis, _ = np.linalg.qr(rng.normal(size=(n, n)))
    covariance = (basis * 10 ** rng.uniform(-3, 0, n)) @ basis.T
    scale = 1 / np.sqrt(np.diag(covariance))
    correlation = covariance * np.outer(scale, scale)
    lower = np.tril(correlation, -1)
    return [round(v * WAD) for v in (lower + lower.T + np.eye(n)).ravel().tolist()]


def _systems(rng: np.random.Generator) -> list[tuple]:
    cases = []
    for _ in range(150):
        n = int(rng.integers(2, 9))
        cases.append((_pick(rng, n), [int(s * WAD) for s in rng.normal(size=n)], n))
    return cases


def _solution(a: list[int], v: list[int], n: int) -> Iterable[Interval]:
    matrix = mpmath.matrix([[mpmath.mpf(a[i * n + j]) / WAD for j in range(n)] for i in range(n)])
    exact = mpmath.lu_solve(matrix, mpmath.matrix([mpmath.mpf(each) for each in v]))
    smallest = min(mpmath.eigsy(matrix, eigvals_only=True))
    error = 4 * n * (1 + max(abs(y) for y in exact) / WAD) / smallest
    return [(y - error, y + error) for y in exact]


COMPARISONS = [
    Comparison(
        "MathHarness",
        "price",
        "mpmath: start^(1 − t/T) · end^(t/T)",
        "1e-16 of start + 1 unit, and within [end, start]",
        _curves,
        _price,
    ),
    Comparison("MathHarness", "lot", "signed integers", "exact", _lots, _lot),
    Comparison("MathHarness", "decayed", "definition, rational", "exact, rounded up", _buckets, _decayed),
    Comparison(
        "MathHarness",
        "managementShares",
        "the fraction of all shares owned after, rational",
        "at most exact; under by supply · 1e-18 / (1 − f)² + 1",
        _management_cases,
        _management,
    ),
    Comparison(
        "MathHarness",
        "performanceShares",
        "the fraction of the gain owned after, rational",
        "at most exact; under by supply · 2e-18 / (1 − f)² + 1",
        _performance_cases,
        _performance,
    ),
    Comparison(
        "MathHarness",
        "nav",
        "rational sum of balances at three prices",
        "bid, mid at most exact, ask at least; off by n · 1e-18 USD + 1 unit",
        _books,
        _nav,
    ),
    Comparison("MathHarness", "usdWad", "definition, rational", "exact, rounded down", _values, _value),
    Comparison("MathHarness", "rowTimes", "rational dot product", "exact, cut towards 0", _rows, _row),
    Comparison(
        "MathHarness",
        "solveLinear",
        "mpmath.lu_solve and eigsy",
        "4 n (1 + max abs y) / smallest eigenvalue units",
        _systems,
        _solution,
    ),
]
