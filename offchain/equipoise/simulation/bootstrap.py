"""How much of a figure is luck: confidence intervals from resampled blocks of days.

The stationary bootstrap of Politis and Romano (1994) keeps the clustering of volatility; the mean length of
its blocks is that of Politis and White (2004), both through `arch`. All portfolios are resampled by the same
blocks, so that differences between them are paired.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from equipoise.errors import InputError
from equipoise.simulation.benchmarks import Portfolio
from equipoise.simulation.metrics import per_year
from equipoise.types import FloatArray

__all__ = ["FIGURES", "Interval", "Uncertainty", "bootstrap"]

FIGURES = ("annual_return", "volatility", "sharpe", "max_drawdown")
LEAST_DAYS = 60


@dataclass(frozen=True)
class Interval:
    """Bounds of a confidence interval."""

    low: float
    high: float


@dataclass(frozen=True)
class Uncertainty:
    """Confidence intervals of several portfolios.

    Attributes
    ----------
    level
        E.g. 0.9: nine resamples in ten lie between the bounds.
    resamples, seed, block
        How many, of which random numbers, and the mean length of a block in days.
    figures
        Key of a portfolio -> one of `FIGURES` -> interval.
    sharpe_gain
        Key -> interval of the Sharpe ratio of the first portfolio less that portfolio's.
    """

    level: float
    resamples: int
    seed: int
    block: int
    figures: dict[str, dict[str, Interval]]
    sharpe_gain: dict[str, Interval]


def bootstrap(
    portfolios: Sequence[Portfolio],
    *,
    resamples: int = 1000,
    level: float = 0.9,
    seed: int = 7,
    block: int | None = None,
) -> Uncertainty:
    """Intervals of the figures of portfolios on the same days; the first is compared with the others.

    Parameters
    ----------
    portfolios
        One or more, at least `LEAST_DAYS` returns each.
    resamples
        >= 100.
    level
        In [0.5, 1).
    seed
        Equal seeds and blocks resample the same days.
    block
        Mean length of a block in days, >= 1; that of Politis and White (2004) by default.

    Raises
    ------
    InputError
        An argument outside its domain.
    """
    from arch.bootstrap import StationaryBootstrap, optimal_block_length

    if not resamples >= 100 or not 0.5 <= level < 1:
        raise InputError(f"resamples is {resamples} and level {level}; give 100 or more and 0.5 to below 1")
    returns = pd.DataFrame({p.key: p.nav.pct_change().iloc[1:] for p in portfolios})
    if len(returns) < LEAST_DAYS:
        raise InputError(
            f"{len(returns)} days of returns; a bootstrap needs at least {LEAST_DAYS}; give a longer history"
        )
    if block is None:
        # volatility clusters: the blocks are as long as the squares remember; a path that rests has none
        squares = ((returns - returns.mean()) ** 2).loc[:, returns.std() > 0]
        with np.errstate(invalid="ignore", divide="ignore"):
            lengths = optimal_block_length(squares)["stationary"] if squares.shape[1] else pd.Series([1.0])
        block = round(np.clip(lengths.fillna(1.0).max(), 1, len(returns) // 4))
    if not 1 <= block <= len(returns):
        raise InputError(f"block is {block}; give 1 to {len(returns)} days")
    sampler = StationaryBootstrap(block, np.arange(len(returns)), seed=seed)
    days = np.array([sample[0][0] for sample in sampler.bootstrap(resamples)])
    rate = per_year(pd.DatetimeIndex(portfolios[0].nav.index))
    drawn = {p.key: _figures(returns[p.key].to_numpy()[days], rate) for p in portfolios}
    figures = {
        key: {name: _interval(values[name], level) for name in FIGURES} for key, values in drawn.items()
    }
    own = drawn[portfolios[0].key]["sharpe"]
    gains = {p.key: _interval(own - drawn[p.key]["sharpe"], level) for p in portfolios[1:]}
    return Uncertainty(level, resamples, seed, block, figures, gains)


def _interval(values: FloatArray, level: float) -> Interval:
    """The middle `level` of those that exist; NaN when none does (a path that rests has no Sharpe ratio)."""
    known = values[np.isfinite(values)]
    if not len(known):
        return Interval(float("nan"), float("nan"))
    low, high = np.quantile(known, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(low), float(high))


def _figures(returns: FloatArray, rate: float) -> dict[str, FloatArray]:
    """`FIGURES` of each row of daily returns (resamples, days)."""
    logs = np.log1p(returns).cumsum(axis=1)
    deviation = returns.std(axis=1, ddof=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        sharpe = returns.mean(axis=1) / deviation * np.sqrt(rate)
    peaks = np.maximum(np.maximum.accumulate(logs, axis=1), 0.0)
    return {
        "annual_return": np.expm1(logs[:, -1] / returns.shape[1] * rate),
        "volatility": deviation * np.sqrt(rate),
        "sharpe": sharpe,
        "max_drawdown": -np.expm1((logs - peaks).min(axis=1)),
    }
