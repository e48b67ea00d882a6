"""`solve_parity` for a stack of matrices: together where they are small, one by one where they are not."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from equipoise.errors import SolverError
from equipoise.solver.checks import ROUNDED, as_array, as_budgets
from equipoise.solver.parity import solve_parity
from equipoise.solver.solution import TOLERANCE, ParityBatch, ParitySolution
from equipoise.solver.stack import chunks, coordinates_stack, smallest_pivot
from equipoise.types import FloatArray, IntArray

__all__ = ["solve_parity_batch"]

STACK_UP_TO = 24
"""Assets up to which arrays over problems are faster than one problem after another."""

SAFE_PIVOT = 1e-8
"""A pivot of LDL' above it is no rounding error."""


def solve_parity_batch(
    covariances: ArrayLike, budgets: ArrayLike | None = None, *, tolerance: float = TOLERANCE
) -> ParityBatch:
    """`solve_parity` for a stack.

    Parameters
    ----------
    covariances
        Shape (m, n, n), as `solve_parity`.
    budgets
        Shape (n,) for all or (m, n); equal by default.
    tolerance
        Largest accepted error of a variance share.

    Returns
    -------
    ParityBatch
        Beyond it and the input, memory is that of one chunk: some MiB, whatever m is.

    Raises
    ------
    SolverError
        As `solve_parity`, for the first matrix that has no certified solution; the message says which.
    """
    S = as_array(covariances, "covariances")
    if S.ndim != 3 or S.shape[1] != S.shape[2] or S.size == 0:
        raise SolverError(
            f"covariance has shape {S.shape[-2:]} in a stack of {S.shape[:-2]}; it must be square"
        )
    m, n = S.shape[:2]
    b = np.broadcast_to(as_budgets(budgets, n, m), (m, n))
    made = ParityBatch.empty(m, n)
    if n > STACK_UP_TO:
        for k in range(m):
            made[k] = _alone(k, S[k], b[k], tolerance)
        return made
    for part in chunks(m, n):
        for k in part.start + _solve_chunk(S[part], b[part], made, part, tolerance):
            # alone, it is allowed its rounding, or told what is wrong with it
            made[k] = _alone(k, S[k], b[k], tolerance)
    return made


def _alone(k: int, S: FloatArray, b: FloatArray, tolerance: float) -> ParitySolution:
    try:
        return solve_parity(S, b, tolerance=tolerance)
    except SolverError as error:
        raise SolverError(f"matrix {k} of the stack: {error}") from error


def _solve_chunk(S: FloatArray, b: FloatArray, made: ParityBatch, part: slice, tolerance: float) -> IntArray:
    """Fill in what can be certified here; the places in the chunk, shape (failed,), of what cannot."""
    n = S.shape[1]
    with np.errstate(all="ignore"):  # what they warn of is not certified
        C = S.transpose(1, 2, 0).copy()  # C order; never a view of the input
        sigma = np.sqrt(C[np.arange(n), np.arange(n)])
        C /= sigma[:, None]
        C /= sigma
        good = (smallest_pivot(C) > SAFE_PIVOT) & (_skew(C) <= ROUNDED)
        if not good.all():  # a matrix without a solution would keep its chunk busy
            C, sigma, b = C[..., good], sigma[:, good], b[good]
        x, iterations = coordinates_stack(C, np.ascontiguousarray(b.T))
        inverse = x / sigma
        weights = inverse / inverse.sum(axis=0)
        a = weights * sigma
        parts = a * np.einsum("ijm,jm->im", C, a)
        variance = parts.sum(axis=0)
        error = np.abs(parts / variance - b.T).max(axis=0)
        certified = (error <= tolerance) & (weights > 0).all(axis=0) & (variance > 0)
        volatility = np.sqrt(variance)
        at = part.start + np.flatnonzero(good)[certified]
        made.weights[at] = weights.T[certified]
        made.coordinates[at] = x.T[certified]
        made.volatility[at] = volatility[certified]
        made.contributions[at] = (parts / volatility).T[certified]
        made.max_error[at] = error[certified]
        made.iterations[at] = iterations[certified]
    good[good] = certified
    return np.flatnonzero(~good)


def _skew(C: FloatArray) -> FloatArray:
    """Largest difference of mirrored entries, shape (m,), of C (n, n, m)."""
    worst = np.zeros(C.shape[2])
    for i in range(1, len(C)):
        np.maximum(worst, np.abs(C[i, :i] - C[:i, i]).max(axis=0), out=worst)
    return worst
