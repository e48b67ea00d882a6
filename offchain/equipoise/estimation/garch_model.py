"""Rolling GARCH(1,1) and GJR forecasts: parameters by `arch` now and then, the variance followed every day.

GJR (Glosten, Jagannathan and Runkle 1993) lets a fall raise volatility by more than a rise of the same size.
EGARCH is not offered: its forecasts were seen to explode.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd

from equipoise.estimation.models import capped, check_horizon, own_returns
from equipoise.types import FloatArray
from equipoise.units import YEAR_DAYS

__all__ = ["GarchModel"]


@dataclass(frozen=True)
class GarchModel:
    """GARCH(1,1), or GJR where `asymmetric`.

    Attributes
    ----------
    refit_every
        Returns between fits; the parameters hold between them.
    window
        Returns that a fit looks back at.
    least
        Fewest returns of a fit.
    """

    asymmetric: bool = False
    refit_every: int = 60
    window: int = 1500
    least: int = 250

    @property
    def name(self) -> str:
        return "GJR" if self.asymmetric else "GARCH"

    def forecasts(self, closes: pd.Series, horizon_days: int) -> pd.Series:
        check_horizon(horizon_days)
        returns, days, per_day = own_returns(closes)
        variance = np.full(len(returns), np.nan)
        for first in range(self.least - 1, len(returns), self.refit_every):
            seen = returns[max(0, first + 1 - self.window) : first + 1]
            fitted = _fit(seen, self.asymmetric)
            if fitted is None:
                continue  # this stretch has no opinion
            last = min(first + self.refit_every, len(returns))
            next_variance = _followed(returns[:last], fitted, float(np.mean(seen**2)))
            steps = np.maximum(1, np.round(horizon_days * per_day[first:last])).astype(int)
            variance[first:last] = _mean_ahead(next_variance[first:last], fitted, steps)
        forecast = pd.Series(np.sqrt(variance * per_day * YEAR_DAYS), days, name=self.name)
        return capped(forecast, closes)


def _fit(returns: FloatArray, asymmetric: bool) -> FloatArray | None:
    """(omega, alpha, gamma, beta) in the unit of the returns squared; None when no fit converged."""
    from arch.univariate import GARCH, ZeroMean

    scale = float(np.sqrt(np.mean(returns**2)))
    if not scale > 0:
        return None
    model = ZeroMean(returns / scale, volatility=GARCH(p=1, o=int(asymmetric), q=1), rescale=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit = model.fit(disp="off", show_warning=False)
    if fit.convergence_flag != 0:
        return None
    values = fit.params.to_numpy()
    omega, alpha, beta = values[0], values[1], values[-1]
    gamma = values[2] if asymmetric else 0.0
    return np.array([omega * scale**2, alpha, gamma, beta])


def _followed(returns: FloatArray, fitted: FloatArray, start: float) -> FloatArray:
    """Variance expected of the return after each of `returns`."""
    omega, alpha, gamma, beta = fitted
    news = omega + (alpha + gamma * (returns < 0)) * returns**2
    variance, last = np.empty(len(returns)), start
    for t, value in enumerate(news):
        last = value + beta * last
        variance[t] = last
    return variance


def _mean_ahead(variance: FloatArray, fitted: FloatArray, steps: FloatArray) -> FloatArray:
    """Mean variance of the next `steps` returns, from that of the next one."""
    omega, alpha, gamma, beta = fitted
    persistence = min(alpha + gamma / 2 + beta, 0.9999)
    mean = omega / (1 - persistence)
    fading = (1 - persistence**steps) / (1 - persistence) / steps
    return mean + (variance - mean) * fading
