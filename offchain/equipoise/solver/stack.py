"""Thousands of small problems at once: arrays whose last axis counts the problems.

A step then works on long contiguous rows, whatever n is. Problems go through in chunks that fit a processor's
cache, so memory is linear in their number, and those that have converged leave their chunk.

One sweep of coordinate descent solves x_i^2 + x_i \\sum_{j != i} C_ij x_j = b_i for one i after another; it
costs a product Cx and decreases the same convex f as Newton (Griveau-Billion, Richard and Roncalli 2013).
"""

from __future__ import annotations

import numpy as np

from equipoise.solver.newton import CONVERGED, FULL_STEP, MAX_ITERATIONS, PATIENCE
from equipoise.types import FloatArray, IntArray

__all__ = ["chunks", "coordinates_stack", "smallest_pivot"]

CHUNK = 1 << 17
"""Numbers in the matrices of a chunk: 1 MiB."""

SWEEPS = 3
"""Of coordinate descent before Newton: each saves about one of its first steps, at a third of the price."""

SHRINK = 0.7
"""A chunk is compacted when at most this part of it still moves."""


def chunks(m: int, n: int) -> list[slice]:
    """Slices of m problems of n assets."""
    size = max(1, CHUNK // (n * n))
    return [slice(i, min(i + size, m)) for i in range(0, m, size)]


def smallest_pivot(C: FloatArray) -> FloatArray:
    """Smallest pivot of LDL', shape (m,), of symmetric C (n, n, m): > 0 where C is positive definite."""
    A = C.copy()
    _eliminate(A, np.zeros(C.shape[1:]))
    return np.asarray(A[np.arange(len(A)), np.arange(len(A))].min(axis=0))


def coordinates_stack(C: FloatArray, b: FloatArray) -> tuple[FloatArray, IntArray]:
    """Solve x_i (C x)_i = b_i for each problem; see `newton.coordinates_newton`.

    Parameters
    ----------
    C
        Shape (n, n, m), symmetric positive definite with unit diagonal (not checked here).
    b
        Shape (n, m), budgets > 0, sum 1 over n.

    Returns
    -------
    x, iterations
        Shapes (n, m) and (m,).
    """
    n, m = b.shape
    diagonal = np.arange(n)
    x = _swept(C, b)
    best, found = x.copy(), np.zeros(m, dtype=np.int64)
    best_error, idle, active = np.full(m, np.inf), np.zeros(m, dtype=np.int64), np.arange(m)
    for step in range(MAX_ITERATIONS):
        q = b / x
        gradient = np.einsum("ijm,jm->im", C, x) - q
        error = np.abs(gradient / q).max(axis=0)
        idle += error > 0.5 * best_error
        better = error < best_error
        at = active[better]
        best[:, at], found[at] = x[:, better], step
        best_error = np.where(better, error, best_error)
        go = (error > CONVERGED) & (idle < PATIENCE)
        left = np.count_nonzero(go)
        if left == 0:
            break
        if left <= SHRINK * len(go):
            C, b, x, q, gradient = C[..., go], b[:, go], x[:, go], q[:, go], gradient[:, go]
            best_error, idle, active = best_error[go], idle[go], active[go]
        A = C.copy()
        A[diagonal, diagonal] += q / x
        d = _solved(A, gradient)
        delta = np.abs(d / x).max(axis=0)
        damped = delta >= FULL_STEP
        idle[damped] = 0
        x = x - d * np.where(damped, 1.0 / (1.0 + delta), 1.0)
    return best, found


def _swept(C: FloatArray, b: FloatArray) -> FloatArray:
    """A few sweeps of coordinate descent from sqrt(b), scaled."""
    x = np.sqrt(b)
    x /= np.sqrt(np.einsum("im,ijm,jm->m", x, C, x))
    for _ in range(SWEEPS):
        for i, row in enumerate(C):
            half = 0.5 * (np.einsum("jm,jm->m", row, x) - x[i])
            root = np.sqrt(half * half + b[i])
            # the form without cancellation
            x[i] = np.where(half > 0, b[i] / (root + half), root - half)
    return x


def _eliminate(A: FloatArray, r: FloatArray) -> None:
    """LDL' of A (n, n, m) in place, in its lower triangle, and r (n, m) to L^-1 r."""
    n = len(A)
    for j in range(n - 1):
        column = A[j + 1 :, j]
        factors = column / A[j, j]
        for i in range(n - 1 - j):
            A[j + 1 + i, j + 1 : j + 2 + i] -= factors[i] * column[: i + 1]
        A[j + 1 :, j] = factors
        r[j + 1 :] -= factors * r[j]


def _solved(A: FloatArray, r: FloatArray) -> FloatArray:
    """A^-1 r for each problem; both are overwritten."""
    _eliminate(A, r)
    n = len(A)
    r /= A[np.arange(n), np.arange(n)]
    for j in range(n - 2, -1, -1):
        r[j] -= np.einsum("im,im->m", A[j + 1 :, j], r[j + 1 :])
    return r
