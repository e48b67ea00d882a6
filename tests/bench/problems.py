"""The same random problems for every solver; NumPy only: they are made in the libraries' environment."""

from __future__ import annotations

import numpy as np

from equipoise.types import FloatArray

__all__ = ["FAMILIES", "error_of", "problems"]


def problems(family: str, n: int, count: int) -> tuple[FloatArray, FloatArray]:
    """Covariances (count, n, n) and budgets (count, n); always the same."""
    rng = np.random.default_rng([n, sorted(FAMILIES).index(family)])
    made = [FAMILIES[family](rng, n) for _ in range(count)]
    return np.array([S for S, _ in made]), np.array([b for _, b in made])


def error_of(covariance: FloatArray, weights: FloatArray, budgets: FloatArray) -> float:
    """max |share of variance - budget|, in extended precision; infinite for weights that are not > 0."""
    w = np.asarray(weights, dtype=np.longdouble)
    if w.shape != budgets.shape or not np.isfinite(w).all() or not (w > 0).all():
        return float("inf")
    parts = w * (np.asarray(covariance, dtype=np.longdouble) @ w)
    return float(np.abs(parts / parts.sum() - budgets).max()) if parts.sum() > 0 else float("inf")


def _scaled(rng: np.random.Generator, C: FloatArray) -> FloatArray:
    sigma = rng.uniform(0.05, 1.5, len(C))
    return C * sigma[:, None] * sigma


def _budgets(rng: np.random.Generator, n: int) -> FloatArray:
    return np.asarray(rng.dirichlet(np.full(n, 5.0)) * 0.8 + 0.2 / n)


def _returns(rng: np.random.Generator, n: int) -> FloatArray:
    """Three times n days with one market and two lesser factors."""
    days = 3 * n + 10
    market = rng.standard_normal((days, 1)) @ rng.uniform(0.3, 1.2, (1, n))
    lesser = rng.standard_normal((days, 2)) @ rng.normal(0.0, 0.2, (2, n))
    return market + lesser + rng.standard_normal((days, n))


def well(rng: np.random.Generator, n: int) -> tuple[FloatArray, FloatArray]:
    """A market with a common factor and data enough."""
    return _scaled(rng, np.corrcoef(_returns(rng, n), rowvar=False)), _budgets(rng, n)


def ill(rng: np.random.Generator, n: int) -> tuple[FloatArray, FloatArray]:
    """Every other asset is nearly the copy of its neighbour: smallest eigenvalues of 1e-6 to 1e-9."""
    returns = _returns(rng, n)
    noise = 10 ** rng.uniform(-4.5, -3)
    returns[:, 1::2] = returns[:, : n - 1 : 2] + noise * rng.standard_normal(returns[:, 1::2].shape)
    return _scaled(rng, np.corrcoef(returns, rowvar=False)), _budgets(rng, n)


def hedged(rng: np.random.Generator, n: int) -> tuple[FloatArray, FloatArray]:
    """The smallest eigenvalue, 1e-4 to 1e-1, has a positive eigenvector: together the assets cancel."""
    basis = rng.standard_normal((n, n))
    basis[:, 0] = np.abs(basis[:, 0]) + 0.1
    vectors, _ = np.linalg.qr(basis)
    values = np.concatenate([[10 ** rng.uniform(-4, -1)], 10 ** rng.uniform(-1, 0, n - 1)])
    matrix = (vectors * values) @ vectors.T
    scale = 1 / np.sqrt(np.diag(matrix))
    return _scaled(rng, matrix * scale[:, None] * scale), _budgets(rng, n)


def thin(rng: np.random.Generator, n: int) -> tuple[FloatArray, FloatArray]:
    """Budgets down to 1e-6, variances over ten orders of magnitude."""
    sigma = 10 ** rng.uniform(-3, 2, n)
    budgets = 10 ** rng.uniform(-6, 0, n)
    return np.corrcoef(_returns(rng, n), rowvar=False) * sigma[:, None] * sigma, budgets / budgets.sum()


FAMILIES = {"well": well, "ill": ill, "hedged": hedged, "thin": thin}
