"""What the solvers return, and the certificate without which nothing is returned."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from equipoise.solver.reductions import largest, smallest
from equipoise.types import FloatArray, IntArray

__all__ = ["ROUNDING_TOLERANCE", "TOLERANCE", "ParityBatch", "ParitySolution", "certify"]

TOLERANCE = 1e-10
"""Largest |share_i - b_i| that is returned, in fractions of the portfolio's variance."""

ROUNDING_TOLERANCE = 1e-8
"""Largest one where a nearly singular hedge makes the terms x_i C_ij x_j too large for doubles."""


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

    @classmethod
    def empty(cls, m: int, n: int) -> ParityBatch:
        """Room for m solutions of n assets, to be filled."""
        vectors, numbers = (lambda: np.empty((m, n))), (lambda: np.empty(m))
        return cls(vectors(), vectors(), numbers(), vectors(), numbers(), np.empty(m, dtype=np.int64))

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

    def __setitem__(self, k: int, solution: ParitySolution) -> None:
        for name, value in vars(solution).items():
            getattr(self, name)[k] = value


def certify(
    product: Callable[[FloatArray], FloatArray],
    sigma: FloatArray,
    x: FloatArray,
    b: FloatArray,
    iterations: int,
) -> ParitySolution:
    """The portfolio of coordinates x (n,), with the shares that its own weights have.

    `product` takes v to C v, `sigma` are the standard deviations. The caller compares `max_error`, which is
    NaN or infinite where there is no portfolio, with its tolerance.
    """
    inverse = x / sigma
    weights = inverse / inverse.sum()
    a = weights * sigma
    parts = a * product(a)
    variance = float(parts.sum())
    error = largest(parts / variance - b) if variance > 0 and smallest(weights) > 0 else np.inf
    volatility = variance**0.5 if variance > 0 else np.nan
    return ParitySolution(weights, x, volatility, parts / volatility, error, iterations)
