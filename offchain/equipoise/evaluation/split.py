"""Weights of a blend chosen on one part of the days and judged on the other: a choice that saw no exam."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd

from equipoise.errors import EstimationError
from equipoise.evaluation.losses import LEAST, diebold_mariano, qlike
from equipoise.types import FloatArray

__all__ = ["WeightChoice", "choose_weights", "simplex_grid", "split_day"]


@dataclass(frozen=True)
class WeightChoice:
    """What was chosen before `split`, and how it did from then on.

    Attributes
    ----------
    split
        The day at whose close the choice is made.
    weights
        Model -> weight, of the least mean QLIKE of the first part.
    first_days, purged_days, second_days
        Days that chose; days between whose horizon reaches beyond the split, which count nowhere; days that
        judge.
    qlike
        "chosen", "default" and "reference" -> mean QLIKE of the second part.
    p_default, p_reference
        Diebold-Mariano on the second part: chosen against default, chosen against reference.
    """

    split: pd.Timestamp
    weights: dict[str, float]
    first_days: int
    purged_days: int
    second_days: int
    qlike: dict[str, float]
    p_default: float
    p_reference: float


def choose_weights(
    variances: pd.DataFrame,
    realised: pd.Series,
    split: pd.Timestamp,
    horizon_days: int,
    default: Mapping[str, float],
    *,
    parts: int = 4,
) -> WeightChoice:
    """Choose the weights of forecasts on what was known at the close of `split`; judge them from there on.

    Parameters
    ----------
    variances
        Shape (T, m): forecasts of the `horizon_days` calendar days after each day, a year's variance, > 0;
        indexed by ascending days. The first column is the reference of the second test.
    realised
        Shape (T,), on the same days: what followed, as `rolling.realised_variance`, >= 0.
    split
        Days whose horizon has ended by then choose; days from then on judge; those between are purged.
    default
        Column -> weight, >= 0, sum 1: what the choice is compared with.
    parts
        The grid of weights has steps of 1 / parts, in 1 to 20.

    Raises
    ------
    EstimationError
        Tables that do not fit each other, a parameter outside its domain, or fewer than 30 days, or three
        horizons, in one of the parts.
    """
    _check(variances, realised, default, horizon_days)
    days = pd.DatetimeIndex(variances.index)
    first = np.asarray(days + pd.Timedelta(days=horizon_days) <= split)
    second = np.asarray(days >= split)
    least = max(LEAST, 3 * horizon_days)
    for count, place in ((first.sum(), "end by"), (second.sum(), "begin from")):
        if count < least:
            raise EstimationError(
                f"{count} forecasts of {horizon_days} days {place} the split {split:%Y-%m-%d}; at least "
                f"{least} are needed: move the split or give more days"
            )
    f, h = variances.to_numpy(dtype=float), realised.to_numpy(dtype=float)
    grid = np.array(list(simplex_grid(f.shape[1], parts)))
    losses = [float(qlike(h[first], f[first] @ weights).mean()) for weights in grid]
    chosen = grid[int(np.argmin(losses))]
    usual = np.array([default.get(str(name), 0.0) for name in variances.columns])
    judged = {
        name: qlike(h[second], f[second] @ weights)
        for name, weights in (("chosen", chosen), ("default", usual), ("reference", np.eye(len(usual))[0]))
    }
    p_default, p_reference = (
        diebold_mariano(judged["chosen"], judged[name], horizon_days).p_value
        for name in ("default", "reference")
    )
    return WeightChoice(
        split=split,
        weights={str(name): float(w) for name, w in zip(variances.columns, chosen, strict=True)},
        first_days=int(first.sum()),
        purged_days=int((~first & ~second).sum()),
        second_days=int(second.sum()),
        qlike={name: float(loss.mean()) for name, loss in judged.items()},
        p_default=p_default,
        p_reference=p_reference,
    )


def simplex_grid(models: int, parts: int) -> Iterator[FloatArray]:
    """Every vector (models,) of multiples of 1 / parts, >= 0, with sum 1."""
    if not (models >= 1 and 1 <= parts <= 20):
        raise EstimationError(f"{models} models in {parts} parts; give at least one model, and 1 to 20 parts")
    # stars and bars: where the bars stand among the parts says how many each model gets
    for bars in combinations(range(parts + models - 1), models - 1):
        edges = np.array([-1, *bars, parts + models - 1])
        yield (np.diff(edges) - 1) / parts


def split_day(days: pd.Index, where: str) -> pd.Timestamp:
    """The day that `where` names: YYYY-MM-DD, or the fraction of `days` before it, in (0, 1)."""
    try:
        fraction = float(where)
    except ValueError:
        try:
            return pd.Timestamp(where)
        except ValueError as error:
            raise EstimationError(
                f"split {where!r} is no day and no fraction; write YYYY-MM-DD or 0.5"
            ) from error
    if not 0 < fraction < 1:
        raise EstimationError(f"split {where} is outside (0, 1); write a fraction of the days, or YYYY-MM-DD")
    return pd.Timestamp(days[int(fraction * len(days))])


def _check(
    variances: pd.DataFrame, realised: pd.Series, default: Mapping[str, float], horizon_days: int
) -> None:
    days = variances.index
    if not isinstance(days, pd.DatetimeIndex) or not days.is_monotonic_increasing or days.has_duplicates:
        raise EstimationError("forecasts must be indexed by ascending, unique days; sort them")
    if not days.equals(realised.index):
        raise EstimationError("forecasts and realised variances are of different days; give both of the same")
    if not horizon_days >= 1:
        raise EstimationError(f"horizon_days is {horizon_days}; it must be >= 1")
    if unknown := set(default) - set(map(str, variances.columns)):
        raise EstimationError(
            f"default names {', '.join(sorted(unknown))}; the forecasts are {', '.join(map(str, variances))}"
        )
    if min(default.values(), default=-1) < 0 or abs(sum(default.values()) - 1) > 1e-9:
        raise EstimationError(f"default weights {dict(default)} must be >= 0 and sum to 1")
