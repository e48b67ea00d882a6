r"""Risk budgeting that weighs its gap against the cost of the trade.

With S divided by the variance of the parity portfolio, the portfolio minimises

    w'Sw / 2 - \sum_i b_i ln w_i + \gamma \sum_i c_i |w_i - w0_i|    over  \sum_i w_i = 1.

Without costs that is Spinu's (2013) form of risk budgeting, whose solution then sums to 1 by itself. The
costs, proportional as in Lobo, Fazel and Boyd (2007), give each asset a region of no trade, as in Davis and
Norman (1990): it is kept while |b_i - w_i (Sw)_i + \mu w_i| < \gamma c_i w_i, with \mu the price of the sum.

|w_i - w0_i| is approached by its logarithmic barrier, whose smoothing \tau goes to 0 (interior point). Which
assets are kept then shows; Newton on the others makes the solution exact.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from equipoise.errors import SolverError
from equipoise.solver.checks import BUDGET_SUM, as_array, as_budgets
from equipoise.solver.newton import FULL_STEP
from equipoise.solver.parity import solve_parity
from equipoise.types import FloatArray

__all__ = ["TurnoverSolution", "solve_parity_turnover"]

TOLERANCE = 1e-8
"""Largest violation of a condition of optimality, relative to a budget, and of the sum of weights."""

_SMOOTH = 10.0 ** -np.arange(1, 15)
_STEPS = 200
_NEAR, _CLOSE = 1e-3, 1e-14
_ROUNDED = 1e-12


@dataclass(frozen=True)
class TurnoverSolution:
    """Portfolio between the current one and parity.

    Attributes
    ----------
    weights
        Shape (n,), > 0, sum 1.
    volatility
        sqrt(w' S w).
    contributions
        Shape (n,), w_i (S w)_i / volatility.
    budget_gap
        Shape (n,): share of variance less budget.
    kept
        Shape (n,): not traded, the weight is the current one.
    turnover
        Half of sum |w_i - w0_i|, a fraction of the portfolio's value.
    cost
        sum c_i |w_i - w0_i|, a fraction of the portfolio's value.
    max_error
        Largest violation of a condition of optimality, relative to the asset's budget.
    """

    weights: FloatArray
    volatility: float
    contributions: FloatArray
    budget_gap: FloatArray
    kept: np.ndarray
    turnover: float
    cost: float
    max_error: float

    @property
    def parity_gap(self) -> float:
        """max_i |share of variance - budget|."""
        return float(np.abs(self.budget_gap).max())


def solve_parity_turnover(
    covariance: ArrayLike,
    current: ArrayLike,
    costs: ArrayLike,
    aversion: float,
    budgets: ArrayLike | None = None,
) -> TurnoverSolution:
    """The trade from the current weights towards parity that is worth its cost.

    Parameters
    ----------
    covariance, budgets
        As `solve_parity`.
    current
        w0, shape (n,), >= 0, sum 1 (within 1e-6). What is not held is bought, at any aversion: its budget is
        > 0.
    costs
        A number for all or c, shape (n,), >= 0: fraction of the traded value, 0.001 for ten basis points.
    aversion
        gamma >= 0, in shares of variance per fraction of value: an asset is traded while its gap is wider
        than aversion x cost x weight. At 10 bp, a weight of 1/3 and 30 that is 1 % of the variance. 0 gives
        parity, a large one no trade; the cost never rises with it.

    Raises
    ------
    SolverError
        An input is outside its domain, or the certificate fails.
    """
    parity = solve_parity(covariance, budgets)  # checks matrix and budgets
    S = np.asarray(covariance, dtype=float)
    n = len(S)
    b = as_budgets(budgets, n)
    w0, c = _current(current, n), _costs(costs, n)
    gamma = as_array(aversion, "aversion")
    if not (gamma.shape == () and np.isfinite(gamma) and gamma >= 0):
        raise SolverError(
            f"aversion is {aversion}; it must be one number >= 0 and finite, 0 for plain parity"
        )
    S = (S + S.T) / 2 / parity.volatility**2
    k = float(gamma) * c
    w, size, least = 0.99 * w0 + 0.01 * parity.weights, np.maximum(w0, parity.weights), np.inf
    # what they warn of fails the certificate
    with np.errstate(all="ignore"), suppress(np.linalg.LinAlgError):
        for smooth in _SMOOTH:
            w = _smoothed(S, b, k, w0, w, smooth * size)
            # what is to be kept comes as near to w0 as `smooth`, the rest stays away
            kept = (np.abs(w - w0) < np.sqrt(smooth) * size) & (k > 0) & (w0 > 0)
            found, price = _exact(S, b, k, w0, w, kept)
            error = _violation(S, b, k, w0, found, price)
            if error <= TOLERANCE:
                return _solution(np.asarray(covariance, dtype=float), b, c, w0, found, error)
            least = min(least, error)
    raise SolverError(
        f"an asset misses its condition by {least:.2g} of its budget, above {TOLERANCE:g}; the covariance "
        "is nearly singular: shrink it towards its diagonal"
    )


def _current(current: ArrayLike, n: int) -> FloatArray:
    w0 = as_array(current, "current")
    if w0.shape != (n,):
        raise SolverError(f"current has shape {w0.shape}; give one weight an asset, ({n},)")
    wrong = ~((w0 >= 0) & np.isfinite(w0))
    if wrong.any():
        i = int(np.flatnonzero(wrong)[0])
        raise SolverError(f"current weight {w0[i]:g} of asset {i} is not >= 0 and finite; close shorts first")
    total = float(w0.sum())
    if not abs(total - 1) <= BUDGET_SUM:
        raise SolverError(f"current weights sum to {total:.9g}; they must sum to 1, divide each by the sum")
    return w0 if abs(total - 1) <= _ROUNDED else w0 / total


def _costs(costs: ArrayLike, n: int) -> FloatArray:
    c = as_array(costs, "costs")
    if c.shape not in ((), (n,)):
        raise SolverError(f"costs have shape {c.shape}; give a number, or one an asset, ({n},)")
    c = np.broadcast_to(c, (n,))
    wrong = ~((c >= 0) & (c < 1))
    if wrong.any():
        i = int(np.flatnonzero(wrong)[0])
        raise SolverError(
            f"cost {c[i]:g} of asset {i} is outside [0, 1), a fraction of the traded value; ten basis points "
            "are 0.001"
        )
    return c


def _smoothed(
    S: FloatArray, b: FloatArray, k: FloatArray, w0: FloatArray, w: FloatArray, smooth: FloatArray
) -> FloatArray:
    """The minimiser with k |v| replaced by k min over t > |v| of t - smooth ln(t^2 - v^2), from w of sum 1.

    Self-concordant in the norm `delta`, as `newton` is, so that 1 / (1 + delta) needs no line search.
    """
    for _ in range(_STEPS):
        v = w - w0
        root = np.sqrt(smooth**2 + v**2)
        sharp = np.where(k > 0, 1 / ((smooth + root) * root), 0.0)
        d = _step(S, b / w**2 + k * smooth * sharp, S @ w - b / w + k * v / (smooth + root))
        delta = float(np.max(np.abs(d) * np.maximum(1 / w, np.sqrt(sharp))))
        w = w - d * (1.0 if delta < FULL_STEP else 1.0 / (1.0 + delta))
        if not delta > _NEAR:
            break
    return w


def _step(S: FloatArray, diagonal: FloatArray, gradient: FloatArray) -> FloatArray:
    """Newton's step along sum d = 0."""
    both = np.linalg.solve(S + np.diag(diagonal), np.stack([gradient, np.ones_like(gradient)], axis=1))
    return np.asarray(both[:, 0] - both[:, 1] * (both[:, 0].sum() / both[:, 1].sum()))


def _exact(
    S: FloatArray, b: FloatArray, k: FloatArray, w0: FloatArray, w: FloatArray, kept: np.ndarray
) -> tuple[FloatArray, float]:
    """Weights and mu, the assets in `kept` at w0, the others on their side of it as in w: no barrier."""
    free, n = ~kept, int((~kept).sum())
    slope = k * np.sign(w - w0)
    w = np.where(kept, w0, w)
    if n == 0:  # any mu between these will do, if there is one
        gradient = S @ w - b / w
        return w, float((gradient - k).max() + (gradient + k).min()) / 2
    system = np.zeros((n + 1, n + 1))
    system[:n, n] = system[n, :n] = 1.0
    price = 0.0
    for _ in range(_STEPS):
        gradient = (S @ w - b / w + slope)[free]
        system[:n, :n] = S[np.ix_(free, free)] + np.diag((b / w**2)[free])
        d = np.linalg.solve(system, np.append(gradient, w.sum() - 1))
        price, delta = float(d[n]), float(np.abs(d[:n] / w[free]).max())
        w[free] -= d[:n] * (1.0 if delta < FULL_STEP else 1.0 / (1.0 + delta))
        if not delta > _CLOSE:
            break
    return w, price


def _violation(
    S: FloatArray, b: FloatArray, k: FloatArray, w0: FloatArray, w: FloatArray, price: float
) -> float:
    """Of the conditions of optimality, relative to the budgets; infinite where there is no portfolio."""
    if not ((w > 0).all() and abs(w.sum() - 1) <= TOLERANCE):
        return float("inf")
    gradient = S @ w - b / w - price
    missing = np.where(w == w0, np.maximum(np.abs(gradient) - k, 0), np.abs(gradient + k * np.sign(w - w0)))
    return float((missing * w / b).max())


def _solution(
    S: FloatArray, b: FloatArray, c: FloatArray, w0: FloatArray, w: FloatArray, error: float
) -> TurnoverSolution:
    parts = w * (S @ w)
    variance = float(parts.sum())
    moved = np.abs(w - w0)
    return TurnoverSolution(
        weights=w,
        volatility=variance**0.5,
        contributions=parts / variance**0.5,
        budget_gap=parts / variance - b,
        kept=w == w0,
        turnover=float(moved.sum()) / 2,
        cost=float(c @ moved),
        max_error=error,
    )
