"""Shrinkage of correlation matrices towards the identity."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from equipoise.errors import EstimationError
from equipoise.types import FloatArray

__all__ = ["ledoit_wolf", "oracle_approximating", "shrink_constant"]


def shrink_constant(correlation: FloatArray, intensity: float = 0.05) -> FloatArray:
    """(1 - intensity) C + intensity I, for (..., n, n); its smallest eigenvalue is >= intensity."""
    if not 0 <= intensity <= 1:
        raise EstimationError(f"shrinkage intensity {intensity} is outside [0, 1]")
    return (1.0 - intensity) * correlation + intensity * np.eye(correlation.shape[-1])


def ledoit_wolf(returns: FloatArray) -> FloatArray:
    """Correlation by Ledoit and Wolf (2004): the data choose the intensity.

    Parameters
    ----------
    returns
        Shape (T, n), zero mean assumed, equal weights; scaled to unit variance before the shrinkage, so
        that the target is the identity.

    Returns
    -------
    array
        Shape (n, n), positive definite, unit diagonal.
    """
    from sklearn.covariance import ledoit_wolf as fit

    return _fitted(returns, fit)


def oracle_approximating(returns: FloatArray) -> FloatArray:
    """Correlation by OAS (Chen, Wiesel, Eldar and Hero 2010), for normal returns; as `ledoit_wolf`."""
    from sklearn.covariance import oas as fit

    return _fitted(returns, fit)


def _fitted(returns: FloatArray, fit: Callable[..., tuple[FloatArray, float]]) -> FloatArray:
    scale = np.sqrt((returns**2).mean(axis=0))
    if not (scale > 0).all():
        raise EstimationError(f"column {int(np.argmin(scale))} does not move; leave it out")
    covariance, _ = fit(returns / scale, assume_centered=True)
    sigma = np.sqrt(np.diag(covariance))
    return covariance / np.outer(sigma, sigma)
