"""Volatility that returns to its mean: a GARCH(1,1) forecast averaged over the days ahead.

An EWMA expects today's volatility to last; GARCH expects it to drift back to the asset's own level, at a
speed learnt from its history. Bollerslev (1986); the fit is the `arch` package's, by maximum likelihood.
"""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd

from equipoise.errors import EstimationError
from equipoise.estimation.ewma import estimate
from equipoise.units import YEAR_DAYS

__all__ = ["CAP", "MIN_OBSERVATIONS", "garch_volatility"]

MIN_OBSERVATIONS = 250  # with fewer, the speed of return is guesswork
CAP = 4.0
# arch's own start, and (omega, alpha, beta): from one alone the optimiser at times stops far below the top,
# and the last digit of a price then decides where: two signers could differ by a factor of two
_STARTS = (None, np.array([0.1, 0.1, 0.8]), np.array([0.2, 0.8, 0.1]))


def garch_volatility(
    closes: pd.Series, horizon_days: int = 7, min_observations: int = MIN_OBSERVATIONS
) -> float:
    """Forecast one asset's volatility over the days after its last close.

    Parameters
    ----------
    closes
        Shape (T,), USD, > 0, NaN where the market was closed; DatetimeIndex by day, ascending. Nothing after
        the last row is known or used.
    horizon_days
        Calendar days ahead, >= 1; an asset that rests on weekends has fewer returns in them.
    min_observations
        Fewest returns, >= 30.

    Returns
    -------
    float
        Root of the mean variance over the horizon, per sqrt(year) of 365 days, within a factor `CAP` of the
        default EWMA volatility: beyond it the fit is wrong more often than the market.

    Raises
    ------
    EstimationError
        Too few returns, a price that never moves or is not finite, or a fit that did not converge.
    """
    if not horizon_days >= 1:
        raise EstimationError(f"horizon_days is {horizon_days}; it must be >= 1")
    closes = closes.dropna()
    if len(closes) - 1 < min_observations:
        raise EstimationError(
            f"{closes.name} has {max(len(closes) - 1, 0)} returns; GARCH needs at least {min_observations}: "
            "give more days, or leave GARCH out"
        )
    if not np.isfinite(closes).all():
        raise EstimationError(f"{closes.name} has a price of inf; prices are > 0 and finite: correct it")
    ewma = float(estimate(closes.to_frame()).vol_ann[0])  # also checks days and prices
    returns = np.diff(np.log(closes.to_numpy(dtype=float)))
    per_day = len(returns) / (closes.index[-1] - closes.index[0]).days
    # unit variance: the optimiser then sees a stablecoin and a memecoin alike
    scale = float(np.sqrt(np.mean(returns**2)))
    variance = _forecast(returns / scale, max(1, round(horizon_days * per_day)), str(closes.name))
    vol_ann = scale * float(np.sqrt(variance * per_day * YEAR_DAYS))
    return float(np.clip(vol_ann, ewma / CAP, ewma * CAP))


def _inside(parameters: np.ndarray) -> np.ndarray:
    """(omega, alpha, beta) moved into the domain: > 0, with alpha + beta < 1."""
    omega, alpha, beta = np.maximum(parameters, 1e-8)
    shrink = min(1.0, 0.9999 / (alpha + beta))
    return np.array([omega, alpha * shrink, beta * shrink])


def _forecast(returns: np.ndarray, steps: int, name: str) -> float:
    """Mean variance of the next `steps` returns, which have variance 1 so far, in the same unit."""
    from arch.univariate import GARCH, ZeroMean  # takes most of a second, which no command should pay unasked

    model = ZeroMean(returns, volatility=GARCH(p=1, q=1), rescale=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what they say is checked below
        fits = [model.fit(disp="off", show_warning=False, starting_values=start) for start in _STARTS]
        # one that gave up at the edge of its domain is started again from there: after a jump the likelihood
        # has a ridge along alpha = 0, on which the last digits would decide who arrives
        fits += [
            model.fit(disp="off", show_warning=False, starting_values=_inside(fit.params.to_numpy()))
            for fit in fits
            if fit.convergence_flag != 0
        ]
    converged = [fit for fit in fits if fit.convergence_flag == 0 and np.isfinite(fit.loglikelihood)]
    if not converged:
        flags = ", ".join(str(fit.convergence_flag) for fit in fits)
        raise EstimationError(
            f"GARCH of {name} did not converge (flags {flags}; one must be 0); "
            "give more days, or leave GARCH out"
        )
    best = max(converged, key=lambda fit: float(fit.loglikelihood))
    variance = float(best.forecast(horizon=steps, reindex=False).variance.to_numpy()[-1].mean())
    if not 0 < variance < np.inf:
        raise EstimationError(
            f"GARCH of {name} forecasts a variance of {variance:g}, not > 0 and finite; leave GARCH out"
        )
    return variance
