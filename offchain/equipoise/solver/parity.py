"""Risk-parity weights and coordinates of covariance matrices, certified before they are returned.

Each function computes first and asks what was wrong when the certificate, or one of the cheap checks before
it, fails: good input does not pay for the diagnosis of bad input.
"""

from __future__ import annotations

from functools import lru_cache, partial

import numpy as np
from numpy.typing import ArrayLike

from equipoise.errors import SolverError
from equipoise.solver.checks import ROUNDED, as_array, as_budgets, as_start, check_covariance
from equipoise.solver.compiled import contiguous, kernels
from equipoise.solver.conjugate import Rough, coordinates_conjugate
from equipoise.solver.newton import coordinates_newton
from equipoise.solver.reductions import smallest
from equipoise.solver.solution import ROUNDING_TOLERANCE, TOLERANCE, ParitySolution, certify
from equipoise.types import FloatArray

__all__ = ["solve_parity"]

SAFE_PIVOT = 1e-4
"""A diagonal entry of the Cholesky factor above it is no rounding error; else eigenvalues are asked."""

DENSE_UP_TO = 80
"""Assets up to which factorising in each step is faster than conjugate gradients."""

_NO_START = np.empty(0)
_SKEW = 1e-10
"""What a probe may find of rounding; a skew entry that matters moves it by at least 1e-8."""


def solve_parity(
    covariance: ArrayLike,
    budgets: ArrayLike | None = None,
    *,
    tolerance: float = TOLERANCE,
    start: ArrayLike | None = None,
    assume_definite: bool = False,
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
    start
        Shape (n,), > 0: coordinates to start from, e.g. of yesterday's matrix.
    assume_definite
        Skip the factorisation that proves the matrix positive definite: for hundreds of assets it takes
        longer than the solution. The shares are certified all the same.

    Raises
    ------
    SolverError
        An input is outside its domain, or the result fails its certificate: the matrix is then so close to
        singular that double precision cannot hold the solution.
    """
    S = as_array(covariance, "covariance")
    if S.ndim != 2 or S.shape[0] != S.shape[1] or S.size == 0:
        raise SolverError(f"covariance has shape {S.shape}; it must be square, (n, n)")
    n = len(S)
    b = as_budgets(budgets, n)
    x = None if start is None else contiguous(as_start(start, n))
    with np.errstate(all="ignore"):  # what they warn of fails a check
        solution = (_compiled if n <= DENSE_UP_TO else _by_products)(S, b, x, assume_definite)
        if solution is None or not solution.max_error <= tolerance:
            solution = _by_factors(S, b, x, assume_definite)
        if solution.max_error <= tolerance:
            return solution
        return _excused(S, solution, tolerance)


def _compiled(
    S: FloatArray, b: FloatArray, start: FloatArray | None, assume_definite: bool
) -> ParitySolution | None:
    """None without numba, and where something is to be said about the matrix."""
    machine = kernels()
    if machine is None:
        return None
    x, sigma, iterations, symmetric, pivot = machine.coordinates_dense(
        contiguous(S), b, _NO_START if start is None else start
    )
    if not symmetric:
        return None
    if not (assume_definite or pivot > SAFE_PIVOT):
        check_covariance(S)
    return certify(partial(_product, S, 1.0 / sigma), sigma, x, b, iterations)


def _by_factors(
    S: FloatArray, b: FloatArray, start: FloatArray | None, assume_definite: bool
) -> ParitySolution:
    sigma = np.sqrt(S.diagonal())
    C = S / sigma[:, None] / sigma
    if not (C - C.T).max() <= ROUNDED:
        check_covariance(S)
        C = (C + C.T) / 2
    if not (assume_definite or _surely_definite(C)):
        check_covariance(S)
    try:
        x, iterations = coordinates_newton(C, b, start)
    except np.linalg.LinAlgError:
        check_covariance(S)
        raise
    return certify(C.dot, sigma, x, b, iterations)


def _by_products(
    S: FloatArray, b: FloatArray, start: FloatArray | None, assume_definite: bool
) -> ParitySolution:
    machine, probe, rough = kernels(), _probe(len(S)), None
    if machine is None:
        sigma = np.sqrt(S.diagonal())
        rows, columns = (_product(M, 1.0 / sigma, probe) for M in (S, S.T))
    else:
        lower, sigma, rows, columns = machine.scan(contiguous(S), probe)
        rough = Rough(partial(machine.product_lower, lower), partial(machine.direction, lower))
    inverse = 1.0 / sigma
    if not np.abs(rows - columns).max() <= _SKEW * len(S) ** 0.5:
        check_covariance(S)
    if not (assume_definite or _surely_definite(S * inverse[:, None] * inverse)):
        check_covariance(S)
    product = partial(_product, S, inverse)
    x, iterations = coordinates_conjugate(product, b, start, rough)
    return certify(product, sigma, x, b, iterations)


def _product(S: FloatArray, inverse: FloatArray, v: FloatArray) -> FloatArray:
    """C v, `inverse` the reciprocals of the standard deviations."""
    return S.dot(v * inverse) * inverse


def _surely_definite(C: FloatArray) -> bool:
    try:
        return bool(smallest(np.linalg.cholesky(C).diagonal()) > SAFE_PIVOT)
    except np.linalg.LinAlgError:
        return False


@lru_cache(maxsize=8)
def _probe(n: int) -> FloatArray:
    """Numbers in [1, 2] with random signs: two skew entries do not cancel in a product by chance."""
    rng = np.random.default_rng(n)
    return rng.uniform(1.0, 2.0, n) * rng.choice([-1.0, 1.0], n)


def _excused(S: FloatArray, solution: ParitySolution, tolerance: float) -> ParitySolution:
    """The solution when rounding alone explains its error; the named error otherwise."""
    check_covariance(S)
    sigma = np.sqrt(S.diagonal())
    C = S / sigma[:, None] / sigma
    # what x rounded to doubles may miss in x_i (C x)_i
    terms = solution.coordinates * (np.abs(C) @ solution.coordinates)
    rounding = 4 * float(np.finfo(float).eps) * float(terms.max())
    limit = max(tolerance, min(ROUNDING_TOLERANCE, rounding))
    if solution.max_error <= limit:
        return solution
    least = np.linalg.eigvalsh((C + C.T) / 2)[0]
    raise SolverError(
        f"solution misses a budget by {solution.max_error:.2g} of the variance, above {limit:.2g}; "
        f"the correlation is nearly singular (smallest eigenvalue {least:.2g}): shrink it towards the "
        "identity, or drop a redundant asset"
    )
