"""The same prices under a grid of parameters, in parallel through joblib.

`joblib.parallel_config(backend="dask")` or "ray" around a call scales it out; nothing here knows of them.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

import pandas as pd

from equipoise.client.config import AuctionConfig
from equipoise.errors import InputError
from equipoise.estimation.ewma import EstimationConfig
from equipoise.simulation.backtest import BacktestConfig, backtest_oracle, run_backtest
from equipoise.simulation.oracle_path import OraclePath

__all__ = ["RESULT_COLUMNS", "run_sweep", "sweepable"]

RESULT_COLUMNS = (
    "annual_return",
    "volatility",
    "sharpe",
    "max_drawdown",
    "turnover",
    "trading_cost",
    "rebalances",
    "mean_parity_gap",
)


_PARTS: dict[str, type[AuctionConfig | EstimationConfig]] = {
    "auction": AuctionConfig,
    "estimation": EstimationConfig,
}
_WHOLE = ("window", "min_observations", "correlations_every")
_FIXED = (  # no number, or of no effect on a backtest
    "shrinkage",
    "start_premium",
    "end_discount",
    "ripcord_discount",
    "ripcord_duration",
    "duration",
)


def sweepable() -> tuple[str, ...]:
    """Names of the parameters that a grid may hold."""
    names = (f.name for part in _PARTS.values() for f in fields(part))
    return (*(name for name in names if name not in _FIXED), "correlations_every")


def run_sweep(
    closes: pd.DataFrame,
    config: BacktestConfig,
    grid: Mapping[str, Sequence[float]],
    *,
    jobs: int | None = None,
) -> pd.DataFrame:
    """One backtest for each point of a grid.

    Parameters
    ----------
    closes, config
        As `run_backtest`; the grid's values replace those of the configuration.
    grid
        Parameter -> values; see `sweepable`.
    jobs
        Processes; joblib's own setting (one, or that of `joblib.parallel_config`) by default.

    Returns
    -------
    DataFrame
        A row a point: the parameters, then `RESULT_COLUMNS` (as `metrics.Statistics`; fractions).

    Raises
    ------
    InputError
        An unknown parameter, no values, or one outside its domain; nothing is run then.
    """
    from joblib import Parallel, delayed

    if jobs == 0:
        raise InputError("jobs is 0; give a number of processes, or -1 for one a processor")
    for name, values in grid.items():
        if name not in sweepable():
            raise InputError(f"no parameter {name!r} to sweep; choose from {', '.join(sweepable())}")
        if not len(values):
            raise InputError(f"no values for {name}; give numbers separated by commas")
        for value in values:
            if name in _WHOLE and not float(value).is_integer():
                raise InputError(f"{name} is {value}; it is a whole number")
    points = [dict(zip(grid, values, strict=True)) for values in itertools.product(*grid.values())]
    configs = [_at(config, point) for point in points]
    oracles: dict[tuple[EstimationConfig, int], OraclePath] = {}
    for one in configs:  # bands and targets do not change what the signers see
        key = one.estimation, one.correlations_every
        if key not in oracles:
            oracles[key] = backtest_oracle(closes, one)
    rows = Parallel(n_jobs=jobs)(
        delayed(_row)(closes, one, oracles[one.estimation, one.correlations_every]) for one in configs
    )
    return pd.DataFrame([{**point, **row} for point, row in zip(points, rows, strict=True)])


def _at(config: BacktestConfig, point: Mapping[str, Any]) -> BacktestConfig:
    parts: dict[str, dict[str, Any]] = {"auction": {}, "estimation": {}, "own": {}}
    for name, value in point.items():
        part = next((part for part, cls in _PARTS.items() if name in {f.name for f in fields(cls)}), "own")
        parts[part][name] = int(value) if name in _WHOLE else float(value)
    auction = replace(config.auction, **parts["auction"])
    return replace(
        config, auction=auction, estimation=replace(config.estimation, **parts["estimation"]), **parts["own"]
    )


def _row(closes: pd.DataFrame, config: BacktestConfig, oracle: OraclePath) -> dict[str, float]:
    result = run_backtest(closes, config, oracle=oracle)
    figures = result.portfolio.statistics
    own = {"rebalances": result.rebalances, "mean_parity_gap": float(result.days["parity_gap"].mean())}
    return {name: getattr(figures, name) for name in RESULT_COLUMNS if name not in own} | own
