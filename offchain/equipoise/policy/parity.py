"""The one formula in floats, mirroring `RiskMath` and `ExposureMath` on chain.

a_i = e_i sigma_i,  rc_i = a_i (C a)_i,  share_i = rc_i / sum rc,  parity gap = max_i |share_i - b_i|.
"""

from __future__ import annotations

from math import sqrt

import numpy as np
from numpy.typing import ArrayLike

from equipoise.errors import InputError
from equipoise.types import FloatArray

__all__ = [
    "parity_gap",
    "portfolio_volatility",
    "risk_shares",
    "risk_state",
    "scaled_risk_state",
    "target_exposures",
]


def risk_shares(exposures: ArrayLike, vol_ann: ArrayLike, correlation: ArrayLike) -> FloatArray:
    """Share of the variance that each asset contributes, shape (n,), sum 1.

    Parameters
    ----------
    exposures
        Shape (n,), >= 0, fractions of NAV.
    vol_ann
        Shape (n,), > 0, per sqrt(year).
    correlation
        Shape (n, n).

    Returns
    -------
    array
        Zeros when no asset is held: a portfolio without risk has no shares.
    """
    a, C = _scaled(exposures, vol_ann, correlation)
    contributions = a * (C @ a)
    total = contributions.sum()
    return contributions / total if total > 0 else np.zeros_like(a)


def parity_gap(exposures: ArrayLike, vol_ann: ArrayLike, correlation: ArrayLike, budgets: ArrayLike) -> float:
    """max_i |share_i - b_i| in [0, 1]; 0 by definition when nothing is held."""
    return risk_state(exposures, vol_ann, correlation, budgets)[1]


def risk_state(
    exposures: ArrayLike, vol_ann: ArrayLike, correlation: ArrayLike, budgets: ArrayLike
) -> tuple[float, float]:
    """Volatility, as `portfolio_volatility`, and parity gap at once, as `RiskMath.riskState` on chain."""
    a, C = _scaled(exposures, vol_ann, correlation)
    return scaled_risk_state(a, C, _vector(budgets, "budgets", len(a)))


def scaled_risk_state(a: FloatArray, C: FloatArray, b: FloatArray) -> tuple[float, float]:
    """`risk_state` of a = e sigma, C and b that are known to be good: unchecked, for loops over days."""
    contributions = a * (C @ a)
    variance = float(contributions.sum())
    if not variance > 0:
        return 0.0, 0.0
    return sqrt(variance), float(np.abs(contributions / variance - b).max())


def portfolio_volatility(exposures: ArrayLike, vol_ann: ArrayLike, correlation: ArrayLike) -> float:
    """sqrt(a'Ca), annualised, of NAV."""
    a, C = _scaled(exposures, vol_ann, correlation)
    return float(np.sqrt(max(float(a @ C @ a), 0.0)))


def target_exposures(
    coordinates: ArrayLike, vol_ann: ArrayLike, target_vol: float, max_leverage: float = 1.0
) -> FloatArray:
    """sigma* x_i / sigma_i, scaled down when the sum exceeds `max_leverage`; fractions of NAV.

    Parameters
    ----------
    coordinates
        Shape (n,), or (..., n) for many days at once: parity coordinates, > 0.
    vol_ann
        Same shape, > 0, per sqrt(year).
    target_vol
        Target volatility sigma*, > 0, per sqrt(year).
    max_leverage
        Largest sum of exposures, > 0; 1 without borrowing.
    """
    x, sigma = np.asarray(coordinates, dtype=float), np.asarray(vol_ann, dtype=float)
    if x.shape != sigma.shape or x.ndim < 1 or x.size == 0:
        raise InputError(
            f"coordinates have shape {x.shape}, vol_ann {sigma.shape}; give one of each an asset"
        )
    if not (np.isfinite(x).all() and np.isfinite(sigma).all() and (x > 0).all() and (sigma > 0).all()):
        raise InputError("coordinates and vol_ann must be finite and > 0 for every asset")
    if not (target_vol > 0 and max_leverage > 0 and np.isfinite([target_vol, max_leverage]).all()):
        raise InputError(f"target_vol {target_vol} and max_leverage {max_leverage} must be finite and > 0")
    exposures = target_vol * x / sigma
    return np.asarray(exposures * np.minimum(1.0, max_leverage / exposures.sum(axis=-1, keepdims=True)))


def _scaled(
    exposures: ArrayLike, vol_ann: ArrayLike, correlation: ArrayLike
) -> tuple[FloatArray, FloatArray]:
    e = _vector(exposures, "exposures")
    sigma = _vector(vol_ann, "vol_ann", len(e))
    C = np.asarray(correlation, dtype=float)
    if (e < 0).any():
        raise InputError(f"exposure {e.min():g} is negative; exposures are >= 0")
    if (sigma <= 0).any():
        raise InputError(f"volatility {sigma.min():g} is not > 0")
    if C.shape != (len(e), len(e)) or not np.isfinite(C).all():
        raise InputError(
            f"correlation has shape {C.shape}; {len(e)} assets need a finite ({len(e)}, {len(e)})"
        )
    return e * sigma, C


def _vector(values: ArrayLike, name: str, n: int | None = None) -> FloatArray:
    vector = np.asarray(values, dtype=float)
    if vector.ndim != 1 or len(vector) == 0 or (n is not None and len(vector) != n):
        raise InputError(f"{name} has shape {vector.shape}; give one value for each of {n or 'the'} assets")
    if not np.isfinite(vector).all():
        raise InputError(f"{name} has values that are not finite")
    return vector
