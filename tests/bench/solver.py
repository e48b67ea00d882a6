"""Risk-parity solvers on the same random matrices: time, error of the certificate, failures."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from functools import partial
from importlib import import_module

import numpy as np
from rich.table import Table
from scipy.optimize import minimize

from equipoise.errors import SolverError
from equipoise.solver import solve_parity, solve_parity_batch
from equipoise.solver.certificate import certificate_error
from equipoise.types import FloatArray
from tests.bench.measure import median_seconds, show_seconds, table

__all__ = ["tables"]

SIZES = (5, 8, 20, 100)
MATRICES = 200
CLOCK = time.process_time
"""Processor time: what else the machine does stays out of the ratios."""

SECONDS = 1.5
"""For one solver at one size: a slow one sees the first matrices only (half of any number are hedged)."""

TOLERANCE = 1e-6
"""Largest error that is no failure: what the contract accepts."""

Solve = Callable[[FloatArray, FloatArray], FloatArray]
"""Covariance (n, n) and budgets (n,) to weights (n,)."""


def tables() -> list[Table | str]:
    rows: list[tuple[str, ...]] = []
    for n in SIZES:
        covariances, budgets = problems(n)
        ours, *_ = single = [figures(name, solve, covariances, budgets) for name, solve in solvers().items()]
        for name, seconds, median, worst, failed, tried in [ours, batch(covariances, budgets), *single[1:]]:
            shown = show_seconds(seconds), f"{seconds / ours[1]:.3g}", f"{median:.0e}", f"{worst:.0e}"
            rows.append((f"{n}" if name == ours[0] else "", name, *shown, f"{failed} of {tried}"))
        rows.append(("",) * 7)
    headers = ("n   ", "Solver", "  A matrix", "  Ratio", "  Error", "  Worst", "    Failed")
    caption = (
        "Ratio of times to our single solve. Error: max |x (C x) - b|, median and worst.\n"
        f"Failed: above {TOLERANCE:.0e}, or no positive weights. Half of the matrices are hedged."
    )
    return [table("Risk parity: CPU time of one thread", headers, rows[:-1], caption, words=2)]


# ---------------------------------------------------------------- problems


def problems(n: int) -> tuple[FloatArray, FloatArray]:
    """Covariances (200, n, n), of one market and hedged by turns, and budgets (200, n); always the same."""
    rng = np.random.default_rng(n)
    correlations = [(_hedged if k % 2 else _market)(rng, n) for k in range(MATRICES)]
    vol_ann = rng.uniform(0.05, 1.5, (MATRICES, n))
    budgets = rng.dirichlet(np.full(n, 5.0), MATRICES) * 0.8 + 0.2 / n
    return np.array(correlations) * vol_ann[:, :, None] * vol_ann[:, None, :], budgets


def _market(rng: np.random.Generator, n: int) -> FloatArray:
    """Sample correlation of three times n days of returns with a few common factors."""
    factors = rng.standard_normal((3 * n + 10, 3)) @ rng.uniform(-0.3, 1.0, (3, n))
    return np.corrcoef(factors + rng.standard_normal(factors.shape), rowvar=False)


def _hedged(rng: np.random.Generator, n: int) -> FloatArray:
    """The smallest eigenvalue, 1e-4 to 1e-1, has a positive eigenvector: together the assets cancel."""
    basis = rng.standard_normal((n, n))
    basis[:, 0] = np.abs(basis[:, 0]) + 0.1
    vectors, _ = np.linalg.qr(basis)
    values = np.concatenate([[10 ** rng.uniform(-4, -1)], 10 ** rng.uniform(-1, 0, n - 1)])
    matrix = (vectors * values) @ vectors.T
    scale = 1 / np.sqrt(np.diag(matrix))
    return matrix * np.outer(scale, scale)


# ------------------------------------------------------------- measurement


def figures(
    name: str, solve: Solve, covariances: FloatArray, budgets: FloatArray
) -> tuple[str, float, float, float, int, int]:
    """Name, median time of a matrix {s}, median and worst error, failures, matrices tried."""
    times: list[float] = []
    errors: list[float] = []
    for covariance, b in [(covariances[0], budgets[0]), *zip(covariances, budgets, strict=True)]:
        started = CLOCK()
        try:
            weights = solve(covariance, b)
        except Exception:  # whatever a library raises: it has no weights
            weights = np.full(len(b), np.nan)
        times.append(CLOCK() - started)
        errors.append(error_of(covariance, weights, b))
        if sum(times) > SECONDS:
            break
    times, errors = times[1:] or times, errors[1:] or errors  # the first matrix only warms up
    failed = sum(error > TOLERANCE for error in errors)
    return name, float(np.median(times)), float(np.median(errors)), max(errors), failed, len(errors)


def batch(covariances: FloatArray, budgets: FloatArray) -> tuple[str, float, float, float, int, int]:
    """All matrices in one call; its time is divided among them."""
    name, m = "equipoise, batch of 200", len(covariances)
    try:
        weights = solve_parity_batch(covariances, budgets).weights
    except SolverError:
        return name, float("nan"), float("inf"), float("inf"), m, m
    seconds = median_seconds(lambda: solve_parity_batch(covariances, budgets), clock=CLOCK) / m
    errors = [error_of(*case) for case in zip(covariances, weights, budgets, strict=True)]
    failed = sum(error > TOLERANCE for error in errors)
    return name, seconds, float(np.median(errors)), max(errors), failed, m


def error_of(covariance: FloatArray, weights: FloatArray, budgets: FloatArray) -> float:
    """The certificate's error of x = a / sqrt(a'Ca), a = w sigma; infinite for weights that are not > 0."""
    sigma = np.sqrt(np.diag(covariance))
    correlation, a = covariance / np.outer(sigma, sigma), np.asarray(weights, dtype=float) * sigma
    variance = a @ correlation @ a
    return certificate_error(correlation, a / np.sqrt(variance), budgets) if variance > 0 else float("inf")


# ----------------------------------------------------------------- solvers


def solvers() -> dict[str, Solve]:
    """Ours first, scipy's as practitioners call them, then the libraries that happen to be installed.

    None of those is a dependency; PyPortfolioOpt is not among them: it has no risk budgeting.
    """
    found: dict[str, Solve] = {
        "equipoise": lambda covariance, b: solve_parity(covariance, b).weights,
        "scipy SLSQP, least squares": _least_squares,
        "scipy SLSQP, log barrier": partial(_log_barrier, "SLSQP", {"ftol": 1e-14, "maxiter": 1000}),
        "scipy L-BFGS-B, log barrier": partial(
            _log_barrier, "L-BFGS-B", {"ftol": 1e-15, "gtol": 1e-10, "maxiter": 5000, "maxfun": 50_000}
        ),
    }
    for name, solve in {"riskparityportfolio": _riskparityportfolio, "skfolio": _skfolio}.items():
        try:
            import_module(name)
        except ImportError:
            continue
        found[name] = solve
    return found


def _least_squares(covariance: FloatArray, b: FloatArray) -> FloatArray:
    """min sum_i (share_i - b_i)^2 over the simplex, with its gradient, from inverse volatility."""

    def loss(w: FloatArray) -> tuple[float, FloatArray]:
        marginal = covariance @ w
        variance = w @ marginal
        miss = w * marginal / variance - b
        gradient = (
            marginal * miss + covariance @ (w * miss) - 2 * marginal * (miss @ (w * marginal)) / variance
        )
        return float(miss @ miss), 2 * gradient / variance

    start = 1 / np.sqrt(np.diag(covariance))
    budget = {"type": "eq", "fun": lambda w: w.sum() - 1, "jac": np.ones_like}
    return minimize(
        loss,
        start / start.sum(),
        jac=True,
        method="SLSQP",
        bounds=[(1e-9, 1.0)] * len(b),
        constraints=[budget],
        options={"ftol": 1e-16, "maxiter": 1000},
    ).x


def _log_barrier(method: str, options: dict[str, float], covariance: FloatArray, b: FloatArray) -> FloatArray:
    """Spinu's min x'Cx / 2 - sum_i b_i ln x_i over x > 0 on the correlation; weights x / sigma."""
    sigma = np.sqrt(np.diag(covariance))
    C = covariance / np.outer(sigma, sigma)

    def loss(x: FloatArray) -> tuple[float, FloatArray]:
        Cx = C @ x
        return float(x @ Cx / 2 - b @ np.log(x)), Cx - b / x

    bounds = [(1e-9, None)] * len(b)
    found = minimize(loss, np.sqrt(b), jac=True, method=method, bounds=bounds, options=options)
    weights = found.x / sigma
    return weights / weights.sum()


def _riskparityportfolio(covariance: FloatArray, b: FloatArray) -> FloatArray:
    design = import_module("riskparityportfolio").vanilla.design
    return np.asarray(design(covariance, b, tol=1e-12, maxiter=1000))  # 1e-4 and 50 otherwise


def _skfolio(covariance: FloatArray, b: FloatArray) -> FloatArray:
    """It takes returns: 2 n days whose sample covariance is the given one exactly."""
    optimization = import_module("skfolio.optimization")
    n = len(b)
    days = np.random.default_rng(0).standard_normal((2 * n, n))
    orthonormal, _ = np.linalg.qr(days - days.mean(axis=0))
    returns = np.sqrt(2 * n - 1) * orthonormal @ np.linalg.cholesky(covariance).T
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return optimization.RiskBudgeting(risk_budget=b).fit(returns).weights_
