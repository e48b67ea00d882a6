"""Hourly prices between daily closes, which is all that the data have.

Between two closes the logarithm of every price walks a Brownian bridge: it ends exactly at the close, moves
together with the others as their daily returns did, and wanders as far as the days around it moved. A
market that is open for some hours only (the S&P 500) moves in those hours, and holds its last close else.
These paths are a model: a true intraday low may be deeper than theirs.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pandas as pd

from equipoise.errors import InputError
from equipoise.types import FloatArray

__all__ = ["HOURS", "intraday_paths"]

HOURS = 24
OPEN_HOURS = range(15, 22)
"""Ends of the hours, UTC, in which a stock exchange in New York trades (14:30 to 21:00)."""
_WINDOW = 5  # days around a day whose absolute returns give its scale
_MIN_SCALE = 1e-4


def intraday_paths(
    prices: pd.DataFrame, exchange_traded: Collection[str] = (), seed: int = 0
) -> dict[pd.Timestamp, FloatArray]:
    """Prices at the end of each hour of every day but the first.

    Parameters
    ----------
    prices
        Shape (T, n), closes > 0 without gaps (closed days hold the last close), DatetimeIndex by day; a day's
        close is at its end, midnight UTC.
    exchange_traded
        Columns that move in exchange hours of days with a new close only.
    seed
        Of the noise.

    Returns
    -------
    dict
        Day to array of shape (24, n); the last row is the day's close, exactly.

    Raises InputError.
    """
    values = prices.to_numpy(dtype=float)
    if len(values) < 2 or not np.all(np.isfinite(values)) or np.any(values <= 0):
        raise InputError("prices need at least 2 days, each finite and > 0")
    if unknown := set(exchange_traded) - set(prices.columns):
        raise InputError(f"exchange_traded names {sorted(unknown)}; the prices have {list(prices.columns)}")
    days, n = len(values) - 1, values.shape[1]
    log = np.log(values)
    moves = np.diff(log, axis=0)
    noise = _noise(moves, seed)
    steps = np.full((days, HOURS, n), 1 / np.sqrt(HOURS))
    for i, name in enumerate(prices.columns):
        if name in exchange_traded:
            closed = np.ones(HOURS, dtype=bool)
            closed[[hour - 1 for hour in OPEN_HOURS]] = False
            steps[:, closed, i] = 0
            steps[:, ~closed, i] = 1 / np.sqrt(len(OPEN_HOURS))
            steps[moves[:, i] == 0, :, i] = 0
    variance = np.cumsum(steps**2, axis=1)
    # without any open hour a day's whole move, which is 0, happens anywhere
    share = np.divide(variance, variance[:, -1:], out=np.zeros_like(variance), where=variance[:, -1:] > 0)
    walk = np.cumsum(noise * steps, axis=1)
    bridge = walk - share * walk[:, -1:]
    path = np.exp(log[:-1, None, :] + share * moves[:, None, :] + bridge)
    path[:, -1, :] = values[1:]
    return dict(zip(prices.index[1:], path, strict=True))


def _noise(moves: FloatArray, seed: int) -> FloatArray:
    """Shape (days, 24, n): normal, with each day's scale and the correlation of the daily moves."""
    days, n = moves.shape
    scale = pd.DataFrame(np.abs(moves)).rolling(_WINDOW, center=True, min_periods=1).mean().to_numpy()
    scale = np.maximum(scale * np.sqrt(np.pi / 2), _MIN_SCALE)  # mean absolute to standard deviation
    correlation = np.eye(n)
    if days > n:
        spread = moves.std(axis=0)
        moving = spread > 0
        correlation[np.ix_(moving, moving)] = np.corrcoef(moves[:, moving], rowvar=False)
    values, vectors = np.linalg.eigh(correlation)
    root = vectors * np.sqrt(np.maximum(values, 0))
    raw = np.random.default_rng(seed).standard_normal((days, HOURS, n))
    return (raw @ root.T) * scale[:, None, :]
