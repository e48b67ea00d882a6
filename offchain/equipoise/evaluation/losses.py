"""Losses of variance forecasts, and whether one forecast beats another by more than chance.

QLIKE and squared error rank forecasts alike whichever unbiased proxy stands for the unseen variance (Patton
2011). QLIKE punishes forecasts that are too low, as a vault with debt would be.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from equipoise.errors import EstimationError
from equipoise.types import FloatArray

__all__ = ["DieboldMariano", "diebold_mariano", "qlike", "squared_error"]

LEAST = 30


@dataclass(frozen=True)
class DieboldMariano:
    """Test of equal losses.

    Attributes
    ----------
    difference
        Mean loss of the first forecast less that of the second: < 0 where the first is better.
    statistic, p_value
        Student t with T - 1 degrees of freedom; two-sided.
    """

    difference: float
    statistic: float
    p_value: float


def qlike(realised: FloatArray, forecast: FloatArray) -> FloatArray:
    """h / f - ln(h / f) - 1 for variances h (T,), >= 0, and f (T,), > 0; 0 for a perfect forecast.

    A day without any move has h = 0; it counts with the smallest positive variance of the sample.
    """
    h, f = _pair(realised, forecast)
    if not (h > 0).any():
        raise EstimationError("nothing moved: no realised variance is > 0")
    ratio = np.maximum(h, h[h > 0].min()) / f
    return np.asarray(ratio - np.log(ratio) - 1)


def squared_error(realised: FloatArray, forecast: FloatArray) -> FloatArray:
    """(h - f)^2 for variances (T,)."""
    h, f = _pair(realised, forecast)
    return np.asarray((h - f) ** 2)


def diebold_mariano(first: FloatArray, second: FloatArray, horizon: int = 1) -> DieboldMariano:
    """Diebold and Mariano (1995) on losses (T,) of forecasts `horizon` steps ahead, made at every step.

    Overlapping horizons make losses follow each other: the variance is Newey and West's with at least
    horizon - 1 lags, the statistic has the small-sample factor of Harvey, Leybourne and Newbold (1997).
    """
    from arch.covariance.kernel import Bartlett
    from scipy.stats import t as student

    a, b = np.asarray(first, dtype=float), np.asarray(second, dtype=float)
    T = len(a)
    if a.shape != b.shape or a.ndim != 1 or max(LEAST, 3 * horizon) > T:
        raise EstimationError(
            f"losses have shapes {a.shape} and {b.shape}; give two of one length, at least "
            f"{max(LEAST, 3 * horizon)} for a horizon of {horizon}"
        )
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        raise EstimationError("losses must be finite; leave out days without a forecast of both")
    d = a - b
    lags = max(horizon - 1, int(4 * (T / 100) ** (2 / 9)))
    variance = float(np.asarray(Bartlett(d[:, None], bandwidth=lags).cov.long_run)[0, 0])
    if not variance > 0:
        return DieboldMariano(float(d.mean()), 0.0, 1.0)
    factor = np.sqrt((T + 1 - 2 * horizon + horizon * (horizon - 1) / T) / T)
    statistic = float(factor * d.mean() / np.sqrt(variance / T))
    return DieboldMariano(float(d.mean()), statistic, float(2 * student.sf(abs(statistic), T - 1)))


def _pair(realised: FloatArray, forecast: FloatArray) -> tuple[FloatArray, FloatArray]:
    h, f = np.asarray(realised, dtype=float), np.asarray(forecast, dtype=float)
    if h.shape != f.shape or h.ndim != 1 or h.size == 0:
        raise EstimationError(f"realised has shape {h.shape}, forecast {f.shape}; give two of one length")
    if not ((f > 0) & np.isfinite(f)).all():
        at = int(np.flatnonzero(~((f > 0) & np.isfinite(f)))[0])
        raise EstimationError(f"forecast {at} is {f[at]:g}; variances are > 0 and finite")
    if not ((h >= 0) & np.isfinite(h)).all():
        at = int(np.flatnonzero(~((h >= 0) & np.isfinite(h)))[0])
        raise EstimationError(f"realised variance {at} is {h[at]:g}; it is >= 0 and finite")
    return h, f
