"""What is wrong with a covariance or with budgets, said by entry: the solvers ask only when something is."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike

from equipoise.errors import SolverError
from equipoise.solver.reductions import SHORT
from equipoise.types import FloatArray

__all__ = [
    "BUDGET_SUM",
    "as_array",
    "as_budgets",
    "as_start",
    "check_correlation",
    "check_covariance",
    "equal_budgets",
]

SYMMETRY = 1e-8
"""Largest difference of mirrored entries of a correlation."""

ROUNDED = 1e-12
"""The difference that D C D leaves when it is multiplied out in doubles."""

BUDGET_SUM = 1e-6


def as_array(values: ArrayLike, name: str) -> FloatArray:
    """Floats of any shape, which may be infinite or NaN."""
    try:
        return np.asarray(values, dtype=float)
    except (TypeError, ValueError) as error:
        raise SolverError(
            f"{name} is not an array of numbers ({error}); give rows of equal length"
        ) from error


@lru_cache(maxsize=64)
def equal_budgets(n: int) -> FloatArray:
    """1 / n each, shape (n,), read-only."""
    budgets = np.full(n, 1.0 / n)
    budgets.setflags(write=False)
    return budgets


def as_budgets(budgets: ArrayLike | None, n: int, m: int | None = None) -> FloatArray:
    """Budgets with sum 1 exactly, after the checks; shape (n,), or (m, n) where each problem has its own."""
    if budgets is None:
        return equal_budgets(n)
    b = as_array(budgets, "budgets")
    if b.shape != (n,) and b.shape != (m, n):
        raise SolverError(f"budgets have shape {b.shape}; give one an asset, ({n},)")
    if b.ndim == 1 and n <= SHORT:
        values = b.tolist()
        total = sum(values)
        if abs(total - 1.0) <= BUDGET_SUM and min(values) > 0:  # a NaN is in the sum
            return b / total
    wrong = ~(b > 0) | ~np.isfinite(b)
    if wrong.any():
        at = tuple(map(int, np.argwhere(wrong)[0]))
        raise SolverError(
            f"budget {b[at]:g} of asset {at[-1]} is not > 0 and finite; leave out an asset that is to carry "
            "no risk"
        )
    total = b.sum(axis=-1, keepdims=True)
    if (np.abs(total - 1) > BUDGET_SUM).any():
        worst = total.flat[int(np.abs(total - 1).argmax())]
        raise SolverError(f"budgets sum to {worst:.9g}; they must sum to 1, e.g. divide each by the sum")
    return b / total


def as_start(start: ArrayLike, n: int, what: str = "coordinates") -> FloatArray:
    """Coordinates, or weights, to start from, shape (n,), after the checks."""
    x = as_array(start, "start")
    if x.shape != (n,) or not (x > 0).all() or not np.isfinite(x).all():
        raise SolverError(f"start has shape {x.shape} or a value that is not > 0; give ({n},) {what} > 0")
    return x


def check_covariance(S: FloatArray) -> None:
    """Raise SolverError when (n, n) `S` is no covariance matrix; it looks at every entry."""
    if not np.isfinite(S).all():
        i, j = map(int, np.argwhere(~np.isfinite(S))[0])
        raise SolverError(f"covariance has {S[i, j]} at ({i}, {j}), not finite; replace NaN and infinity")
    variance = S.diagonal()
    if not (variance > 0).all():
        i = int(np.flatnonzero(~(variance > 0))[0])
        raise SolverError(f"variance of asset {i} is {variance[i]:g}; a covariance has a diagonal > 0")
    sigma = np.sqrt(variance)
    C = S / sigma[:, None] / sigma
    skew = np.abs(C - C.T)
    if skew.max() > SYMMETRY:
        i, j = map(int, np.unravel_index(skew.argmax(), skew.shape))
        raise SolverError(
            f"covariance is not symmetric: entry ({i}, {j}) is {S[i, j]:g}, ({j}, {i}) is {S[j, i]:g}"
        )
    check_correlation((C + C.T) / 2)


def check_correlation(C: FloatArray) -> None:
    """Raise SolverError unless every eigenvalue of symmetric (n, n) `C` is above the rounding of doubles."""
    smallest = np.linalg.eigvalsh(C)[0]
    floor = 10 * len(C) * np.finfo(float).eps
    if not smallest > floor:
        n = len(C)
        off = np.abs(C - np.eye(n))
        i, j = map(int, np.unravel_index(off.argmax(), off.shape))
        twins = f" (assets {i} and {j} have a correlation of {C[i, j]:.6g})" if off[i, j] > 0.999999 else ""
        raise SolverError(
            f"covariance is not positive definite: the smallest eigenvalue of its correlation is "
            f"{smallest:.3g}, it must be > {floor:.2g}{twins}; repair it or shrink it towards the identity"
        )
