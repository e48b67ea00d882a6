"""Forecasts from every day on, against what the days after it did."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from equipoise.errors import EstimationError
from equipoise.estimation.models import VolatilityModel, own_returns
from equipoise.evaluation.losses import diebold_mariano, qlike, squared_error
from equipoise.units import YEAR_DAYS

__all__ = ["compare_models", "forecast_table", "rank_forecasts", "realised_variance"]


def realised_variance(closes: pd.Series, horizon_days: int) -> pd.Series:
    """A year's variance from the squared log returns of the `horizon_days` after each day; NaN where cut."""
    returns, days, _ = own_returns(closes)
    begin = pd.DatetimeIndex([closes.first_valid_index()])
    sums = pd.Series(np.concatenate([[0.0], np.cumsum(returns**2)]), begin.append(days))
    index = pd.DatetimeIndex(closes.index)
    later = index + pd.Timedelta(days=horizon_days)
    ahead = sums.reindex(later, method="ffill").to_numpy() - sums.reindex(index, method="ffill").to_numpy()
    values = np.where(later <= index[-1], ahead, np.nan)
    return pd.Series(values / horizon_days * YEAR_DAYS, index, name="realised")


def forecast_table(
    closes: pd.Series,
    models: Sequence[VolatilityModel],
    horizon_days: int,
    start: pd.Timestamp | None = None,
    *,
    jobs: int | None = None,
) -> pd.DataFrame:
    """Annual variances that models forecast, and the one that followed, on the days on which all have one.

    Parameters
    ----------
    closes
        Shape (T,), USD, NaN where the market was closed.
    models
        With names of their own.
    start
        First day that counts.
    jobs
        Processes of joblib.

    Returns
    -------
    DataFrame
        A column a model, in their order, then "realised"; indexed by day.
    """
    from joblib import Parallel, delayed

    made = Parallel(n_jobs=jobs)(delayed(model.forecasts)(closes, horizon_days) for model in models)
    table = pd.DataFrame({m.name: np.square(f) for m, f in zip(models, made, strict=True)})
    table["realised"] = realised_variance(closes, horizon_days)
    table = table[closes.notna().to_numpy()].loc[start:].dropna()
    if len(table) < 3 * horizon_days + 30:
        raise EstimationError(
            f"{closes.name} has {len(table)} days with a forecast of every model and {horizon_days} days "
            "after them; give more days"
        )
    return table


def rank_forecasts(table: pd.DataFrame, horizon_days: int) -> pd.DataFrame:
    """Mean losses of a `forecast_table`, the best first; the first model is the reference of the test.

    Returns
    -------
    DataFrame
        Index: model; columns qlike, mse (of annual variances), bias (mean forecast over mean realised
        variance), p_value (Diebold-Mariano on QLIKE against the reference), days.
    """
    h = table["realised"].to_numpy(dtype=float)
    variances = {str(name): table[name].to_numpy(dtype=float) for name in table.columns.drop("realised")}
    losses = {name: qlike(h, variance) for name, variance in variances.items()}
    reference = next(iter(losses.values()))
    rows = {
        name: {
            "qlike": loss.mean(),
            "mse": squared_error(h, variances[name]).mean(),
            "bias": variances[name].mean() / h.mean(),
            "p_value": diebold_mariano(loss, reference, horizon_days).p_value,
            "days": len(table),
        }
        for name, loss in losses.items()
    }
    return pd.DataFrame.from_dict(rows, orient="index").sort_values("qlike")


def compare_models(
    closes: pd.Series,
    models: Sequence[VolatilityModel],
    horizon_days: int,
    start: pd.Timestamp | None = None,
    *,
    jobs: int | None = None,
) -> pd.DataFrame:
    """`rank_forecasts` of the `forecast_table` of these models; the first is the reference of the test."""
    return rank_forecasts(forecast_table(closes, models, horizon_days, start, jobs=jobs), horizon_days)
