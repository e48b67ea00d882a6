"""HAR: tomorrow's volatility from that of the last day, week and month (Corsi 2009), by least squares.

In volatilities, with the residual variance added back; a forecast outside what its own sample has seen is
brought to the nearest value that it has (the insanity filter of Bollerslev, Patton and Quaedvlieg 2016).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from equipoise.errors import EstimationError
from equipoise.estimation.models import capped, check_horizon, own_returns
from equipoise.types import FloatArray, IntArray
from equipoise.units import YEAR_DAYS

__all__ = ["HarModel"]

_SPANS = (1, 7, 30)


@dataclass(frozen=True)
class HarModel:
    """HAR on a daily variance proxy.

    Attributes
    ----------
    proxy
        Daily variances by day, as `range_based.garman_klass`, >= 0; squared returns when None, which are
        noisier. Its level does not matter, only how it moves.
    refit_every, least
        Returns between fits, and the fewest of a fit.
    """

    proxy: pd.Series | None = None
    refit_every: int = 30
    least: int = 250

    @property
    def name(self) -> str:
        return "HAR" if self.proxy is None else f"HAR, {self.proxy.name or 'range'}"

    def forecasts(self, closes: pd.Series, horizon_days: int) -> pd.Series:
        check_horizon(horizon_days)
        returns, days, per_day = own_returns(closes)
        daily = returns**2
        if self.proxy is not None:
            daily = self.proxy.reindex(days).to_numpy(dtype=float)
            if not (daily >= 0).all() or np.isinf(daily).any():
                at = int(np.flatnonzero(~(daily >= 0) | np.isinf(daily))[0])
                raise EstimationError(
                    f"the variance proxy of {closes.name} is {daily[at]:g} on {days[at]:%F}; give one that "
                    "is finite and >= 0 for every day that has a return"
                )
            # a range misses what happens while it is closed: its level is that of the returns so far
            known = np.cumsum(daily)
            daily = daily * np.divide(np.cumsum(returns**2), known, out=np.ones_like(known), where=known > 0)
        sums = np.concatenate([[0.0], np.cumsum(daily)])
        rows = np.arange(len(daily))
        past = np.column_stack([np.ones(len(daily)), *(_trailing(sums, rows, span) for span in _SPANS)])
        volatility = np.full(len(daily), np.nan)
        for first in range(self.least - 1, len(daily), self.refit_every):
            steps = max(1, round(horizon_days * per_day[first]))
            ended = np.arange(max(_SPANS), first + 1 - steps)  # their future ended by today
            if len(ended) < self.least // 2:
                continue
            ahead = np.sqrt((sums[ended + 1 + steps] - sums[ended + 1]) / steps)
            weights, *_ = np.linalg.lstsq(past[ended], ahead, rcond=None)
            spread = float(np.mean((ahead - past[ended] @ weights) ** 2))
            last = min(first + self.refit_every, len(daily))
            level = np.clip(past[first:last] @ weights, ahead.min(), ahead.max())
            volatility[first:last] = np.sqrt(level**2 + spread)
        return capped(pd.Series(volatility * np.sqrt(per_day * YEAR_DAYS), days, name=self.name), closes)


def _trailing(sums: FloatArray, rows: IntArray, span: int) -> FloatArray:
    """Root of the mean of the last `span` values, of fewer at the start."""
    begin = np.maximum(0, rows + 1 - span)
    return np.sqrt((sums[rows + 1] - sums[begin]) / (rows + 1 - begin))
