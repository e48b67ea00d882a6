"""Variance from the open, high, low and close of bars: what the path did within a bar says more than its end.

Each estimator is for a Brownian path within the bar; its efficiency is how many times less noisy it is than
the squared return of the bar, both seen in continuous time. From a path in steps, as real trades are, the
range is too small: with 1,000 steps a day by 5 % of variance or less. A move between one close and the next
open is seen by Yang and Zhang's only.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from equipoise.errors import EstimationError, MarketDataError
from equipoise.marketdata.prices import _read
from equipoise.types import FloatArray

__all__ = [
    "ESTIMATORS",
    "check_ohlc",
    "garman_klass",
    "load_ohlc",
    "parkinson",
    "rogers_satchell",
    "yang_zhang",
]

COLUMNS = ("open", "high", "low", "close")
_SLACK = 1e-9  # relative, for bars that were rounded apart from each other


def parkinson(ohlc: pd.DataFrame) -> pd.Series:
    """ln(H / L)^2 / (4 ln 2), Parkinson (1980): about 5 times as efficient; unbiased without drift.

    Parameters
    ----------
    ohlc
        See `check_ohlc`.

    Returns
    -------
    Series
        Variance of each bar, >= 0.
    """
    _, high, low, _ = _logs(ohlc)
    return _series(ohlc, (high - low) ** 2 / (4 * np.log(2)), "parkinson")


def garman_klass(ohlc: pd.DataFrame) -> pd.Series:
    """ln(H / L)^2 / 2 - (2 ln 2 - 1) ln(C / O)^2, Garman and Klass (1980): about 7.4 times as efficient.

    Unbiased without drift; parameters and result as `parkinson`.
    """
    open_, high, low, close = _logs(ohlc)
    return _series(ohlc, (high - low) ** 2 / 2 - (2 * np.log(2) - 1) * (close - open_) ** 2, "garman-klass")


def rogers_satchell(ohlc: pd.DataFrame) -> pd.Series:
    """ln(H/O) ln(H/C) + ln(L/O) ln(L/C), Rogers and Satchell (1991): about 6 times as efficient.

    Unbiased whatever the drift; parameters and result as `parkinson`.
    """
    return _series(ohlc, _rogers_satchell(*_logs(ohlc)), "rogers-satchell")


def yang_zhang(ohlc: pd.DataFrame, window: int = 30) -> pd.Series:
    """Yang and Zhang (2000), over the last `window` bars: sees jumps between bars, whatever the drift.

    Variance of close to open + k variance of open to close + (1 - k) mean of Rogers and Satchell's, with the
    k of least variance.

    Parameters
    ----------
    ohlc
        See `check_ohlc`.
    window
        Bars, >= 2.

    Returns
    -------
    Series
        Mean variance a bar of the last `window`, those before it included; NaN before there are so many.
    """
    if not window >= 2:
        raise EstimationError(f"window is {window}; Yang and Zhang's needs >= 2 bars")
    open_, high, low, close = _logs(ohlc)
    before = np.concatenate([[np.nan], close[:-1]])
    k = 0.34 / (1.34 + (window + 1) / (window - 1))
    between, within = (
        pd.Series(moves).rolling(window).var().to_numpy() for moves in (open_ - before, close - open_)
    )
    path = pd.Series(_rogers_satchell(open_, high, low, close)).rolling(window).mean().to_numpy()
    return _series(ohlc, between + k * within + (1 - k) * path, "yang-zhang")


ESTIMATORS: dict[str, Callable[[pd.DataFrame], pd.Series]] = {
    "parkinson": parkinson,
    "garman-klass": garman_klass,
    "rogers-satchell": rogers_satchell,
}
"""Those that say something of a single bar, by name."""


def check_ohlc(ohlc: pd.DataFrame) -> None:
    """EstimationError unless bars are usable.

    Parameters
    ----------
    ohlc
        Columns open, high, low, close: USD, finite, > 0, with low <= open, close <= high; DatetimeIndex,
        ascending, unique, without a time zone.
    """
    if missing := [name for name in COLUMNS if name not in ohlc]:
        raise EstimationError(f"the bars lack {', '.join(missing)}; give {', '.join(COLUMNS)}")
    days = ohlc.index
    if not isinstance(days, pd.DatetimeIndex) or not len(days) or days.hasnans:
        raise EstimationError("bars must be indexed by day, at least one; use load_ohlc")
    if days.tz is not None:
        raise EstimationError(f"the days have the time zone {days.tz}; drop it: ohlc.tz_localize(None)")
    wrong = np.flatnonzero(np.diff(days.asi8) <= 0)
    if len(wrong):
        raise EstimationError(
            f"{days[wrong[0] + 1]:%F} follows {days[wrong[0]]:%F}; sort the days and keep one bar each"
        )
    table = ohlc[list(COLUMNS)].to_numpy(dtype=float)
    bad = ~(np.isfinite(table) & (table > 0))
    if bad.any():
        t, j = map(int, np.argwhere(bad)[0])
        raise EstimationError(
            f"{COLUMNS[j]} is {table[t, j]:g} on {days[t]:%F}; prices are finite and > 0: correct the bar "
            "or leave it out"
        )
    open_, high, low, close = table.T
    outside = (high < np.maximum(open_, close) * (1 - _SLACK)) | (
        low > np.minimum(open_, close) * (1 + _SLACK)
    )
    if outside.any():
        t = int(outside.argmax())
        raise EstimationError(
            f"the bar of {days[t]:%F} has open {open_[t]:g}, high {high[t]:g}, low {low[t]:g}, "
            f"close {close[t]:g}; need low <= open, close <= high: correct it or leave it out"
        )


def load_ohlc(path: str | Path, prefix: str = "") -> pd.DataFrame:
    """Read and check bars from a CSV file with `date` and columns {prefix}open, high, low, close.

    Rows where all four are empty are days without trade and left out.

    Raises
    ------
    MarketDataError
        The file cannot be read, lacks a column, or holds a bar that `check_ohlc` refuses; with its name.
    """
    try:
        table = _read(Path(path), [prefix + name for name in COLUMNS])
        table.columns = pd.Index(COLUMNS)
        table = table.dropna(how="all")
        check_ohlc(table)
    except (MarketDataError, EstimationError) as error:
        raise MarketDataError(f"{path}: {error}") from error
    return table


def _logs(ohlc: pd.DataFrame) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    check_ohlc(ohlc)
    open_, high, low, close = np.log(ohlc[list(COLUMNS)].to_numpy(dtype=float)).T
    # rounding may have put an end of the bar a hair outside of its range
    return open_, np.maximum(high, np.maximum(open_, close)), np.minimum(low, np.minimum(open_, close)), close


def _rogers_satchell(open_: FloatArray, high: FloatArray, low: FloatArray, close: FloatArray) -> FloatArray:
    return np.asarray((high - open_) * (high - close) + (low - open_) * (low - close))


def _series(ohlc: pd.DataFrame, values: FloatArray, name: str) -> pd.Series:
    return pd.Series(values, ohlc.index, name=name)
