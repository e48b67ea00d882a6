"""Rolling volatility forecasts of one asset behind one protocol: what the evaluation compares.

The forecast at day t is the volatility, per sqrt(year of 365 days), of the next `horizon_days` calendar days,
made at the close of t from rows up to t only; NaN before a model has enough of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pandas as pd

from equipoise.errors import EstimationError
from equipoise.estimation.ewma import EstimationConfig, check_days, estimate_path
from equipoise.estimation.implied import ImpliedVolatility
from equipoise.types import FloatArray

__all__ = [
    "BlendModel",
    "EwmaModel",
    "ImpliedModel",
    "VolatilityModel",
    "capped",
    "check_horizon",
    "own_returns",
]

CAP = 4.0
"""Largest factor between a model's forecast and the EWMA's: beyond it the model is wrong."""


class VolatilityModel(Protocol):
    """A forecaster."""

    @property
    def name(self) -> str:
        """For tables."""

    def forecasts(self, closes: pd.Series, horizon_days: int) -> pd.Series:
        """Shape (T,), on the days of `closes` (T,), USD > 0, NaN where the market was closed."""


@dataclass(frozen=True)
class EwmaModel:
    """RiskMetrics: today's volatility lasts, whatever the horizon."""

    decay: float = 0.94

    @property
    def name(self) -> str:
        return f"EWMA {self.decay:g}"

    def forecasts(self, closes: pd.Series, horizon_days: int) -> pd.Series:
        check_horizon(horizon_days)
        path = estimate_path(closes.to_frame(), EstimationConfig(volatility_decay=self.decay))
        return pd.Series(path.vol_ann[:, 0], closes.index, name=self.name)


@dataclass(frozen=True)
class ImpliedModel:
    """What options cost on the day, such as DVOL: made for 30 days, used for any."""

    implied: ImpliedVolatility
    asset: str
    max_age_days: int = 3

    @property
    def name(self) -> str:
        return "Implied"

    def forecasts(self, closes: pd.Series, horizon_days: int) -> pd.Series:
        check_horizon(horizon_days)
        if self.asset not in self.implied.values:
            known = ", ".join(map(str, self.implied.values.columns))
            raise EstimationError(f"no implied volatility of {self.asset}; there are {known}")
        quotes = self.implied.values[self.asset].dropna()
        age = pd.Timedelta(days=self.max_age_days)
        return quotes.reindex(closes.index, method="ffill", tolerance=age).rename(self.name)


@dataclass(frozen=True)
class BlendModel:
    """Weighted mean of the variances of models; one without an opinion leaves its weight to the others."""

    models: Sequence[VolatilityModel]
    weights: Sequence[float]
    label: str = "Blend"

    def __post_init__(self) -> None:
        if len(self.models) != len(self.weights) or not self.models:
            raise EstimationError(f"{len(self.weights)} weights for {len(self.models)} models; give one each")
        if min(self.weights) < 0 or abs(sum(self.weights) - 1) > 1e-9:
            raise EstimationError(f"weights {list(self.weights)} must be >= 0 and sum to 1")

    @property
    def name(self) -> str:
        return self.label

    def forecasts(self, closes: pd.Series, horizon_days: int) -> pd.Series:
        opinions = np.array([m.forecasts(closes, horizon_days).to_numpy() for m in self.models]) ** 2
        weights = np.where(np.isfinite(opinions), np.array(self.weights)[:, None], 0.0)
        total = weights.sum(axis=0)
        with np.errstate(invalid="ignore"):
            variance = (weights * np.nan_to_num(opinions)).sum(axis=0) / total
        return pd.Series(np.sqrt(variance), closes.index, name=self.name)


def own_returns(closes: pd.Series) -> tuple[FloatArray, pd.DatetimeIndex, FloatArray]:
    """Log returns (m,) over the asset's own days, those days, and returns a day so far (m,)."""
    quoted = closes.dropna()
    index = check_days(quoted.index)
    if len(quoted) < 2:
        raise EstimationError(f"{closes.name} has {len(quoted)} closes; give at least two days")
    values = quoted.to_numpy(dtype=float)
    if not (np.isfinite(values) & (values > 0)).all():
        raise EstimationError(f"{closes.name} has a price that is not > 0 and finite; correct it")
    days = (index[1:] - index[0]) / pd.Timedelta(days=1)
    return np.diff(np.log(values)), index[1:], np.arange(1, len(quoted)) / days.to_numpy()


def capped(forecast: pd.Series, closes: pd.Series) -> pd.Series:
    """`forecast`, known on the asset's own days, on all days and within `CAP` of the EWMA's."""
    ewma = EwmaModel().forecasts(closes, 1)
    spread = forecast.reindex(closes.index).ffill()
    return spread.clip(lower=ewma / CAP, upper=ewma * CAP).where(ewma.notna())


def check_horizon(horizon_days: int) -> None:
    """EstimationError unless >= 1."""
    if not horizon_days >= 1:
        raise EstimationError(f"horizon_days is {horizon_days}; it must be >= 1")
