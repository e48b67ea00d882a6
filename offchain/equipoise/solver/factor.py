"""Parity of a factor model S = B F B' + diag(s), positive definite by construction and never built."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from equipoise.errors import SolverError
from equipoise.solver.checks import as_array, as_budgets, as_start, check_covariance
from equipoise.solver.conjugate import coordinates_conjugate
from equipoise.solver.solution import TOLERANCE, ParitySolution, certify
from equipoise.types import FloatArray

__all__ = ["solve_parity_factor"]


def solve_parity_factor(
    loadings: ArrayLike,
    factor_covariance: ArrayLike,
    specific_variance: ArrayLike,
    budgets: ArrayLike | None = None,
    *,
    tolerance: float = TOLERANCE,
    start: ArrayLike | None = None,
) -> ParitySolution:
    """`solve_parity` for tens of thousands of assets; time and memory are linear in them.

    Parameters
    ----------
    loadings
        B, shape (n, k).
    factor_covariance
        F, shape (k, k), symmetric positive definite.
    specific_variance
        s, shape (n,), > 0: what the factors do not explain.
    budgets, tolerance, start
        As `solve_parity`.

    Raises
    ------
    SolverError
        An input is outside its domain, or the result fails its certificate.
    """
    B, F, s = (
        as_array(v, name)
        for v, name in (
            (loadings, "loadings"),
            (factor_covariance, "factor covariance"),
            (specific_variance, "specific variance"),
        )
    )
    if B.ndim != 2 or B.size == 0 or F.shape != (B.shape[1],) * 2 or s.shape != B.shape[:1]:
        raise SolverError(
            f"loadings have shape {B.shape}, factor covariance {F.shape}, specific variance {s.shape}; "
            "give (n, k), (k, k) and (n,)"
        )
    if not np.isfinite(B).all():
        i, j = map(int, np.argwhere(~np.isfinite(B))[0])
        raise SolverError(f"loadings have {B[i, j]} at ({i}, {j}), not finite; replace NaN and infinity")
    if not ((s > 0) & np.isfinite(s)).all():
        i = int(np.flatnonzero(~((s > 0) & np.isfinite(s)))[0])
        raise SolverError(f"specific variance of asset {i} is {s[i]:g}; it must be > 0 and finite")
    try:
        check_covariance(F)
    except SolverError as error:
        raise SolverError(f"factor {error}") from error
    b = as_budgets(budgets, len(B))
    with np.errstate(all="ignore"):
        root = B @ np.linalg.cholesky((F + F.T) / 2)
        sigma = np.sqrt(np.einsum("ij,ij->i", root, root) + s)
        scaled, rest = root / sigma[:, None], s / sigma**2

        def product(v: FloatArray) -> FloatArray:
            return scaled @ (scaled.T @ v) + rest * v

        x, iterations = coordinates_conjugate(product, b, None if start is None else as_start(start, len(B)))
        solution = certify(product, sigma, x, b, iterations)
    if not solution.max_error <= tolerance:
        raise SolverError(
            f"solution misses a budget by {solution.max_error:.2g} of the variance, above {tolerance:.2g}; "
            "the specific variances are too small beside the factors: raise them, or merge twin assets"
        )
    return solution
