"""Performance and risk figures: pure functions of daily paths.

A year has 365 days. Rows are days; where a file has fewer rows a year (a five-day week) the number of rows
per 365 calendar days is used to annualise, so that both kinds of data give comparable figures.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from equipoise.errors import InputError
from equipoise.types import FloatArray
from equipoise.units import YEAR_DAYS

__all__ = [
    "Statistics",
    "annual_return",
    "annual_volatility",
    "drawdown",
    "ex_ante_risk_shares",
    "ex_post_risk_shares",
    "max_drawdown",
    "per_year",
    "sharpe",
    "years",
]


@dataclass(frozen=True)
class Statistics:
    """Figures of one portfolio. Fractions, not percent; NaN where too few days define none.

    Attributes
    ----------
    total_return, annual_return
        Over the period, and compounded to 365 days.
    volatility
        Standard deviation of daily simple returns (ddof 1), a year.
    max_drawdown
        Deepest loss from a running peak, in [0, 1]: 0.3 is a loss of 30 %.
    sharpe
        Mean daily return x days a year / volatility; the risk-free rate is 0.
    turnover
        One way (dollars sold, which is dollars bought) / NAV, a year.
    gas, gas_usd
        Gas of the whole period, and its price.
    trading_cost, trading_cost_usd
        Value given away in trades: fraction of NAV a year, and USD over the whole period.
    """

    total_return: float
    annual_return: float
    volatility: float
    max_drawdown: float
    sharpe: float
    turnover: float
    gas: int
    gas_usd: float
    trading_cost: float
    trading_cost_usd: float


def _path(nav: pd.Series) -> pd.Series:
    if len(nav) < 2:
        raise InputError(f"a path of {len(nav)} values has no return; give at least 2 days")
    if not isinstance(nav.index, pd.DatetimeIndex):
        raise InputError("a path must be indexed by dates (a DatetimeIndex)")
    values = nav.to_numpy(dtype=float)
    if not np.all(np.isfinite(values)) or np.any(values <= 0):
        raise InputError("a path must be finite and > 0 on every day; a total loss has no annual return")
    return nav


def years(index: pd.DatetimeIndex) -> float:
    """Years of 365 days between the first and the last date."""
    return float((index[-1] - index[0]) / pd.Timedelta(days=YEAR_DAYS))


def per_year(index: pd.DatetimeIndex) -> float:
    """Steps between rows in 365 days: 365 for daily rows, about 252 for a five-day week."""
    return (len(index) - 1) / years(index)


def annual_return(nav: pd.Series) -> float:
    """Compound return a year of a path `nav`, > 0: (last / first)^(1 / years) - 1. NaN on overflow."""
    path = _path(nav)
    growth = np.log(path.iloc[-1] / path.iloc[0]) / years(pd.DatetimeIndex(path.index))
    return float(np.expm1(growth)) if growth < 700 else float("nan")


def annual_volatility(nav: pd.Series) -> float:
    """Standard deviation (ddof 1) of simple returns x sqrt(rows a year). NaN under two returns."""
    path = _path(nav)
    returns = path.pct_change().iloc[1:]
    return float(returns.std(ddof=1) * np.sqrt(per_year(pd.DatetimeIndex(path.index))))


def sharpe(nav: pd.Series) -> float:
    """Mean simple return a year over volatility a year, risk-free rate 0. NaN where the latter is 0."""
    path = _path(nav)
    vol = annual_volatility(path)
    if not vol > 0:
        return float("nan")
    return float(path.pct_change().iloc[1:].mean() * per_year(pd.DatetimeIndex(path.index)) / vol)


def drawdown(nav: pd.Series) -> pd.Series:
    """Path of the loss from the running peak, in (-1, 0]."""
    path = _path(nav)
    return path / path.cummax() - 1


def max_drawdown(nav: pd.Series) -> float:
    """Deepest loss from a running peak, as a positive fraction in [0, 1)."""
    return float(max(0.0, -drawdown(nav).min()))


def ex_ante_risk_shares(weights: pd.DataFrame, covariances: FloatArray) -> pd.DataFrame:
    """Share of variance of each asset by an estimate: w_i (S w)_i / w'S w; zeros where w'S w is 0.

    Parameters
    ----------
    weights
        Date x asset.
    covariances
        Shape (days, n, n), the estimate of the same dates.
    """
    w = weights.to_numpy(dtype=float)
    if covariances.shape != (*w.shape, w.shape[1]):
        raise InputError(f"covariances have shape {covariances.shape}; weights have {w.shape}")
    contributions = w * np.einsum("tij,tj->ti", covariances, w)
    total = contributions.sum(axis=1, keepdims=True)
    shares = np.divide(contributions, total, out=np.zeros_like(w), where=total > 0)
    return pd.DataFrame(shares, index=weights.index, columns=weights.columns)


def ex_post_risk_shares(weights: pd.DataFrame, prices: pd.DataFrame) -> pd.Series:
    """Share of the realised variance of each asset: cov(c_i, sum c) / var(sum c), summing to 1.

    c_i = w_i(t-1) r_i(t) is what asset i, held since yesterday's close, added to today's return; r are
    simple returns of `prices`. Cash adds nothing. NaN where the portfolio did not move.

    Parameters
    ----------
    weights
        Date x asset, fraction of NAV at the end of the day.
    prices
        Date x asset, same dates.
    """
    if not weights.index.equals(prices.index) or list(weights.columns) != list(prices.columns):
        raise InputError("weights and prices must have the same dates and assets")
    contributions = (weights.shift(1) * prices.pct_change()).iloc[1:].to_numpy(dtype=float)
    if len(contributions) < 2:
        return pd.Series(np.nan, index=weights.columns)
    centred = contributions - contributions.mean(axis=0)
    portfolio = centred.sum(axis=1)
    variance = float(portfolio @ portfolio)
    shares = centred.T @ portfolio / variance if variance > 0 else np.full(centred.shape[1], np.nan)
    return pd.Series(shares, index=weights.columns)
