"""The only place where floats become on-chain integers and back.

WAD (1e18) scales fractions, prices (USD per whole token) and volatilities (per sqrt(year)). Reports are
packed: a WORD8 holds 8 lanes of uint32 at 1e-8, asset i at bits [32 i, 32 i + 32); correlations take two
words of 16 lanes of int16 at 1/32767, pairs in the order (0,1), (0,2) .. (0,n-1), (1,2) .., the k-th pair
in word k // 16 at bits [16 (k % 16), + 16). Unused lanes are zero; used WORD8 lanes are not.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Context, Decimal, InvalidOperation
from itertools import combinations
from operator import index

import numpy as np
from numpy.typing import ArrayLike, NDArray

from equipoise.errors import InputError

__all__ = [
    "DAY",
    "FEED_DECIMALS",
    "LANE_SCALE",
    "MAX_ASSETS",
    "MIN_ASSETS",
    "USDC_DECIMALS",
    "WAD",
    "YEAR",
    "YEAR_DAYS",
    "from_feed",
    "from_token",
    "from_wad",
    "pack_budgets",
    "pack_correlations",
    "pack_word8",
    "to_feed",
    "to_token",
    "to_token_up",
    "to_wad",
    "unpack_correlations",
    "unpack_lanes",
    "unpack_word8",
]

WAD = 10**18
DAY = 86_400
YEAR_DAYS = 365
YEAR = YEAR_DAYS * DAY
MIN_ASSETS, MAX_ASSETS = 2, 8
LANE_SCALE = 10**8
CORRELATION_SCALE = 32_767
FEED_DECIMALS = 8
USDC_DECIMALS = 6

_LANE_BITS, _LANE_MAX = 32, 2**32 - 1
_PAIR_BITS, _PAIRS_PER_WORD = 16, 16
_EXACT = Context(prec=100)

Number = int | float | Decimal


def _scaled(value: Number, decimals: int, rounding: str) -> int:
    """`value` * 10**decimals as an int; a float counts as its shortest decimal form: 0.1 is 1/10."""
    try:
        if isinstance(value, float | np.floating):
            exact = Decimal(repr(float(value)))
        else:
            exact = value if isinstance(value, Decimal) else Decimal(index(value))
        return int(exact.scaleb(decimals, _EXACT).to_integral_value(rounding, _EXACT))
    except (InvalidOperation, OverflowError, ValueError, TypeError) as error:
        raise InputError(f"{value!r} is not a finite number; give a finite int, float or Decimal") from error


def to_wad(value: Number) -> int:
    """Fraction, price or volatility at 1e18, half to even. Raises InputError unless finite."""
    return _scaled(value, 18, ROUND_HALF_EVEN)


def from_wad(value_wad: int) -> float:
    """Float nearest to a WAD integer."""
    return int(value_wad) / WAD


def to_token(amount: Number, decimals: int = USDC_DECIMALS) -> int:
    """Whole tokens (or USD for USDC) in the token's own smallest units, rounded down; amount >= 0."""
    return _token_units(amount, decimals, ROUND_FLOOR)


def to_token_up(amount: Number, decimals: int = USDC_DECIMALS) -> int:
    """As `to_token`, rounded up: for amounts that are asked for rather than given."""
    return _token_units(amount, decimals, ROUND_CEILING)


def _token_units(amount: Number, decimals: int, rounding: str) -> int:
    units = _scaled(amount, decimals, rounding)
    if units < 0:
        raise InputError(f"token amount {amount} is negative; amounts are >= 0")
    return units


def from_token(units: int, decimals: int = USDC_DECIMALS) -> float:
    """Smallest units as whole tokens (USD for USDC)."""
    return int(units) / 10**decimals


def to_feed(price: Number) -> int:
    """USD per whole token as a Chainlink-style answer with 8 decimals; refuses what would round to <= 0."""
    answer = _scaled(price, FEED_DECIMALS, ROUND_HALF_EVEN)
    if answer <= 0:
        raise InputError(f"price {price} is not positive at {FEED_DECIMALS} decimals; prices are >= 1e-8 USD")
    return answer


def from_feed(answer: int) -> float:
    """Chainlink-style answer (8 decimals) as USD per whole token."""
    return int(answer) / 10**FEED_DECIMALS


def _check_count(n: int) -> None:
    if not MIN_ASSETS <= n <= MAX_ASSETS:
        raise InputError(f"{n} assets given; a basket has {MIN_ASSETS} to {MAX_ASSETS}")


def _vector(values: ArrayLike, name: str) -> NDArray[np.float64]:
    vector = np.asarray(values, dtype=float)
    if vector.ndim != 1:
        raise InputError(f"{name} has shape {vector.shape}; give one value an asset")
    _check_count(len(vector))
    if not np.all(np.isfinite(vector)) or np.any(vector <= 0):
        raise InputError(f"{name} {vector.tolist()} must be finite and > 0 in every lane")
    return vector


def _join(lanes: Sequence[int]) -> int:
    return sum(lane << (_LANE_BITS * i) for i, lane in enumerate(lanes))


