"""Risk-parity weights and coordinates of a covariance matrix, certified before they are returned."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from equipoise.errors import SolverError
from equipoise.solver.certificate import share_error
from equipoise.solver.newton import coordinates_newton
from equipoise.types import FloatArray, IntArray

__all__ = ["TOLERANCE", "ParityBatch", "ParitySolution", "solve_parity", "solve_parity_batch"]

TOLERANCE = 1e-10
"""Largest |share_i - b_i| that is returned, in fractions of the portfolio's variance."""

ROUNDING_TOLERANCE = 1e-8
"""Largest one where a nearly singular hedge makes the terms x_i C_ij x_j too large for doubles."""

_SYMMETRY = 1e-8
_BUDGET_SUM = 1e-6


@dataclass(frozen=True)
class ParitySolution:
    """Portfolio whose assets contribute their budgets of its variance.

    Attributes
    ----------
    weights
        Shape (n,), > 0, sum 1.
    coordinates
        Shape (n,), x > 0 with x_i (C x)_i = b_i, C the correlation of the covariance.
    volatility
        sqrt(w' S w), in the covariance's own period (annualised if that is).
    contributions
        Shape (n,), RC_i = w_i (S w)_i / volatility; they sum to the volatility.
    max_error
        max_i |RC_i / volatility - b_i|, at most the tolerance (see `ROUNDING_TOLERANCE`).
    iterations
        Newton steps.
    """

    weights: FloatArray
    coordinates: FloatArray
    volatility: float
    contributions: FloatArray
    max_error: float
    iterations: int


@dataclass(frozen=True)
class ParityBatch:
    """Stack of m solutions; the attributes of `ParitySolution` with a leading axis m."""

    weights: FloatArray
    coordinates: FloatArray
    volatility: FloatArray
    contributions: FloatArray
    max_error: FloatArray
    iterations: IntArray

    def __len__(self) -> int:
        return len(self.weights)

    def __getitem__(self, k: int) -> ParitySolution:
        return ParitySolution(
            weights=self.weights[k],
            coordinates=self.coordinates[k],
            volatility=float(self.volatility[k]),
            contributions=self.contributions[k],
            max_error=float(self.max_error[k]),
            iterations=int(self.iterations[k]),
        )


def solve_parity(
    covariance: ArrayLike, budgets: ArrayLike | None = None, *, tolerance: float = TOLERANCE
) -> ParitySolution:
    """Weights whose risk contributions are proportional to the budgets.

    Parameters
    ----------
    covariance
        Shape (n, n), symmetric positive definite, any scale; a correlation matrix gives coordinates directly.
    budgets
        Shape (n,), > 0, sum 1 (within 1e-6); equal by default.
    tolerance
        Largest accepted error of a variance share.

    Raises
    ------
    SolverError
        An input is outside its domain, or the result fails its certificate: the matrix is then so close to
        singular that double precision cannot hold the solution.
    """
    matrix = _array(covariance, "covariance")
    if matrix.ndim != 2:
        raise SolverError(f"covariance has shape {matrix.shape}; it must be square, (n, n)")
    b = None if budgets is None else _array(budgets, "budgets")
    if b is not None and b.ndim != 1:
        raise SolverError(f"budgets have shape {b.shape}; give one an asset, ({len(matrix)},)")
    return solve_parity_batch(matrix[None], b, tolerance=tolerance)[0]


