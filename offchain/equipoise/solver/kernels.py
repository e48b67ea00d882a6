"""The inner loops of `newton` and `conjugate` as machine code, through numba; `compiled` says when.

They certify nothing: what they return is judged in NumPy as every other solution is. Signatures are fixed, so
that no array of another layout sets off another compilation.
"""

from __future__ import annotations

from functools import partial

import numpy as np
from numba import njit, types

from equipoise.solver.checks import ROUNDED
from equipoise.solver.conjugate import MAX_PRODUCTS
from equipoise.solver.newton import CONVERGED, FULL_STEP, MAX_ITERATIONS, PATIENCE
from equipoise.solver.stack import SWEEPS

__all__ = ["coordinates_dense", "direction", "product_lower", "scan"]

_compile = partial(njit, cache=True, error_model="numpy", fastmath={"reassoc", "contract"})
"""Sums may be reordered for vector registers; NaN, infinity and 1 / 0 keep NumPy's meaning."""

_VECTOR, _MATRIX = (types.Array(types.float64, d, "C", readonly=True) for d in (1, 2))
"""Of an argument; an array that may be written passes too."""
_RESULT = types.float64[::1]
_LOWER = types.float32[::1]


@_compile("f8(f8[:, ::1])")
def _factor(A):
    """Cholesky in place, in the lower triangle; its smallest diagonal entry, 0 where there is none."""
    least = np.inf
    for i in range(len(A)):
        row = A[i]
        for j in range(i):
            above, total = A[j], row[j]
            for k in range(j):
                total -= row[k] * above[k]
            row[j] = total / above[j]
        total = row[i]
        for k in range(i):
            total -= row[k] * row[k]
        if not total > 0:
            return 0.0
        row[i] = np.sqrt(total)
        least = min(least, row[i])
    return least


@_compile("void(f8[:, ::1], f8[::1])")
def _solve(L, r):
    """(L L')^-1 r in place."""
    n = len(r)
    for i in range(n):
        row, total = L[i], r[i]
        for k in range(i):
            total -= row[k] * r[k]
        r[i] = total / row[i]
    for i in range(n - 1, -1, -1):
        row = L[i]
        r[i] /= row[i]
        for k in range(i):
            r[k] -= row[k] * r[i]


@_compile("void(f8[:, ::1], f8[::1], f8[::1])")
def _multiply(C, x, y):
    for i in range(len(x)):
        row, total = C[i], 0.0
        for j in range(len(x)):
            total += row[j] * x[j]
        y[i] = total


@_compile(
    types.Tuple((_RESULT, _RESULT, types.int64, types.boolean, types.float64))(_MATRIX, _VECTOR, _VECTOR)
)
def coordinates_dense(S, b, start):
    """Newton by Cholesky, after sweeps of coordinate descent (see `stack`) where there is no start.

    Parameters
    ----------
    S
        Shape (n, n), a covariance; nothing is known of it.
    b
        Shape (n,), budgets > 0, sum 1.
    start
        Shape (n,), > 0, or (0,) for none.

    Returns
    -------
    x, sigma
        Shape (n,), coordinates to be certified, and standard deviations.
    iterations
        Newton steps.
    symmetric
        Whether mirrored entries of the correlation are the same up to rounding; false for NaN.
    pivot
        Smallest diagonal entry of its Cholesky factor, 0 where there is none.
    """
    n = len(b)
    sigma, C = np.empty(n), np.empty((n, n))
    for i in range(n):
        sigma[i] = np.sqrt(S[i, i])
    symmetric = True
    for i in range(n):
        for j in range(n):
            C[i, j] = S[i, j] / sigma[i] / sigma[j]
    for i in range(n):
        for j in range(i + 1):
            if not abs(C[i, j] - C[j, i]) <= ROUNDED:
                symmetric = False
    A = C.copy()
    pivot = _factor(A)
    x = np.sqrt(b) if len(start) == 0 else start.copy()
    best = x.copy()
    if not symmetric or pivot == 0.0:
        return best, sigma, 0, symmetric, pivot
    y, d = np.empty(n), np.empty(n)
    _multiply(C, x, y)
    power = 0.0
    for i in range(n):
        power += x[i] * y[i]
    for i in range(n):
        x[i] /= np.sqrt(power)
        y[i] /= np.sqrt(power)
    if len(start) == 0:
        for _ in range(SWEEPS):
            for i in range(n):
                row, half = C[i], -x[i]
                for j in range(n):
                    half += row[j] * x[j]
                half *= 0.5
                root = np.sqrt(half * half + b[i])
                x[i] = b[i] / (root + half) if half > 0 else root - half
        _multiply(C, x, y)
    best_error, found, idle = np.inf, 0, 0
    for step in range(MAX_ITERATIONS):
        error = 0.0
        for i in range(n):
            d[i] = y[i] - b[i] / x[i]
            error = max(error, abs(x[i] * y[i] / b[i] - 1.0))
        if error > 0.5 * best_error:
            idle += 1
        if error < best_error:
            best[:], best_error, found = x, error, step
        if not error > CONVERGED or idle >= PATIENCE:
            break
        A[:] = C
        for i in range(n):
            A[i, i] += b[i] / x[i] / x[i]
        if _factor(A) == 0.0:
            break
        _solve(A, d)
        delta = 0.0
        for i in range(n):
            delta = max(delta, abs(d[i] / x[i]))
        t = 1.0
        if not delta < FULL_STEP:
            t = 1.0 / (1.0 + delta)
            idle = 0
        for i in range(n):
            x[i] -= t * d[i]
        _multiply(C, x, y)
    return best, sigma, found, symmetric, pivot


