"""What the volatility oracle would have in use on each day, in floats, from the signers' estimates.

It mirrors `VolatilityOracle` and `RealizedVolatility`: a volatility rises at once, falls by at most a fifth a
day and is never below a fraction of the realised one; correlations and coordinates are those of the last
report; when the parity portfolio moved more than they claim, all risk counts for more. Left out is the
filter of single bad prints: closes are taken at their word.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from equipoise.client.config import OracleConfig, RealizedConfig
from equipoise.errors import InputError
from equipoise.estimation.ewma import EstimatePath, EstimationConfig, estimate_path
from equipoise.solver import solve_parity_batch
from equipoise.types import FloatArray
from equipoise.units import DAY, YEAR_DAYS

__all__ = ["OraclePath", "oracle_path"]

MAX_PARITY_RATIO = 10.0


@dataclass(frozen=True, eq=False)
class OraclePath:
    """By day, from `first` on; NaN before it.

    Attributes
    ----------
    first
        The first day with reports.
    vol_ann
        Shape (T, n): volatilities in use, per sqrt(year).
    correlation, coordinates
        Shapes (T, n, n) and (T, n): of the last correlation report.
    ratio
        Shape (T,), >= 1: by how much the parity portfolio is riskier than claimed.
    covariances
        Shape (T, n, n): the signers' own estimate of each day, a year's.
    """

    first: int
    vol_ann: FloatArray
    correlation: FloatArray
    coordinates: FloatArray
    ratio: FloatArray
    covariances: FloatArray


def oracle_path(
    closes: pd.DataFrame,
    estimates: EstimatePath,
    budgets: FloatArray,
    correlations_every: int = 7,
    oracle: OracleConfig | None = None,
    realized: RealizedConfig | None = None,
) -> OraclePath:
    """Follow the oracle through `estimates` of `closes` (T, n), NaN where a market was closed.

    Parameters
    ----------
    budgets
        Shape (n,), > 0, sum 1.
    correlations_every
        Days between correlation reports, >= 1.
    oracle, realized
        Its parameters; those of a deployment by default.
    """
    if not (correlations_every >= 1 and float(correlations_every).is_integer()):
        raise InputError(f"correlations_every is {correlations_every}; give a whole number of days >= 1")
    oracle = oracle or OracleConfig(signers=(), threshold=0)
    realized = realized or RealizedConfig()
    first, (T, n) = estimates.first_ready, closes.shape
    held = first + (np.arange(T) - first) // correlations_every * correlations_every
    reports = np.unique(held[first:])
    solved = solve_parity_batch(estimates.correlation[reports], budgets)
    report = np.searchsorted(reports, held[first:])
    coordinates, correlation = np.full((T, n), np.nan), np.full((T, n, n), np.nan)
    coordinates[first:] = solved.coordinates[report]
    correlation[first:] = estimates.correlation[reports][report]
    decay = 0.5 ** (DAY / realized.half_life)
    settings = EstimationConfig(volatility_decay=decay, min_observations=2)
    # a price settles at the poke after its own: what is realised on chain is a day old
    seen = np.vstack([np.full((1, n), np.nan), estimate_path(closes, settings).vol_ann[:-1]])
    days = np.concatenate([[1.0], np.diff(closes.index.values) / np.timedelta64(1, "D")])
    kept = np.maximum(0.0, 1 - oracle.max_fall_per_day * days)
    vol_ann = _in_use(estimates.vol_ann, oracle.floor_fraction * seen, kept, first)
    ratio = _parity_ratio(closes, coordinates, vol_ann, days, first, decay, oracle.parity_fraction)
    sigma = estimates.vol_ann
    covariances = estimates.correlation * sigma[:, :, None] * sigma[:, None, :]
    return OraclePath(first, vol_ann, correlation, coordinates, ratio, covariances)


def _in_use(reported: FloatArray, floors: FloatArray, kept: FloatArray, first: int) -> FloatArray:
    """The limit to falls remembers what was reported, not the floors; a NaN is no floor."""
    used = np.full_like(reported, np.nan)
    last = np.zeros(reported.shape[1])
    for t in range(first, len(reported)):
        last = np.maximum(reported[t], last * kept[t])
        used[t] = np.fmax(last, floors[t])
    return used


def _parity_ratio(
    closes: pd.DataFrame,
    coordinates: FloatArray,
    vol_ann: FloatArray,
    days: FloatArray,
    first: int,
    decay: float,
    fraction: float,
) -> FloatArray:
    """From returns of the portfolio that should have a volatility of one a year."""
    logs = np.log(closes.ffill().to_numpy(dtype=float))
    moves = np.vstack([np.zeros(logs.shape[1]), np.diff(logs, axis=0)])
    ratio = np.ones(len(closes))
    total = weight = 0.0
    for t in range(first + 1, len(closes) - 1):
        claim = coordinates[t - 1] / vol_ann[t - 1]
        square = min(MAX_PARITY_RATIO**2, float(claim @ moves[t]) ** 2 / days[t] * YEAR_DAYS)
        total, weight = decay * total + square, decay * weight + 1.0
        ratio[t + 1] = max(1.0, fraction * np.sqrt(total / weight))
    # as on chain, it counts when half of the weight of a long history is there
    ratio[: first + 2 + int(np.ceil(np.log(0.5) / np.log(decay)))] = 1.0
    return ratio
