"""Forecasts from every day on, against what the days after it did."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from equipoise.errors import EstimationError
from equipoise.estimation.models import VolatilityModel, own_returns
from equipoise.evaluation.losses import diebold_mariano, qlike, squared_error
from equipoise.units import YEAR_DAYS

__all__ = ["compare_models", "realised_variance"]


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


def compare_models(
    closes: pd.Series,
    models: Sequence[VolatilityModel],
    horizon_days: int,
    start: pd.Timestamp | None = None,
    *,
    jobs: int | None = None,
) -> pd.DataFrame:
    """Mean losses of models on the days on which all of them have a forecast, the best first.

    Parameters
    ----------
    closes
        Shape (T,), USD, NaN where the market was closed.
    models
        The first is the reference of the test.
    start
        First day that counts.
    jobs
        Processes of joblib.

    Returns
    -------
    DataFrame
        Index: model; columns qlike, mse (of annual variances), bias (mean forecast over mean realised
        variance), p_value (Diebold-Mariano on QLIKE against the reference), days.
    """
    from joblib import Parallel, delayed

    made = Parallel(n_jobs=jobs)(delayed(model.forecasts)(closes, horizon_days) for model in models)
    table = pd.DataFrame({m.name: f for m, f in zip(models, made, strict=True)})
    table["realised"] = realised_variance(closes, horizon_days)
    quoted = closes.notna()
    table = table[quoted.to_numpy()].loc[start:].dropna()
    if len(table) < 3 * horizon_days + 30:
        raise EstimationError(
            f"{closes.name} has {len(table)} days with a forecast of every model and {horizon_days} days "
            "after them; give more days"
        )
    h = table["realised"].to_numpy()
    variances = {m.name: np.square(table[m.name].to_numpy(dtype=np.float64)) for m in models}
    losses = {name: qlike(h, variance) for name, variance in variances.items()}
    reference = losses[models[0].name]
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
