r"""Damped Newton on Spinu's convex form of risk budgeting.

The minimiser of f(x) = x'Cx / 2 - \sum_i b_i ln x_i over x > 0 satisfies x_i (Cx)_i = b_i. With
u_i = d_i / x_i, d the Newton direction, the system scaled by B^{-1/2} X reads

    (M + I) v = (x * Cx - b) / sqrt(b),   M_ij = x_i C_ij x_j / sqrt(b_i b_j),   u = v / sqrt(b),

well conditioned for any scale of x and b. f is self-concordant in the norm delta = max_i |u_i|, so the step
t = 1 / (1 + delta) decreases it from anywhere and needs no line search; near the solution t = 1.

Spinu (2013), "An algorithm for computing risk parity weights"; Griveau-Billion, Richard and Roncalli (2013).
"""

from __future__ import annotations

import numpy as np

from equipoise.types import FloatArray, IntArray

__all__ = ["coordinates_newton"]

FULL_STEP = 0.25
"""Below this delta the full step converges quadratically."""

MAX_ITERATIONS = 500
PATIENCE = 2
"""Full steps in a row that no longer halve the error: rounding is reached."""


def coordinates_newton(C: FloatArray, b: FloatArray) -> tuple[FloatArray, IntArray]:
    """Solve x_i (C x)_i = b_i for a stack of problems.

    Parameters
    ----------
    C
        Shape (m, n, n), symmetric positive definite with unit diagonal (not checked here).
    b
        Shape (m, n), budgets > 0, sum 1.

    Returns
    -------
    x
        Shape (m, n), > 0: the best iterate of each problem, to be certified by the caller.
    iterations
        Shape (m,), Newton steps that led to it.
    """
    root = np.sqrt(b)
    x = root / np.sqrt(np.einsum("mi,mij,mj->m", root, C, root))[:, None]
    best, best_error = x.copy(), np.full(len(C), np.inf)
    iterations, idle = np.zeros((2, len(C)), dtype=np.int64)
    active = np.arange(len(C))
    identity = np.eye(C.shape[1])
    for step in range(MAX_ITERATIONS):
        xa, ra = x[active], root[active]
        residual = xa * (C[active] @ xa[..., None])[..., 0] - b[active]
        error = np.abs(residual / b[active]).max(axis=1)
        idle[active] = np.where(error > 0.5 * best_error[active], idle[active] + 1, 0)
        better = error < best_error[active]
        improved = active[better]
        best[improved], best_error[improved], iterations[improved] = xa[better], error[better], step
        go = (error > 0) & (idle[active] < PATIENCE)
        if not go.any():
            break
        active, xa, ra, residual = active[go], xa[go], ra[go], residual[go]
        z = xa / ra
        system = C[active] * z[:, :, None] * z[:, None, :] + identity
        u = np.linalg.solve(system, (residual / ra)[..., None])[..., 0] / ra
        delta = np.abs(u).max(axis=1)
        damped = delta >= FULL_STEP
        idle[active[damped]] = 0
        x[active] = xa * (1.0 - np.where(damped, 1.0 / (1.0 + delta), 1.0)[:, None] * u)
    return best, iterations
