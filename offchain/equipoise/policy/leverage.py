"""How much leverage is allowed, in floats, mirroring `LeverageMath` on chain.

leverage L = sum of exposures; debt = L + buffer - 1; all over NAV, of which `buffer` stays in cash.
"""

from __future__ import annotations

from math import inf, isfinite

import numpy as np
from numpy.typing import ArrayLike

from equipoise.errors import InputError
from equipoise.types import FloatArray

__all__ = ["age_cap", "health_cap", "health_factor", "ripcord_fraction"]


def health_factor(exposures: ArrayLike, thresholds: ArrayLike, debt: float) -> float:
    """sum e_i LT_i / debt, as Aave computes it; infinite without debt.

    Parameters
    ----------
    exposures, thresholds
        Shape (n,): value of each asset, and its liquidation threshold in [0, 1].
    debt
        In the unit of the exposures, >= 0.
    """
    backing = float(np.dot(np.asarray(exposures, dtype=float), np.asarray(thresholds, dtype=float)))
    if not (debt >= 0 and isfinite(backing)):
        raise InputError(f"debt {debt} must be >= 0 and what backs it, {backing}, finite")
    return backing / debt if debt > 0 else inf


def health_cap(
    exposures: ArrayLike, thresholds: ArrayLike, target_health: float, buffer: float
) -> float | FloatArray:
    """Largest leverage at which the health factor is at least its target: h (1 - b) / (h - LT).

    Parameters
    ----------
    exposures
        Shape (n,), or (..., n) for many days at once, >= 0: only their proportions count.
    thresholds
        Shape (n,), in [0, 1]; 0 for an asset that backs no debt.
    target_health
        h > 1.
    buffer
        b in [0, 1), fraction of NAV kept in cash.

    Returns
    -------
    float, or array (...)
        Infinite for an empty portfolio.
    """
    e, lt = np.asarray(exposures, dtype=float), np.asarray(thresholds, dtype=float)
    # a NaN must not pass for an empty portfolio, which has no cap
    if e.shape[-1:] != lt.shape or not ((e >= 0) & np.isfinite(e) & (lt >= 0) & (lt <= 1)).all():
        raise InputError("exposures must be finite, >= 0 and thresholds in [0, 1], one for each asset")
    if not target_health > 1 or not 0 <= buffer < 1:
        raise InputError(f"target_health {target_health} must be > 1 and buffer {buffer} in [0, 1)")
    total = e.sum(axis=-1)
    backing = np.divide(e @ lt, total, out=np.zeros_like(total), where=total > 0)
    cap = np.where(total > 0, target_health * (1 - buffer) / (target_health - backing), inf)
    return cap if cap.ndim else float(cap)


def age_cap(age: float, fresh_for: float, delever_after: float, max_leverage: float) -> float:
    """Leverage allowed at a report's age: the maximum while fresh, then a straight line down to 1.

    Parameters
    ----------
    age, fresh_for, delever_after
        Seconds, 0 <= fresh_for <= delever_after.
    max_leverage
        > 0; below 1 it holds at every age.
    """
    if not 0 <= fresh_for <= delever_after or not age >= 0 or not max_leverage > 0:
        raise InputError("ages must be >= 0 with fresh_for <= delever_after, and max_leverage > 0")
    if age <= fresh_for or max_leverage <= 1:
        return max_leverage
    if age >= delever_after:
        return 1.0
    return 1 + (max_leverage - 1) * (delever_after - age) / (delever_after - fresh_for)


def ripcord_fraction(
    health: float, target_health: float, collateral: float, debt: float, discount: float
) -> float:
    """Fraction of every asset whose sale restores the target: (h - HF) D / (h C (1 - d) - HF D), in [0, 1].

    Parameters
    ----------
    health, target_health
        HF now, and h.
    collateral, debt
        C and D in USD, >= 0.
    discount
        d in [0, 1): what a buyer pays less than mid.
    """
    if not all(v >= 0 for v in (health, target_health, collateral, debt)) or not 0 <= discount < 1:
        raise InputError("health factors, collateral and debt must be >= 0, discount in [0, 1)")
    if health >= target_health:
        return 0.0
    wanted = target_health * collateral * (1 - discount) - health * debt
    return 1.0 if wanted <= 0 else min(1.0, (target_health - health) * debt / wanted)
