r"""Risk budgeting under caps and floors on weights (Richard and Roncalli 2019, "Constrained Risk Budgeting").

For \lambda > 0 let w(\lambda) minimise w'Sw / 2 - \lambda \sum_i b_i ln w_i over lower <= w <= upper; the
portfolio is the w(\lambda) that sums to 1. Assets between their bounds then contribute risk exactly in
proportion to their budgets; those at a bound cannot, and the report says by how much.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from equipoise.errors import SolverError
from equipoise.solver.checks import as_array, as_budgets, as_start
from equipoise.solver.parity import solve_parity
from equipoise.types import FloatArray

__all__ = ["ConstrainedSolution", "solve_parity_constrained"]

TOLERANCE = 1e-8
"""Largest relative error of a free asset's contribution, and of the sum of weights."""

_STEPS = 200
_CLOSE = 1e-12
_REACH = (-np.log(4.0), np.log(4.0))
_LEAST = 4.0**-100


@dataclass(frozen=True)
class ConstrainedSolution:
    """Portfolio within its bounds.

    Attributes
    ----------
    weights
        Shape (n,), within the bounds, sum 1.
    volatility
        sqrt(w' S w).
    contributions
        Shape (n,), w_i (S w)_i / volatility.
    at_lower, at_upper
        Shape (n,): held by a bound. The others' contributions are proportional to their budgets.
    budget_gap
        Shape (n,): share of variance less budget; 0 everywhere when no bound binds.
    max_error
        Largest relative error of a free asset's contribution.
    """

    weights: FloatArray
    volatility: float
    contributions: FloatArray
    at_lower: np.ndarray
    at_upper: np.ndarray
    budget_gap: FloatArray
    max_error: float

    @property
    def unmet(self) -> tuple[int, ...]:
        """Assets whose budget a bound keeps from being met."""
        return tuple(map(int, np.flatnonzero(self.at_lower | self.at_upper)))


def solve_parity_constrained(
    covariance: ArrayLike,
    budgets: ArrayLike | None = None,
    *,
    lower: ArrayLike = 0.0,
    upper: ArrayLike = 1.0,
    start: ArrayLike | None = None,
) -> ConstrainedSolution:
    """Risk budgeting with floors and caps.

    Parameters
    ----------
    covariance, budgets
        As `solve_parity`.
    lower, upper
        A number for all or shape (n,), 0 <= lower <= upper <= 1, with sum(lower) <= 1 <= sum(upper).
    start
        Shape (n,), > 0: weights to start from, e.g. of yesterday's matrix.

    Raises
    ------
    SolverError
        An input is outside its domain, the bounds admit no portfolio, or the certificate fails.
    """
    free = solve_parity(covariance, budgets)  # checks matrix and budgets
    S = np.asarray(covariance, dtype=float)
    n = len(S)
    b = as_budgets(budgets, n)
    low, high = _bounds(lower, upper, n)
    w = free.weights if start is None else as_start(start, n, "weights")
    if (free.weights >= low).all() and (free.weights <= high).all():
        return _solution(S, b, free.weights, low - 1.0, high + 1.0, free.volatility**2)
    scale = float(np.trace(S)) / n
    S = (S + S.T) / 2 / scale
    w = np.clip(w, low, high)
    # at a solution lambda is w_i (S w)_i / b_i of each asset off its bounds
    levels = (w * (S @ w) / b)[(w > low) & (w < high)]
    near = float(np.median(levels)) if levels.size else 0.0
    w, multiplier = _on_the_budget_line(S, b, low, high, near if near > 0 else free.volatility**2 / scale, w)
    return _solution(S * scale, b, w, low, high, multiplier * scale)


def _bounds(lower: ArrayLike, upper: ArrayLike, n: int) -> tuple[FloatArray, FloatArray]:
    made = []
    for name, values in (("lower", lower), ("upper", upper)):
        array = as_array(values, name)
        if array.shape not in ((), (n,)):
            raise SolverError(f"{name} has shape {array.shape}; give a number, or one an asset, ({n},)")
        made.append(np.broadcast_to(array, (n,)).astype(float))
    low, high = made
    wrong = ~((low >= 0) & (low <= high) & (high <= 1) & (high > 0))
    if wrong.any():
        i = int(np.flatnonzero(wrong)[0])
        raise SolverError(
            f"bounds of asset {i} are {low[i]:g} to {high[i]:g}; they must be 0 <= lower <= upper <= 1, and "
            "upper > 0"
        )
    if not low.sum() <= 1 + _CLOSE:
        raise SolverError(f"floors sum to {low.sum():.6g}, above 1; lower some of them")
    if not high.sum() >= 1 - _CLOSE:
        raise SolverError(f"caps sum to {high.sum():.6g}, below 1; raise some of them")
    return low, high


