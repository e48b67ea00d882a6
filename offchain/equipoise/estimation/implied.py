"""Implied volatility: what the options market expected on each day, e.g. Deribit's DVOL or the VIX.

A value dated d is known at the close of d, together with that day's prices.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from equipoise.errors import EstimationError, MarketDataError
from equipoise.marketdata.prices import _read

__all__ = ["ImpliedVolatility", "load_implied"]

_LOWEST, _HIGHEST = 0.01, 10.0
_UNITS = {"percent": 100.0, "fraction": 1.0}


@dataclass(frozen=True)
class ImpliedVolatility:
    """Implied volatilities by day.

    Attributes
    ----------
    values
        Shape (T, n), one column an asset, per sqrt(year) as fractions in [0.01, 10], NaN where there is no
        quote; DatetimeIndex by day, ascending, unique.

    Raises
    ------
    MarketDataError
        Days out of order or repeated, or a value outside its range, which mostly means a wrong unit.
    """

    values: pd.DataFrame

    def __post_init__(self) -> None:
        days = self.values.index
        if not isinstance(days, pd.DatetimeIndex) or days.hasnans:
            raise MarketDataError("implied volatilities must be indexed by day; use load_implied")
        if days.tz is not None:
            raise MarketDataError(f"the days have the time zone {days.tz}; drop it: values.tz_localize(None)")
        wrong = np.flatnonzero(np.diff(days.asi8) <= 0)
        if len(wrong):
            raise MarketDataError(
                f"{days[wrong[0] + 1]:%Y-%m-%d} follows {days[wrong[0]]:%Y-%m-%d}; "
                "sort the days and keep one row each"
            )
        table = self.values.to_numpy(dtype=float)
        rows, columns = np.nonzero((table < _LOWEST) | (table > _HIGHEST))
        if len(rows):
            raise MarketDataError(
                f"{self.values.columns[columns[0]]} is {table[rows[0], columns[0]]:g} on "
                f"{days[rows[0]]:%Y-%m-%d}; implied volatilities are fractions in "
                f"[{_LOWEST:g}, {_HIGHEST:g}]: is the unit right (percent or fraction)?"
            )

    def at(self, day: str | date | pd.Timestamp, max_age_days: int = 3) -> dict[str, float]:
        """The last value of each asset no later than `day` and at most `max_age_days` older.

        Returns
        -------
        dict
            Asset -> per sqrt(year); assets without such a value are absent.

        Raises
        ------
        EstimationError
            `max_age_days` < 0.
        """
        if not max_age_days >= 0:
            raise EstimationError(f"max_age_days is {max_age_days}; it must be >= 0")
        today = pd.Timestamp(day).normalize()
        known = self.values.loc[today - pd.Timedelta(days=max_age_days) : today]
        last = {str(name): known[name].dropna() for name in known.columns}
        return {name: float(column.iloc[-1]) for name, column in last.items() if len(column)}


def load_implied(
    path: str | Path,
    columns: Mapping[str, str] | None = None,
    unit: Literal["percent", "fraction"] = "percent",
) -> ImpliedVolatility:
    """Read and check a CSV file of implied volatilities.

    Parameters
    ----------
    path
        CSV file with `date` (YYYY-MM-DD, ascending, one row a day; days may be missing) and columns of
        annualised volatilities, empty where there is no quote.
    columns
        Asset -> column of the file, e.g. {"BTC": "btc_close"}; by default every column is an asset.
    unit
        "percent" (65 means 65 % a year) or "fraction" (0.65).

    Raises
    ------
    MarketDataError
        The message names the file, the asset and the day, and says what to do.
    """
    try:
        if unit not in _UNITS:
            raise MarketDataError(f"unit is {unit!r}; choose percent or fraction")
        table = _read(Path(path), None if columns is None else list(dict.fromkeys(columns.values())))
        if columns is not None:  # one column may serve several assets
            table = pd.DataFrame({asset: table[column] for asset, column in columns.items()})
        return ImpliedVolatility(table / _UNITS[unit])
    except MarketDataError as error:
        raise MarketDataError(f"{path}: {error}") from error
