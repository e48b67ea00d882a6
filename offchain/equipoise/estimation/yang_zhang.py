"""Yang and Zhang's volatility of the last weeks as a forecast: what an EWMA would be if it saw the bars."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from equipoise.estimation.models import capped, check_horizon, own_returns
from equipoise.estimation.range_based import yang_zhang
from equipoise.units import YEAR_DAYS

__all__ = ["YangZhangModel"]


@dataclass(frozen=True)
class YangZhangModel:
    """The volatility of the last `window` bars lasts, whatever the horizon.

    Attributes
    ----------
    ohlc
        Daily bars, as `range_based.check_ohlc`, of the days of the closes or of more.
    window
        Bars, >= 2.
    """

    ohlc: pd.DataFrame
    window: int = 30

    @property
    def name(self) -> str:
        return f"Yang-Zhang {self.window}"

    def forecasts(self, closes: pd.Series, horizon_days: int) -> pd.Series:
        check_horizon(horizon_days)
        _, days, per_day = own_returns(closes)
        variance = yang_zhang(self.ohlc, self.window).reindex(days)
        return capped(np.sqrt(variance * per_day * YEAR_DAYS).rename(self.name), closes)
