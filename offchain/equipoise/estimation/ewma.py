"""Exponentially weighted volatilities and correlations of daily closes, without looking ahead.

Volatility: squared log returns of each asset over its own trading days, weights decay^age, annualised by the
asset's own returns per year so far (365 for crypto, about 252 for a stock index). Correlation: products of
log returns between consecutive days on which every asset trades, so that a weekend's crypto return meets an
index's return from Friday to Monday; then shrinkage and repair. Weights are normalised, so the start is not
biased towards zero; means are taken as zero. RiskMetrics (1996): decay 0.94 and 0.97.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

import numpy as np
import pandas as pd

from equipoise.errors import EstimationError
from equipoise.estimation.psd import repair_correlation
from equipoise.estimation.shrinkage import ledoit_wolf, oracle_approximating, shrink_constant
from equipoise.marketdata.returns import common_returns, log_returns
from equipoise.types import FloatArray, IntArray
from equipoise.units import YEAR_DAYS

__all__ = [
    "Estimate",
    "EstimatePath",
    "EstimationConfig",
    "check_days",
    "check_prices",
    "estimate",
    "estimate_path",
]


_BY_DATA = {"ledoit-wolf": ledoit_wolf, "oas": oracle_approximating}


@dataclass(frozen=True)
class EstimationConfig:
    """How to estimate.

    Attributes
    ----------
    volatility_decay, correlation_decay
        Weight of yesterday relative to today, in (0, 1).
    shrinkage
        "constant" (EWMA correlation shrunk by `intensity` to the identity), "ledoit-wolf" or "oas" (the last
        `window` common returns with equal weights, intensity from the data).
    intensity
        In [0, 1].
    window
        Common returns for Ledoit-Wolf, >= min_observations.
    eigenvalue_floor
        Smallest eigenvalue of a correlation after repair, in (0, 1).
    min_observations
        Fewest returns of each asset, and fewest common ones, >= 2.
    """

    volatility_decay: float = 0.94
    correlation_decay: float = 0.97
    shrinkage: Literal["constant", "ledoit-wolf", "oas"] = "constant"
    intensity: float = 0.05
    window: int = 250
    eigenvalue_floor: float = 0.02
    min_observations: int = 30

    def __post_init__(self) -> None:
        for name in ("volatility_decay", "correlation_decay", "eigenvalue_floor"):
            if not 0 < getattr(self, name) < 1:
                raise EstimationError(f"{name} is {getattr(self, name)}; it must be in (0, 1)")
        if not 0 <= self.intensity <= 1:
            raise EstimationError(f"intensity is {self.intensity}; it must be in [0, 1]")
        if self.shrinkage not in ("constant", *_BY_DATA):
            raise EstimationError(
                f"shrinkage is {self.shrinkage!r}; choose constant, {' or '.join(_BY_DATA)}"
            )
        if not 2 <= self.min_observations <= self.window:
            raise EstimationError("min_observations must be >= 2 and at most window")


@dataclass(frozen=True)
class Estimate:
    """What is known at the close of `observed_at`.

    Attributes
    ----------
    vol_ann
        Shape (n,), > 0, per sqrt(year).
    correlation
        Shape (n, n), unit diagonal, smallest eigenvalue at least the floor.
    observed_at
        Last day of the data.
    observations
        Common returns behind the correlation.
    """

    vol_ann: FloatArray
    correlation: FloatArray
    observed_at: date
    observations: int


@dataclass(frozen=True)
class EstimatePath:
    """Estimates of every day: vol_ann (T, n) and correlation (T, n, n), NaN before there is enough data."""

    dates: pd.DatetimeIndex
    assets: tuple[str, ...]
    vol_ann: FloatArray
    correlation: FloatArray
    observations: IntArray
    min_observations: int

    def __len__(self) -> int:
        return len(self.dates)

    def ready(self, k: int) -> bool:
        """Whether day k has an estimate."""
        return bool(np.isfinite(self.vol_ann[k]).all() and np.isfinite(self.correlation[k]).all())

    @property
    def first_ready(self) -> int:
        """Index of the first day with an estimate; EstimationError when there is none."""
        ready = np.isfinite(self.vol_ann).all(axis=1) & np.isfinite(self.correlation).all(axis=(1, 2))
        if not ready.any():
            raise _too_few(self.observations[-1], self.min_observations)
        return int(ready.argmax())

    def __getitem__(self, k: int) -> Estimate:
        if not self.ready(k):
            raise _too_few(self.observations[k], self.min_observations)
        day = self.dates[k].date()
        return Estimate(self.vol_ann[k], self.correlation[k], day, int(self.observations[k]))


def estimate(prices: pd.DataFrame, config: EstimationConfig | None = None) -> Estimate:
    """Estimate from closes up to and including the last row.

    Parameters
    ----------
    prices
        Shape (T, n), USD, NaN where a market was closed (see `marketdata.prices`); DatetimeIndex by day.
    config
        Defaults when omitted.

    Raises
    ------
    EstimationError
        Too few observations, or an asset whose price never moves.
    """
    config = config or EstimationConfig()
    check_prices(prices)
    vol_ann = [_volatility(prices[name].dropna(), config) for name in prices.columns]
    r = common_returns(prices).to_numpy()
    if len(r) < config.min_observations:
        raise _too_few(len(r), config.min_observations)
    weights = config.correlation_decay ** np.arange(len(r))[::-1]
    covariance = (r * weights[:, None]).T @ r
    raw = _normalised(covariance[None])[0]
    if not np.isfinite(raw).all():
        raise EstimationError("an asset does not move on the common days; leave it out")
    correlation = _conditioned(raw, r, config)
    return Estimate(np.array(vol_ann), correlation, prices.index[-1].date(), len(r))


def estimate_path(prices: pd.DataFrame, config: EstimationConfig | None = None) -> EstimatePath:
    """`estimate` of every day's history in one pass; row k uses rows 0..k only.

    Parameters and errors as `estimate`, but days without enough data hold NaN instead.
    """
    config = config or EstimationConfig()
    check_prices(prices)
    T, n = prices.shape
    vol_ann = np.full((T, n), np.nan)
    for j, name in enumerate(prices.columns):
        vol_ann[:, j] = _volatility_path(prices[[name]], config)
    common = prices.notna().all(axis=1).to_numpy()
    r = common_returns(prices).to_numpy()
    rows = np.flatnonzero(common)[1:]
    raw = _normalised(_decayed_sums(r[:, :, None] * r[:, None, :], config.correlation_decay))
    observations = np.zeros(T, dtype=np.int64)
    observations[rows] = 1
    observations = observations.cumsum()
    correlation = np.full((T, n, n), np.nan)
    for k in range(config.min_observations - 1, len(r)):
        if np.isfinite(raw[k]).all():
            until = rows[k + 1] if k + 1 < len(r) else T
            correlation[rows[k] : until] = _conditioned(raw[k], r[: k + 1], config)
    index = pd.DatetimeIndex(prices.index)
    return EstimatePath(
        index, tuple(map(str, prices.columns)), vol_ann, correlation, observations, config.min_observations
    )


def check_prices(prices: pd.DataFrame) -> None:
    """EstimationError unless prices can be estimated from: shape (T, n), > 0 or NaN, days as `check_days`."""
    if prices.empty:
        raise EstimationError("prices are an empty table; give one with a row a day and a column an asset")
    check_days(prices.index)
    if prices.columns.has_duplicates:
        name = prices.columns[prices.columns.duplicated()][0]
        raise EstimationError(f"two columns are named {name}; give each asset a name of its own")
    for column, kind in prices.dtypes.items():
        if not pd.api.types.is_numeric_dtype(kind):
            raise EstimationError(f"{column} holds {kind}, not numbers; convert it: prices.astype(float)")
    values = prices.to_numpy(dtype=float)
    wrong = (values <= 0) | np.isinf(values)
    if wrong.any():
        t, j = map(int, np.argwhere(wrong)[0])
        raise EstimationError(
            f"{prices.columns[j]} is {values[t, j]:g} on {prices.index[t]:%F}; prices are "
            "finite and > 0: correct it"
        )


def check_days(index: pd.Index) -> pd.DatetimeIndex:
    """The index; EstimationError unless it holds ascending, unique days without a time zone."""
    if not isinstance(index, pd.DatetimeIndex) or index.hasnans:
        raise EstimationError("prices must be indexed by day; use marketdata.prices.load_prices")
    if index.tz is not None:
        raise EstimationError(f"the days have the time zone {index.tz}; drop it: prices.tz_localize(None)")
    wrong = np.flatnonzero(np.diff(index.asi8) <= 0)
    if len(wrong):
        raise EstimationError(
            f"prices must have ascending, unique days: {index[wrong[0] + 1]:%F} follows "
            f"{index[wrong[0]]:%F}; sort them by sort_index() and keep one row a day"
        )
    return index


def _too_few(observations: int, needed: int) -> EstimationError:
    return EstimationError(
        f"{observations} observations; at least {needed} returns are needed: give more days"
    )


def _volatility(closes: pd.Series, config: EstimationConfig) -> float:
    """Annualised EWMA volatility of one asset from its own closes."""
    squares = np.diff(np.log(closes.to_numpy(dtype=float))) ** 2
    if len(squares) < config.min_observations:
        raise _too_few(len(squares), config.min_observations)
    if not squares.any():
        raise EstimationError(f"{closes.name} does not move; leave it out")
    weights = config.volatility_decay ** np.arange(len(squares))[::-1]
    per_year = len(squares) / (closes.index[-1] - closes.index[0]).days * YEAR_DAYS
    return float(np.sqrt(weights @ squares / weights.sum() * per_year))


def _volatility_path(closes: pd.DataFrame, config: EstimationConfig) -> FloatArray:
    """`_volatility` of every day, shape (T,)."""
    squares = log_returns(closes).iloc[:, 0] ** 2
    own = np.flatnonzero(squares.notna())
    result = np.full(len(closes), np.nan)
    if len(own) == 0:
        return result
    values = squares.to_numpy()[own]
    sums = _decayed_sums(np.stack([values, np.ones_like(values)], axis=1), config.volatility_decay)
    dates = closes.index.values.astype("datetime64[D]")
    first = int(np.flatnonzero(closes.iloc[:, 0].notna())[0])
    days = (dates[own] - dates[first]).astype(float)
    count = np.arange(1, len(own) + 1)
    variance = sums[:, 0] / sums[:, 1] * count / days * YEAR_DAYS
    known = (count >= config.min_observations) & (variance > 0)
    result[own] = np.where(known, np.sqrt(variance), np.nan)
    return pd.Series(result).ffill().to_numpy()


def _decayed_sums(values: FloatArray, decay: float) -> FloatArray:
    """s_k = decay s_{k-1} + values_k along the first axis."""
    sums = np.empty_like(values, dtype=float)
    running = np.zeros(values.shape[1:])
    for k, value in enumerate(values):
        running = decay * running + value
        sums[k] = running
    return sums


def _normalised(covariance: FloatArray) -> FloatArray:
    """Correlations of a stack (m, n, n); NaN where an asset does not move."""
    variance = np.diagonal(covariance, axis1=1, axis2=2)
    with np.errstate(invalid="ignore", divide="ignore"):
        scale = 1.0 / np.sqrt(variance)
        return covariance * scale[:, :, None] * scale[:, None, :]


def _conditioned(raw: FloatArray, returns: FloatArray, config: EstimationConfig) -> FloatArray:
    """Shrunk and repaired correlation from the EWMA one or the last returns, as configured."""
    if config.shrinkage in _BY_DATA:
        shrunk = _BY_DATA[config.shrinkage](returns[-config.window :])
        return repair_correlation(shrunk, config.eigenvalue_floor)
    return repair_correlation(shrink_constant(raw, config.intensity), config.eigenvalue_floor)
