"""Check a claimed solution without trusting whoever computed it."""

from __future__ import annotations

import numpy as np

from equipoise.types import FloatArray

__all__ = ["certificate_error", "risk_contributions", "share_error"]


def certificate_error(correlation: FloatArray, coordinates: FloatArray, budgets: FloatArray) -> float:
    """max_i |x_i (C x)_i - b_i|, the quantity that the contract bounds by 1e-6.

    Shapes (n, n), (n,), (n,). A non-positive or non-finite coordinate gives infinity.
    """
    x = np.asarray(coordinates, dtype=float)
    if not np.all(np.isfinite(x)) or np.any(x <= 0):
        return float("inf")
    return float(np.abs(x * (np.asarray(correlation) @ x) - budgets).max())


def risk_contributions(covariance: FloatArray, weights: FloatArray) -> FloatArray:
    """RC_i = w_i (S w)_i / sigma_p, shape (n,): they sum to the portfolio's volatility sigma_p.

    Maillard, Roncalli and Teiletche (2010). (S w)_i / sigma_p alone is the marginal risk.
    """
    w = np.asarray(weights, dtype=float)
    marginal = np.asarray(covariance) @ w
    variance = float(w @ marginal)
    return w * marginal / np.sqrt(variance) if variance > 0 else np.zeros_like(w)


def share_error(correlation: FloatArray, scaled: FloatArray, budgets: FloatArray) -> FloatArray:
    """max_i |share_i - b_i| for a_i = w_i sigma_i; shapes (m, n, n), (m, n), (m, n) to (m,)."""
    contributions = scaled * (correlation @ scaled[..., None])[..., 0]
    shares = contributions / contributions.sum(axis=-1, keepdims=True)
    return np.abs(shares - budgets).max(axis=-1)