def _on_the_budget_line(
    S: FloatArray, b: FloatArray, low: FloatArray, high: FloatArray, multiplier: float, w: FloatArray
) -> tuple[FloatArray, float]:
    """w(lambda) with sum 1, and lambda: Newton on ln lambda within a bracket, else bisection."""
    bottom, top, least = 0.0, np.inf, multiplier * _LEAST
    gap = np.inf
    for _ in range(_STEPS):
        w = _minimise(S, b, low, high, multiplier, w)
        last, gap = gap, float(w.sum()) - 1
        if abs(gap) <= _CLOSE or top <= bottom * (1 + 4e-16):
            break
        bottom, top = (bottom, multiplier) if gap > 0 else (multiplier, top)
        if top < least:
            raise SolverError("hedges keep the floors from summing to 1 at any risk; lower the floors")
        # a factor of 4 at most: bounds that bind change the slope
        guess = multiplier * float(np.exp(np.clip(-gap / _slope(S, b, low, high, multiplier, w), *_REACH)))
        if bottom < guess < top and abs(gap) < 0.5 * abs(last):
            multiplier = guess
        elif bottom == 0 or top == np.inf:
            multiplier *= 0.25 if gap > 0 else 4.0
        else:
            multiplier = float(np.sqrt(bottom * top))
    return w, multiplier


def _slope(
    S: FloatArray, b: FloatArray, low: FloatArray, high: FloatArray, multiplier: float, w: FloatArray
) -> float:
    """Derivative of the sum of w(lambda) by ln lambda; that of the pull of those off their bounds."""
    free = (w > low) & (w < high)
    pull = (multiplier * b / w)[free]
    return float(np.linalg.solve(S[np.ix_(free, free)] + np.diag(pull / w[free]), pull).sum()) or 1e-300


def _minimise(
    S: FloatArray, b: FloatArray, low: FloatArray, high: FloatArray, multiplier: float, start: FloatArray
) -> FloatArray:
    """w(lambda) by Newton on the coordinates that are free to move, projected on the bounds."""

    def value(w: FloatArray) -> float:
        return float(w @ S @ w / 2 - multiplier * (b @ np.log(w)))

    floor = np.maximum(low, 1e-300)
    w = np.clip(start, np.maximum(floor, 1e-12 * high), high)
    for _ in range(_STEPS):
        pull = multiplier * b / w
        gradient = S @ w - pull
        held = ((w <= floor) & (gradient > 0)) | ((w >= high) & (gradient < 0))
        free = ~held
        if not free.any() or np.abs(gradient[free] / pull[free]).max() <= _CLOSE:
            break
        d = np.zeros_like(w)
        d[free] = np.linalg.solve(S[np.ix_(free, free)] + np.diag(pull[free] / w[free]), gradient[free])
        t = min(1.0, 0.9 / max(float((d / w).max()), 1e-300))  # weights stay > 0
        now, slope = value(w), float(gradient @ d)
        while True:
            moved = np.clip(w - t * d, floor, high)
            if value(moved) <= now - 1e-4 * float(gradient @ (w - moved)) or t * slope <= 1e-15 * abs(now):
                break
            t /= 2
        if np.array_equal(moved, w):
            break
        w = moved
    return w


def _solution(
    S: FloatArray, b: FloatArray, w: FloatArray, low: FloatArray, high: FloatArray, multiplier: float
) -> ConstrainedSolution:
    """The report, after its certificate: the conditions of Karush, Kuhn and Tucker."""
    marginal = S @ w
    parts = w * marginal
    ratio = parts / (multiplier * b) - 1  # 0 where free, >= 0 at a floor, <= 0 at a cap
    at_lower, at_upper = (w <= low) & (ratio > TOLERANCE), (w >= high) & (ratio < -TOLERANCE)
    free = ~(at_lower | at_upper)
    error = float(np.abs(ratio[free]).max()) if free.any() else 0.0
    if not (error <= TOLERANCE and abs(w.sum() - 1) <= TOLERANCE):
        raise SolverError(
            f"a free asset misses its part of the risk by {error:.2g}, weights sum to {w.sum():.9g}; the "
            "covariance is nearly singular: shrink it towards its diagonal"
        )
    variance = float(parts.sum())
    volatility = variance**0.5
    return ConstrainedSolution(
        w, volatility, parts / volatility, at_lower, at_upper, parts / variance - b, error
    )
