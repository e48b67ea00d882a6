"""The same Newton steps for many assets: conjugate gradients, which only need products C v.

With the diagonal of the Hessian as preconditioner, a market with few common factors needs a handful of
products; nothing of size n x n is built. The steps are as exact as the error calls for (inexact Newton:
Dembo, Eisenstat and Steihaug 1982), and C d of each step is kept, so that Cx needs no product of its own.

Products are most of the time, and memory is most of a product: directions may come from rough ones, of a
matrix in single precision, while the gradients that they are to bring to zero stay exact.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from equipoise.errors import SolverError
from equipoise.solver.newton import FULL_STEP, MAX_ITERATIONS, PATIENCE, SWEEPS, swept
from equipoise.solver.solution import TOLERANCE
from equipoise.types import FloatArray

__all__ = ["MAX_PRODUCTS", "Product", "Rough", "coordinates_conjugate"]

Product = Callable[[FloatArray], FloatArray]
"""v of shape (n,) to C v, C symmetric positive definite with unit diagonal."""


class Rough(NamedTuple):
    """A C of some six digits that is cheaper to read.

    Attributes
    ----------
    product
        See `Product`.
    direction
        h, gradient, forcing to d with (C + diag h) d = gradient up to `forcing`, and whether there is one.
    """

    product: Product
    direction: Callable[[FloatArray, FloatArray, float], tuple[FloatArray, bool]]


CONVERGED = 1e-8
"""Largest |x_i (Cx)_i / b_i - 1|, unless the tolerance of the share of a large budget asks for less."""

FORCING = 0.3
"""Largest part of a gradient that an early step may leave."""

MARGIN = 0.01
"""Part of what is accepted that the last step aims at."""

MAX_PRODUCTS = 400
"""In one step; a hedged matrix may need many."""


def coordinates_conjugate(
    product: Product, b: FloatArray, start: FloatArray | None = None, rough: Rough | None = None
) -> tuple[FloatArray, int]:
    """Solve x_i (C x)_i = b_i by products C v alone.

    Parameters
    ----------
    product
        See `Product`.
    b
        Shape (n,), budgets > 0, sum 1.
    start
        Shape (n,), > 0; sqrt(b), swept, by default.
    rough
        For the start and the directions; given up where it has no direction.

    Returns
    -------
    x, iterations
        As `newton.coordinates_newton`.

    Raises
    ------
    SolverError
        A direction of negative curvature was met: C is not positive definite.
    """
    try:
        # a start may be all but the solution: only the exact product shows it
        x, y = _first(product if rough is None or start is not None else rough.product, b, start)
    except SolverError:
        if rough is None:
            raise
        rough = None  # its rounding may have bent the curvature
        x, y = _first(product, b, start)
    best, best_error, found, idle = x, np.inf, 0, 0
    enough = min(CONVERGED, 0.1 * TOLERANCE / float(b.max()))
    for step in range(MAX_ITERATIONS):
        q = b / x
        gradient = y - q
        error = float(np.abs(gradient / q).max())
        if error > 0.5 * best_error:
            idle += 1
        if error < best_error:
            best, best_error, found = x, error, step
        if error <= enough or idle >= PATIENCE or not np.isfinite(error):
            break
        forcing = max(min(FORCING, error), MARGIN * enough / error)
        if rough is not None:
            d, sound = rough.direction(q / x, gradient, forcing)
            rough = rough if sound else None
        if rough is None:
            d, Cd = _direction(product, q / x, gradient, forcing)
        delta = float(np.abs(d / x).max())
        t = 1.0
        if not delta < FULL_STEP:
            t, idle = 1.0 / (1.0 + delta), 0
        x = x - t * d
        y = y - t * Cd if rough is None else product(x)
    return best, found


def _first(product: Product, b: FloatArray, start: FloatArray | None) -> tuple[FloatArray, FloatArray]:
    """x to start from, and C x."""
    x, y = _scaled(product, np.sqrt(b) if start is None else start)
    for _ in range(SWEEPS if start is None else 0):
        x, y = _scaled(product, swept(b, x, y))
    return x, y


def _scaled(product: Product, x: FloatArray) -> tuple[FloatArray, FloatArray]:
    """x and C x, scaled to x'Cx = 1."""
    y = product(x)
    power = float(x @ y)
    if not power > 0:
        raise _indefinite(power / float(x @ x))
    return x / np.sqrt(power), y / np.sqrt(power)


def _direction(
    product: Product, h: FloatArray, gradient: FloatArray, forcing: float
) -> tuple[FloatArray, FloatArray]:
    """d with (C + diag h) d = gradient up to `forcing` in the preconditioned norm, and C d."""
    d, Cd = np.zeros_like(h), np.zeros_like(h)
    residual = gradient
    inverse = 1.0 / (1.0 + h)
    z = p = inverse * residual
    rz = float(residual @ z)
    enough = forcing**2 * rz
    for _ in range(MAX_PRODUCTS):
        Cp = product(p)
        Hp = Cp + h * p
        curvature = float(p @ Hp)
        if not curvature > 0:
            raise _indefinite(curvature / float(p @ p))
        alpha = rz / curvature
        d, Cd = d + alpha * p, Cd + alpha * Cp
        residual = residual - alpha * Hp
        z = inverse * residual
        last, rz = rz, float(residual @ z)
        if rz <= enough:
            break
        p = z + (rz / last) * p
    return d, Cd


def _indefinite(curvature: float) -> SolverError:
    return SolverError(
        f"covariance is not positive definite: it has a direction of curvature {curvature:.3g}, it must be "
        "> 0; repair it or shrink it towards the identity"
    )