def pack_word8(values: ArrayLike) -> int:
    """Pack volatilities or coordinates, shape (n,), into one uint256.

    Each value in (0, 42.94967295] is rounded to the nearest 1e-8, never to zero. Raises InputError outside.
    """
    vector = _vector(values, "word")
    if vector.max() > _LANE_MAX / LANE_SCALE:
        raise InputError(f"{vector.max()} is above the lane limit {_LANE_MAX / LANE_SCALE}; check units")
    return _join([max(1, round(v * LANE_SCALE)) for v in vector.tolist()])


def pack_budgets(budgets: ArrayLike) -> int:
    """Pack risk budgets, shape (n,), > 0 with sum 1 (within 1e-6), so that the lanes sum to exactly 1e8.

    Largest remainder: every lane is the floor or the ceiling of its share, so none is off by 1e-8 or more.
    """
    vector = _vector(budgets, "budgets")
    total = float(vector.sum())
    if abs(total - 1.0) > 1e-6:
        raise InputError(f"budgets sum to {total:.9g}; they must sum to 1, e.g. divide each by the sum")
    shares = vector / total * LANE_SCALE
    lanes = np.floor(shares).astype(np.int64)
    missing = LANE_SCALE - int(lanes.sum())
    lanes[np.argsort(lanes - shares, kind="stable")[:missing]] += 1
    if lanes.min() == 0:
        raise InputError(f"budget {vector.min():.3g} is below the smallest lane value 1e-8; raise it")
    return _join(lanes.tolist())


def unpack_lanes(word: int, n: int) -> list[int]:
    """The n raw uint32 lanes of a WORD8. Raises InputError on a zero used lane or a nonzero unused one."""
    _check_count(n)
    if not 0 <= word < 2**256:
        raise InputError(f"word {word} is not a uint256")
    if word >> (_LANE_BITS * n):
        raise InputError(f"word {word:#x} has nonzero lanes beyond asset {n - 1}; unused lanes are zero")
    lanes = [(word >> (_LANE_BITS * i)) & _LANE_MAX for i in range(n)]
    if 0 in lanes:
        raise InputError(f"lane {lanes.index(0)} of word {word:#x} is zero; used lanes are > 0")
    return lanes


def unpack_word8(word: int, n: int) -> NDArray[np.float64]:
    """Inverse of `pack_word8` and `pack_budgets`: shape (n,)."""
    return np.array(unpack_lanes(word, n), dtype=float) / LANE_SCALE


def pack_correlations(correlation: ArrayLike) -> tuple[int, int]:
    """Pack a correlation matrix, shape (n, n), symmetric with unit diagonal and entries in [-1, 1].

    Rounds to the nearest 1/32767 (so a matrix with smallest eigenvalue above about n / 65534 stays positive
    definite). Raises InputError on any other matrix.
    """
    matrix = np.asarray(correlation, dtype=float)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise InputError(f"correlation has shape {matrix.shape}; it must be square")
    n = len(matrix)
    _check_count(n)
    if not np.all(np.isfinite(matrix)):
        raise InputError("correlation has entries that are not finite")
    if not np.allclose(matrix, matrix.T, rtol=0, atol=1e-9) or np.abs(np.diag(matrix) - 1).max() > 1e-9:
        raise InputError("correlation must be symmetric with ones on its diagonal (within 1e-9)")
    if np.abs(matrix).max() > 1 + 1e-9:
        raise InputError(f"correlation {np.abs(matrix).max()} is outside [-1, 1]")
    words = [0, 0]
    for k, (i, j) in enumerate(combinations(range(n), 2)):
        value = round(min(1.0, max(-1.0, float(matrix[i, j]))) * CORRELATION_SCALE)
        words[k // _PAIRS_PER_WORD] |= (value % 2**_PAIR_BITS) << (_PAIR_BITS * (k % _PAIRS_PER_WORD))
    return words[0], words[1]


def unpack_correlations(words: Sequence[int], n: int) -> NDArray[np.float64]:
    """Inverse of `pack_correlations`: shape (n, n). Refuses nonzero unused lanes and -32768."""
    _check_count(n)
    if len(words) != 2 or not all(0 <= word < 2**256 for word in words):
        raise InputError(f"correlations come as two uint256 words, not {list(words)}")
    pairs = list(combinations(range(n), 2))
    joined = words[0] | words[1] << (_PAIR_BITS * _PAIRS_PER_WORD)
    if joined >> (_PAIR_BITS * len(pairs)):
        raise InputError(
            f"correlation lanes beyond pair {len(pairs) - 1} are not zero; unused lanes are zero"
        )
    matrix = np.eye(n)
    for k, (i, j) in enumerate(pairs):
        raw = (joined >> (_PAIR_BITS * k)) & (2**_PAIR_BITS - 1)
        value = raw - 2**_PAIR_BITS if raw >= 2 ** (_PAIR_BITS - 1) else raw
        if value < -CORRELATION_SCALE:
            raise InputError(f"correlation lane ({i}, {j}) is -32768; the range is -32767 to 32767")
        matrix[i, j] = matrix[j, i] = value / CORRELATION_SCALE
    return matrix
