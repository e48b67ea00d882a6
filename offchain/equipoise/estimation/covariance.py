"""Covariance estimators in scikit-learn's manners: ours for skfolio and its kin, theirs for us.

They estimate from a table of returns, a row a period, and set `covariance_` in the unit of those returns, as
`sklearn.covariance` does; a year is the caller's business. DCC follows Engle (2002).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.utils.validation import validate_data

from equipoise.errors import EstimationError
from equipoise.estimation.ewma import Estimate, check_prices
from equipoise.estimation.psd import repair_correlation
from equipoise.estimation.shrinkage import ledoit_wolf, oracle_approximating, shrink_constant
from equipoise.marketdata.returns import common_returns
from equipoise.types import FloatArray
from equipoise.units import YEAR_DAYS

__all__ = ["DccCovariance", "EwmaCovariance", "ShrunkCovariance", "estimate_with"]

LEAST = 30


class _Covariance(BaseEstimator):
    """`fit`, `covariance_`, `correlation_`, `location_`; means are taken as zero, as in `ewma`."""

    def fit(self, X: Any, y: Any = None) -> _Covariance:
        """Estimate from returns X, shape (T, n); `y` is not read.

        Raises
        ------
        ValueError
            What scikit-learn refuses: NaN, infinity, no rows. `EstimationError`, one too, for fewer than 30
            rows and for a column that does not move.
        """
        returns = validate_data(self, X, dtype=np.float64)
        if len(returns) < LEAST:
            raise EstimationError(f"{len(returns)} returns; at least {LEAST} are needed: give more rows")
        still = np.flatnonzero(~returns.any(axis=0))
        if len(still):
            raise EstimationError(f"column {still[0]} does not move; leave it out")
        volatility, correlation = self._estimate(returns)
        self.correlation_ = repair_correlation(correlation)
        self.covariance_ = self.correlation_ * volatility[:, None] * volatility
        self.location_ = np.zeros(returns.shape[1])
        return self

    def _estimate(self, returns: FloatArray) -> tuple[FloatArray, FloatArray]:
        raise NotImplementedError


class EwmaCovariance(_Covariance):
    """Exponentially weighted volatilities and correlations, shrunk by `intensity` to the identity."""

    def __init__(self, decay: float = 0.94, correlation_decay: float = 0.97, intensity: float = 0.05) -> None:
        self.decay = decay
        self.correlation_decay = correlation_decay
        self.intensity = intensity

    def _estimate(self, returns: FloatArray) -> tuple[FloatArray, FloatArray]:
        volatility = np.sqrt(_weighted(returns**2, self.decay))
        products = _weighted(returns[:, :, None] * returns[:, None, :], self.correlation_decay)
        return volatility, shrink_constant(_correlation(products), self.intensity)


class ShrunkCovariance(_Covariance):
    """Equal weights, shrunk as the data say: `method` "ledoit-wolf" or "oas"."""

    def __init__(self, method: str = "ledoit-wolf") -> None:
        self.method = method

    def _estimate(self, returns: FloatArray) -> tuple[FloatArray, FloatArray]:
        methods = {"ledoit-wolf": ledoit_wolf, "oas": oracle_approximating}
        if self.method not in methods:
            raise EstimationError(f"method is {self.method!r}; choose {' or '.join(methods)}")
        return np.sqrt((returns**2).mean(axis=0)), methods[self.method](returns)


class DccCovariance(_Covariance):
    """Dynamic conditional correlation: returns over their EWMA volatility, then Q = (1-a-b) R + a zz' + b Q.

    a and b maximise the composite likelihood of neighbouring pairs (Engle, Shephard and Sheppard 2008), which
    stays well behaved for many assets. `correlation_` is that of the day after the last row.
    """

    def __init__(self, decay: float = 0.94, intensity: float = 0.05) -> None:
        self.decay = decay
        self.intensity = intensity

    def _estimate(self, returns: FloatArray) -> tuple[FloatArray, FloatArray]:
        from scipy.optimize import minimize

        T, n = returns.shape
        variance = np.empty((T + 1, n))
        variance[0] = (returns[:LEAST] ** 2).mean(axis=0)
        for t in range(T):
            variance[t + 1] = self.decay * variance[t] + (1 - self.decay) * returns[t] ** 2
        z = returns / np.sqrt(np.maximum(variance[:-1], 1e-12 * variance.max(axis=0)))
        target = _correlation(z.T @ z / T)
        if n > 1:
            pairs = np.arange(n), (np.arange(n) + 1) % n
            found = minimize(_composite, [-3.0, 3.0], (z, target, pairs), method="Nelder-Mead")
            self.a_, self.b_ = _shares(found.x)
        else:
            self.a_, self.b_ = 0.0, 0.0
        Q = target.copy()
        for t in range(T):
            Q = (1 - self.a_ - self.b_) * target + self.a_ * np.outer(z[t], z[t]) + self.b_ * Q
        return np.sqrt(variance[-1]), shrink_constant(_correlation(Q), self.intensity)


def estimate_with(prices: pd.DataFrame, estimator: Any) -> Estimate:
    """An `Estimate` from anybody's estimator: `fit` and `covariance_`, as scikit-learn's and skfolio's.

    Parameters
    ----------
    prices
        Shape (T, n), USD, NaN where a market was closed; log returns between common days are given to it.
    estimator
        It is fitted; clone it before if that matters.

    Raises
    ------
    EstimationError
        Prices as `ewma.estimate` refuses them; no `covariance_` of shape (n, n) after the fit, or one that is
        no covariance.
    """
    check_prices(prices)
    returns = common_returns(prices)
    if len(returns) < LEAST:
        raise EstimationError(f"{len(returns)} common returns; at least {LEAST} are needed: give more days")
    estimator.fit(returns)
    covariance = np.asarray(getattr(estimator, "covariance_", np.nan), dtype=float)
    n = prices.shape[1]
    if covariance.shape != (n, n) or not np.isfinite(covariance).all() or (np.diag(covariance) <= 0).any():
        raise EstimationError(
            f"{type(estimator).__name__} has a covariance_ of shape {covariance.shape}; it must be "
            f"({n}, {n}), finite, with a diagonal > 0"
        )
    common = prices.dropna().index
    per_year = len(returns) / (common[-1] - common[0]).days * YEAR_DAYS
    volatility = np.sqrt(np.diag(covariance) * per_year)
    correlation = repair_correlation(_correlation((covariance + covariance.T) / 2))
    return Estimate(volatility, correlation, common[-1].date(), len(returns))


def _weighted(values: FloatArray, decay: float) -> FloatArray:
    """Mean along the first axis, the weight of a row `decay` times that of the next."""
    if not 0 < decay < 1:
        raise EstimationError(f"decay is {decay}; it must be in (0, 1)")
    weights = decay ** np.arange(len(values))[::-1]
    return np.asarray(np.tensordot(weights / weights.sum(), values, axes=1))


def _correlation(covariance: FloatArray) -> FloatArray:
    scale = 1 / np.sqrt(np.diag(covariance))
    C = covariance * scale[:, None] * scale
    np.fill_diagonal(C, 1.0)
    return C


def _shares(parameters: FloatArray) -> tuple[float, float]:
    """a, b >= 0 with a + b < 1 from two numbers without bounds."""
    a, b = np.exp(np.minimum(parameters, 30.0))
    return float(a / (1 + a + b)), float(b / (1 + a + b))


def _composite(
    parameters: FloatArray, z: FloatArray, target: FloatArray, pairs: tuple[FloatArray, FloatArray]
) -> float:
    """Minus the mean log likelihood of pairs of standardised returns."""
    a, b = _shares(parameters)
    i, j = pairs
    own_i = own_j = np.ones(len(i))
    cross = rho_bar = target[i, j]
    rest, total = 1 - a - b, 0.0
    for row in z:
        u, v = row[i], row[j]
        rho = np.clip(cross / np.sqrt(own_i * own_j), -0.9999, 0.9999)
        left = 1 - rho**2
        total += float((np.log(left) + (u * u - 2 * rho * u * v + v * v) / left).sum())
        own_i, own_j = rest + a * u * u + b * own_i, rest + a * v * v + b * own_j
        cross = rest * rho_bar + a * u * v + b * cross
    return total / z.size