def solve_parity_batch(
    covariances: ArrayLike, budgets: ArrayLike | None = None, *, tolerance: float = TOLERANCE
) -> ParityBatch:
    """`solve_parity` for a stack: covariances (m, n, n), budgets (n,) for all or (m, n)."""
    S = _array(covariances, "covariances")
    if S.ndim != 3 or S.shape[1] != S.shape[2] or S.shape[1] == 0 or len(S) == 0:
        raise SolverError(
            f"covariance has shape {S.shape[-2:]} in a stack of {S.shape[:-2]}; it must be square"
        )
    sigma, C = _correlation(S)
    b = _budgets(budgets, S.shape[:2])
    x, iterations = coordinates_newton(C, b)
    inverse = x / sigma
    total = inverse.sum(axis=1, keepdims=True)
    weights = inverse / total
    a = weights * sigma
    error = share_error(C, a, b)
    limit = np.maximum(tolerance, np.minimum(ROUNDING_TOLERANCE, _rounding(C, x)))
    failed = np.flatnonzero(
        ~(error <= limit) | ~np.isfinite(weights).all(axis=1) | (weights <= 0).any(axis=1)
    )
    if len(failed):
        k = failed[0]
        smallest = np.linalg.eigvalsh(C[k])[0]
        raise SolverError(
            f"solution misses a budget by {error[k]:.2g} of the variance, above {limit[k]:.2g}; "
            f"the correlation is nearly singular (smallest eigenvalue {smallest:.2g}): shrink it towards the "
            "identity, or drop a redundant asset"
        )
    Ca = (C @ a[..., None])[..., 0]
    volatility = np.sqrt((a * Ca).sum(axis=1))
    contributions = a * Ca / volatility[:, None]
    return ParityBatch(weights, x, volatility, contributions, error, iterations)


def _array(values: ArrayLike, name: str) -> FloatArray:
    try:
        array = np.asarray(values, dtype=float)
    except (TypeError, ValueError) as error:
        raise SolverError(
            f"{name} is not an array of numbers ({error}); give rows of equal length"
        ) from error
    if not np.isfinite(array).all():
        raise SolverError(f"{name} has entries that are not finite; replace NaN and infinity")
    return array


def _correlation(S: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Standard deviations (m, n) and correlations (m, n, n), after the checks."""
    variance = np.diagonal(S, axis1=1, axis2=2)
    if (variance <= 0).any():
        k, i = np.argwhere(variance <= 0)[0]
        raise SolverError(f"variance of asset {i} is {variance[k, i]:g}; a covariance has a diagonal > 0")
    sigma = np.sqrt(variance)
    C = S / sigma[:, :, None] / sigma[:, None, :]
    skew = np.abs(C - C.transpose(0, 2, 1))
    if skew.max() > _SYMMETRY:
        k, i, j = np.unravel_index(skew.argmax(), skew.shape)
        raise SolverError(
            f"covariance is not symmetric: entry ({i}, {j}) is {S[k, i, j]:g}, ({j}, {i}) is {S[k, j, i]:g}"
        )
    C = (C + C.transpose(0, 2, 1)) / 2
    smallest = np.linalg.eigvalsh(C)[:, 0]
    floor = 10 * C.shape[1] * np.finfo(float).eps
    if (smallest <= floor).any():
        raise SolverError(
            f"covariance is not positive definite: the smallest eigenvalue of its correlation is "
            f"{smallest.min():.3g}, it must be > {floor:.2g}; repair it or shrink it towards the identity"
        )
    return sigma, C


def _rounding(C: FloatArray, x: FloatArray) -> FloatArray:
    """What x rounded to doubles may miss in x_i (C x)_i, shape (m,)."""
    terms = x * (np.abs(C) @ x[..., None])[..., 0]
    return 4 * np.finfo(float).eps * terms.max(axis=1)


def _budgets(budgets: ArrayLike | None, shape: tuple[int, ...]) -> FloatArray:
    """Budgets (m, n) that sum to 1 exactly, after the checks."""
    n = shape[1]
    b = np.full(n, 1.0 / n) if budgets is None else _array(budgets, "budgets")
    if b.shape not in ((n,), shape):
        raise SolverError(f"budgets have shape {b.shape}; give one an asset, ({n},)")
    if (b <= 0).any():
        raise SolverError(f"budget {b.min():g} is not > 0; leave out an asset that is to carry no risk")
    total = b.sum(axis=-1, keepdims=True)
    if (np.abs(total - 1) > _BUDGET_SUM).any():
        raise SolverError(
            f"budgets sum to {total.flat[0]:.9g}; they must sum to 1, e.g. divide each by the sum"
        )
    return np.broadcast_to(b / total, shape).copy()