@_compile(types.Tuple((_LOWER, _RESULT, _RESULT, _RESULT))(_MATRIX, _VECTOR))
def scan(S, probe):
    """All that a large covariance is read for, in one pass: it does not fit a processor's cache.

    Parameters
    ----------
    S
        Shape (n, n), a covariance; nothing is known of it.
    probe
        Shape (n,).

    Returns
    -------
    lower
        Shape (n (n - 1) / 2,), the correlation below its diagonal in single precision, row after row.
    sigma, rows, columns
        Shape (n,), standard deviations, C probe and C' probe.
    """
    n = len(probe)
    lower = np.empty(n * (n - 1) // 2, dtype=np.float32)
    sigma, inverse, v = np.empty(n), np.empty(n), np.empty(n)
    rows, columns = np.empty(n), np.zeros(n)
    for i in range(n):
        sigma[i] = np.sqrt(S[i, i])
        inverse[i] = 1.0 / sigma[i]
        v[i] = probe[i] * inverse[i]
    for i in range(n):
        row, below, total = S[i], lower[i * (i - 1) // 2 :], 0.0
        here, weight = inverse[i], v[i]
        for j in range(n):
            total += row[j] * v[j]
            columns[j] += row[j] * weight
        for j in range(i):
            below[j] = np.float32(row[j] * here * inverse[j])
        rows[i] = total * here
    for j in range(n):
        columns[j] *= inverse[j]
    return lower, sigma, rows, columns


@_compile(_RESULT(_LOWER, _VECTOR))
def product_lower(lower, v):
    """C v in single precision, shape (n,), from what `scan` keeps: it reads a quarter of the bytes."""
    n = len(v)
    x, y = np.empty(n, dtype=np.float32), np.empty(n, dtype=np.float32)
    for i in range(n):
        x[i] = np.float32(v[i])
        y[i] = x[i]
    for i in range(n):
        row, here, total = lower[i * (i - 1) // 2 :], x[i], np.float32(0.0)
        for j in range(i):
            total += row[j] * x[j]
            y[j] += row[j] * here
        y[i] += total
    out = np.empty(n)
    for i in range(n):
        out[i] = y[i]
    return out


@_compile(types.Tuple((_RESULT, types.boolean))(_LOWER, _VECTOR, _VECTOR, types.float64))
def direction(lower, h, gradient, forcing):
    """d of `conjugate` for the C of `product_lower`; false where its curvature is not > 0."""
    n = len(h)
    d, residual, p = np.zeros(n), gradient.copy(), np.empty(n)
    rz = 0.0
    for i in range(n):
        p[i] = residual[i] / (1.0 + h[i])
        rz += residual[i] * p[i]
    enough = forcing * forcing * rz
    for _ in range(MAX_PRODUCTS):
        Hp = product_lower(lower, p)
        curvature = 0.0
        for i in range(n):
            Hp[i] += h[i] * p[i]
            curvature += p[i] * Hp[i]
        if not curvature > 0:
            return d, False
        alpha, last, rz = rz / curvature, rz, 0.0
        for i in range(n):
            d[i] += alpha * p[i]
            residual[i] -= alpha * Hp[i]
            rz += residual[i] * residual[i] / (1.0 + h[i])
        if rz <= enough:
            break
        beta = rz / last
        for i in range(n):
            p[i] = residual[i] / (1.0 + h[i]) + beta * p[i]
    return d, True
