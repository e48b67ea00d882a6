"""Every solver on the same matrices, in the environment that holds the libraries; writes JSON.

`python -m tests.bench.libraries FILE`: `make bench` calls it with one thread of linear algebra. A solver runs
in a child of its own, so that one that never returns loses its seconds and nothing else.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import platform
import sys
import time
import tracemalloc
import warnings
from collections.abc import Callable, Iterator
from importlib import import_module, metadata
from importlib.machinery import ExtensionFileLoader
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import numpy as np

from equipoise.solver import load_kernels, parity, solve_parity, solve_parity_batch
from equipoise.types import FloatArray
from tests.bench.problems import FAMILIES, error_of, problems

SIZES = (4, 8, 20, 50, 100, 200, 500, 1000)
CPP = "riskparityportfolio"
OURS, NUMBA = "equipoise", "equipoise, numba"
TRUSTING, TRUSTING_NUMBA = (f"{name}, assume_definite" for name in (OURS, NUMBA))
LARGEST = {"skfolio": 100, "riskfolio-lib": 20, "PyPortfolioOpt": 20}
PACKAGES = (
    "numpy",
    "numba",
    "riskparityportfolio",
    "skfolio",
    "riskfolio-lib",
    "PyPortfolioOpt",
    "cvxpy",
    "clarabel",
)
TOLERANCE = 1e-10
"""Asked of those that let themselves be asked: what ours certifies."""

WRONG = 1e-6
"""Largest error of a share of variance that is no failure: what the contract accepts."""

SECONDS, DEADLINE = 0.5, 15.0
"""Processor time of a solver with a family of a size; seconds after which it is said to hang."""

BATCH, SMALL = 10_000, 8
CLOCK = time.process_time
"""Processor time: what else the machine does stays out of the ratios."""

Solve = Callable[[], FloatArray]
Prepare = Callable[[FloatArray, FloatArray], Solve]
"""Covariance and budgets to the call that is timed."""


def main() -> None:
    found: dict[str, Any] = {
        "machine": {"cpu": _cpu(), "python": platform.python_version()},
        "versions": {name: metadata.version(name) for name in PACKAGES},
        "rows": [],
    }
    for library in ("skfolio.optimization", "riskfolio", "pypfopt", "cvxpy", "pandas"):
        import_module(library)  # once, not in every child
    if not load_kernels():  # compiles, where numba's cache has nothing
        raise SystemExit("numba's kernels were not loaded")
    for n in SIZES:
        for family in FAMILIES:
            covariances, budgets = problems(family, n, 20 if n <= 100 else 4)
            for name, prepare in solvers().items():
                if n <= LARGEST.get(name, n) and not (n < 100 and name in (TRUSTING, TRUSTING_NUMBA)):
                    print(f"{name}, {family}, n = {n}", file=sys.stderr, flush=True)
                    figures = _apart(_measure, prepare, covariances, budgets)
                    hung = {"seconds": None, "worst": None, "failed": None, "tried": len(covariances)}
                    row = figures or hung
                    found["rows"].append({"solver": name, "family": family, "n": n, **row})
    for family in ("well", "hedged"):
        print(f"batch, {family}", file=sys.stderr, flush=True)
        found[f"batch_{family}"] = _apart(_batch, family)
    found["memory"] = _apart(_memory)
    Path(sys.argv[1]).write_text(json.dumps(found, indent=1) + "\n")


# ----------------------------------------------------------------- solvers


def solvers() -> dict[str, Prepare]:
    """As their users call them. PyPortfolioOpt has no risk budgeting: its users write the objective."""
    return {
        OURS: _equipoise(numba=False),
        NUMBA: _equipoise(numba=True),
        TRUSTING: _equipoise(numba=False, assume_definite=True),
        TRUSTING_NUMBA: _equipoise(numba=True, assume_definite=True),
        CPP: _riskparityportfolio,
        "skfolio": _skfolio,
        "riskfolio-lib": _riskfolio,
        "PyPortfolioOpt": _pyportfolioopt,
    }


def _equipoise(*, numba: bool, assume_definite: bool = False) -> Prepare:
    """Ours, in a child of its own: what is switched off there stays on here."""

    def prepare(S: FloatArray, b: FloatArray) -> Solve:
        if not numba:
            parity.kernels = lambda: None
        return lambda: solve_parity(S, b, assume_definite=assume_definite).weights

    return prepare


def _cpp() -> Callable[..., FloatArray]:
    """The compiled function alone: the package around it asks for jax."""
    folder = Path(str(metadata.distribution(CPP).locate_file(CPP)))
    path = str(next(path for path in folder.glob("vanilla.*") if path.suffix in (".so", ".pyd")))
    spec = spec_from_file_location("vanilla", path, loader=ExtensionFileLoader("vanilla", path))
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.design


def _riskparityportfolio(S: FloatArray, b: FloatArray) -> Solve:
    design = _cpp()
    return lambda: np.asarray(design(S, b, tol=TOLERANCE, maxiter=1000))


def _sample(S: FloatArray) -> FloatArray:
    """2 n days of returns whose sample covariance is S exactly."""
    n = len(S)
    days = np.random.default_rng(0).standard_normal((2 * n, n))
    orthonormal, _ = np.linalg.qr(days - days.mean(axis=0))
    return np.sqrt(2 * n - 1) * orthonormal @ np.linalg.cholesky(S).T


def _skfolio(S: FloatArray, b: FloatArray) -> Solve:
    optimization, returns = import_module("skfolio.optimization"), _sample(S)
    return lambda: optimization.RiskBudgeting(risk_budget=b).fit(returns).weights_


def _riskfolio(S: FloatArray, b: FloatArray) -> Solve:
    riskfolio, pandas = import_module("riskfolio"), import_module("pandas")
    names = [f"a{i}" for i in range(len(S))]
    portfolio = riskfolio.Portfolio(returns=pandas.DataFrame(_sample(S), columns=names))
    portfolio.assets_stats(method_mu="hist", method_cov="hist")
    portfolio.cov = pandas.DataFrame(S, names, names)
    return lambda: portfolio.rp_optimization(model="Classic", rm="MV", rf=0, b=b[:, None]).to_numpy().ravel()


def _pyportfolioopt(S: FloatArray, b: FloatArray) -> Solve:
    pypfopt, cvxpy = import_module("pypfopt"), import_module("cvxpy")

    def barrier(w: Any, matrix: FloatArray, budgets: FloatArray) -> Any:
        return cvxpy.quad_form(w, cvxpy.psd_wrap(matrix)) / 2 - budgets @ cvxpy.log(w)

    def solve() -> FloatArray:
        frontier = pypfopt.EfficientFrontier(None, S, weight_bounds=(1e-9, None))
        frontier.convex_objective(barrier, weights_sum_to_one=False, matrix=S, budgets=b)
        return np.asarray(frontier.weights / frontier.weights.sum())

    return solve


# ------------------------------------------------------------- measurement


def _measure(prepare: Prepare, covariances: FloatArray, budgets: FloatArray) -> dict[str, Any]:
    """Median time of a matrix {s}, worst error, failures among those tried."""
    times: list[float] = []
    errors: list[float] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for S, b in zip(covariances, budgets, strict=True):
            try:
                solve = prepare(S, b)
                weights = solve()  # warms up
                times += list(_timed(solve, SECONDS / len(covariances)))
            except Exception:  # whatever a library raises: it has no weights
                weights = np.full(len(b), np.nan)
            errors.append(error_of(S, weights, b))
            if sum(times) > SECONDS:
                break
    failed = sum(error > WRONG for error in errors)
    finite = [error for error in errors if error < np.inf]
    return {
        "seconds": float(np.median(times)) if times else None,
        "worst": max(finite) if finite else None,
        "failed": failed,
        "tried": len(errors),
    }


def _timed(solve: Solve, seconds: float) -> Iterator[float]:
    """Times of a call, each the mean of as many as make a millisecond."""
    started = CLOCK()
    solve()
    once = max(CLOCK() - started, 1e-7)
    repeats = max(1, round(1e-3 / once))
    spent = 0.0
    while spent < seconds:
        started = CLOCK()
        for _ in range(repeats):
            solve()
        took = CLOCK() - started
        spent += took
        yield took / repeats


def _batch(family: str) -> dict[str, Any]:
    """10,000 matrices of 8 by 8: ours in one call, the C++ in a loop."""
    base, budgets = problems(family, SMALL, 500)
    S, b = np.tile(base, (BATCH // 500, 1, 1)), np.tile(budgets, (BATCH // 500, 1))
    design = _cpp()

    def loop() -> list[FloatArray]:
        return [design(M, c, tol=TOLERANCE, maxiter=1000) for M, c in zip(S, b, strict=True)]

    ours, theirs = [], []
    for _ in range(9):
        for times, call in ((ours, lambda: solve_parity_batch(S, b)), (theirs, loop)):
            started = CLOCK()
            call()
            times.append(CLOCK() - started)
    weights = solve_parity_batch(base, budgets).weights
    theirs_weights = [design(M, c, tol=TOLERANCE, maxiter=1000) for M, c in zip(base, budgets, strict=True)]
    wrong = [
        sum(error_of(M, w, c) > WRONG for M, w, c in zip(base, found, budgets, strict=True))
        for found in (weights, theirs_weights)
    ]
    return {
        "ours": float(np.median(ours)),
        "cpp": float(np.median(theirs)),
        "ours_wrong": wrong[0],
        "cpp_wrong": wrong[1],
        "tried": len(base),
    }


def _memory() -> dict[str, float]:
    """Bytes a matrix at the peak of a batch, the results among them, without the input."""
    base, _ = problems("well", SMALL, 500)
    found = {}
    for m in (1_000, 10_000, 100_000):
        S = np.tile(base, (m // 500, 1, 1))
        tracemalloc.start()
        solve_parity_batch(S)
        found[str(m)] = tracemalloc.get_traced_memory()[1] / m
        tracemalloc.stop()
    return found


def _apart(function: Callable[..., Any], *arguments: Any) -> Any:
    """The result of a forked child; None when it is not back in time."""
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=lambda: sender.send(function(*arguments)))
    child.start()
    sender.close()
    try:
        return receiver.recv() if receiver.poll(DEADLINE) else None
    except EOFError:  # it died
        return None
    finally:
        child.kill()
        child.join()


def _cpu() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return f"{names[0] if names else platform.processor()}, {os.cpu_count()} cores"


if __name__ == "__main__":
    main()
