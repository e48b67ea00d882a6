r"""Damped Newton on Spinu's convex form of risk budgeting.

The minimiser of f(x) = x'Cx / 2 - \sum_i b_i ln x_i over x > 0 satisfies x_i (Cx)_i = b_i. Its Newton step d
solves

    (C + diag(b / x^2)) d = Cx - b / x,        x <- x - t d.

f is self-concordant in the norm delta = max_i |d_i / x_i|, so t = 1 / (1 + delta) decreases it from anywhere
and needs no line search; near the solution t = 1. Cholesky and LDL' do not mind how x and b are scaled.

Spinu (2013), "An algorithm for computing risk parity weights"; Griveau-Billion, Richard and Roncalli (2013).
"""

from __future__ import annotations

import numpy as np

from equipoise.solver.reductions import largest
from equipoise.types import FloatArray

__all__ = ["CONVERGED", "FULL_STEP", "MAX_ITERATIONS", "PATIENCE", "SWEEPS", "coordinates_newton", "swept"]

FULL_STEP = 0.25
"""Below this delta the full step converges quadratically."""

CONVERGED = 1e-12
"""Largest |x_i (Cx)_i / b_i - 1| at which nothing is left to gain."""

MAX_ITERATIONS = 500
PATIENCE = 2
"""Full steps in a row that no longer halve the error: rounding is reached."""

SWEEPS = 2
"""Of coordinate descent before Newton, over all coordinates at once: they save most of the damped steps."""


def coordinates_newton(
    C: FloatArray, b: FloatArray, start: FloatArray | None = None
) -> tuple[FloatArray, int]:
    """Solve x_i (C x)_i = b_i.

    Parameters
    ----------
    C
        Shape (n, n), symmetric positive definite with unit diagonal (not checked here).
    b
        Shape (n,), budgets > 0, sum 1.
    start
        Shape (n,), > 0, e.g. yesterday's solution; sqrt(b), scaled, by default.

    Returns
    -------
    x
        Shape (n,), > 0: the best iterate, to be certified by the caller.
    iterations
        Newton steps that led to it.
    """
    n = len(b)
    x = np.sqrt(b) if start is None else start
    y = C.dot(x)
    scale = 1.0 / np.sqrt(x.dot(y))
    x, y = x * scale, y * scale
    for _ in range(SWEEPS if start is None else 0):
        x = swept(b, x, y)
        y = C.dot(x)
        scale = 1.0 / np.sqrt(x.dot(y))
        x, y = x * scale, y * scale
    best, best_error, found, idle = x, np.inf, 0, 0
    for step in range(MAX_ITERATIONS):
        q = b / x
        gradient = y - q
        error = largest(gradient / q)
        if error > 0.5 * best_error:
            idle += 1
        if error < best_error:
            best, best_error, found = x, error, step
        if error <= CONVERGED or idle >= PATIENCE:
            break
        hessian = C.copy()
        hessian.ravel()[:: n + 1] += q / x
        d = np.linalg.solve(hessian, gradient)
        delta = largest(d / x)
        if delta < FULL_STEP:
            x = x - d
        else:
            x = x - d * (1.0 / (1.0 + delta))
            idle = 0
        y = C.dot(x)
    return best, found


def swept(b: FloatArray, x: FloatArray, y: FloatArray) -> FloatArray:
    """x_i with x_i (Cx)_i = b_i, each as if the others stayed, for y = Cx (see `stack`)."""
    half = 0.5 * (y - x)
    root = np.sqrt(half * half + b)
    return np.where(half > 0, b / (root + half), root - half)
