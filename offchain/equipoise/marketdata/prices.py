"""Read daily closes from a CSV file and refuse, by name, whatever cannot be used.

The file has a column `date` (YYYY-MM-DD, ascending, one row a day) and one column of closes an asset. Rules:

- A file with a weekend row is a calendar file: every day must have its row. A file of weekdays may skip
  holidays, at most `max_gap_days` days in a row.
- A column without a single weekend price is exchange-traded: an empty cell there means "market closed",
  at most `max_gap_days` cells in a row. In any other column an empty cell is an error.
- The first row has a price in every chosen column, and no column ends more than `max_gap_days` before the
  last row.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from datetime import date
from difflib import get_close_matches
from pathlib import Path

import numpy as np
import pandas as pd

from equipoise.errors import MarketDataError

__all__ = ["MAX_GAP_DAYS", "MIN_ROWS", "column_names", "common_span", "load_prices", "select_prices"]

MAX_GAP_DAYS = 5
MIN_ROWS = 31
_SATURDAY = 5

Day = str | date | pd.Timestamp


def load_prices(
    path: str | Path,
    assets: Sequence[str] | None = None,
    start: Day | None = None,
    end: Day | None = None,
    *,
    max_gap_days: int = MAX_GAP_DAYS,
    min_rows: int = MIN_ROWS,
) -> pd.DataFrame:
    """Read, check and select daily closes.

    Parameters
    ----------
    path
        CSV file with `date` and one column an asset, USD per unit.
    assets
        Columns to keep, in this order; all of them by default. Other columns are not checked.
    start, end
        First and last day to keep, inclusive.
    max_gap_days
        Longest run of closed days, in days.
    min_rows
        Fewest rows that are of use.

    Returns
    -------
    DataFrame
        Floats > 0, NaN where a market was closed; DatetimeIndex named `date`, ascending, unique.

    Raises
    ------
    MarketDataError
        The message names the file, the asset and the days, and says what to do.
    """
    try:
        frame = _read(Path(path), assets)
        return select_prices(frame, assets, start, end, max_gap_days=max_gap_days, min_rows=min_rows)
    except MarketDataError as error:
        raise MarketDataError(f"{path}: {error}") from error


def column_names(path: str | Path) -> tuple[str, ...]:
    """The assets that a CSV file has columns for; MarketDataError when it cannot be read."""
    try:
        with Path(path).open(encoding="utf-8-sig", newline="") as file:
            header = next(csv.reader(file), [])
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise MarketDataError(f"{path}: cannot be read ({reason}); give a CSV file in UTF-8") from error
    return tuple(name for cell in header if (name := cell.strip()).lower() != "date")


def common_span(path: str | Path, assets: Sequence[str] | None = None) -> tuple[pd.Timestamp, pd.Timestamp]:
    """The first and the last day on which every chosen column of a CSV file has begun and none has ended.

    Raises
    ------
    MarketDataError
        The file cannot be read, lacks a column, or its columns have no day in common.
    """
    try:
        frame = _read(Path(path), assets)
        lives = {str(name): column.dropna().index for name, column in frame.items()}
        if empty := [name for name, days in lives.items() if not len(days)]:
            raise MarketDataError(f"{empty[0]} has no price; leave it out")
        first = max(lives, key=lambda name: lives[name][0])
        last = min(lives, key=lambda name: lives[name][-1])
        start, end = lives[first][0], lives[last][-1]
        if start > end:
            raise MarketDataError(
                f"{first} starts on {start:%Y-%m-%d}, {last} ended on {end:%Y-%m-%d}; leave one of them out"
            )
        return start, end
    except MarketDataError as error:
        raise MarketDataError(f"{path}: {error}") from error


def select_prices(
    prices: pd.DataFrame,
    assets: Sequence[str] | None = None,
    start: Day | None = None,
    end: Day | None = None,
    *,
    max_gap_days: int = MAX_GAP_DAYS,
    min_rows: int = MIN_ROWS,
) -> pd.DataFrame:
    """Choose columns and days of a price frame and check them; see `load_prices`."""
    if prices.columns.has_duplicates:
        name = prices.columns[prices.columns.duplicated()][0]
        raise MarketDataError(f"two columns are named {name}; give each asset a name of its own")
    chosen = prices[_columns(prices.columns, assets)]
    _check_dates(chosen.index, max_gap_days)
    chosen = chosen.loc[_day(start) : _day(end)]
    if len(chosen) < min_rows:
        raise MarketDataError(f"{len(chosen)} rows between start and end; at least {min_rows} are needed")
    for name in chosen.columns:
        _check_values(chosen[name])
        _check_gaps(chosen[name], max_gap_days)
    return chosen


def _day(value: Day | None) -> pd.Timestamp | None:
    try:
        return None if value is None else pd.Timestamp(value)
    except ValueError as error:
        raise MarketDataError(f"{value!r} is not a date; write YYYY-MM-DD") from error


def _columns(available: Iterable[str], assets: Sequence[str] | None) -> list[str]:
    names = list(available)
    if assets is None:
        return names
    chosen = list(assets)
    if not chosen:
        raise MarketDataError(f"no asset chosen; there are {', '.join(names)}")
    for name in chosen:
        if name not in names:
            close = get_close_matches(name.upper(), [n.upper() for n in names], n=1, cutoff=0.5)
            hint = f"; did you mean {next(n for n in names if n.upper() == close[0])}?" if close else ""
            raise MarketDataError(f"unknown column {name!r}; there are {', '.join(names)}{hint}")
    repeated = sorted({name for name in chosen if chosen.count(name) > 1})
    if repeated:
        raise MarketDataError(f"{', '.join(repeated)} chosen twice; name each asset once")
    return chosen


def _read(path: Path, assets: Sequence[str] | None) -> pd.DataFrame:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = [row for row in csv.reader(file) if any(cell.strip() for cell in row)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise MarketDataError(f"cannot be read ({reason}); give a CSV file in UTF-8") from error
    if not rows:
        raise MarketDataError("is empty; give a CSV file with `date` and one column an asset")
    header = [cell.strip() for cell in rows[0]]
    if sum(cell.lower() == "date" for cell in header) != 1:
        raise MarketDataError(
            f"has no single column `date`; its header is {','.join(header)!r} (separate columns by commas)"
        )
    key = next(i for i, cell in enumerate(header) if cell.lower() == "date")
    names = [cell for i, cell in enumerate(header) if i != key]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated or not all(names) or not names:
        raise MarketDataError(f"needs one uniquely named column an asset; its header is {','.join(header)!r}")
    for number, row in enumerate(rows[1:], start=2):
        if len(row) != len(header):
            raise MarketDataError(f"row {number} has {len(row)} cells, the header has {len(header)}")
    days = _dates([row[key].strip() for row in rows[1:]])
    columns = {
        name: _numbers(name, days, [r[header.index(name)] for r in rows[1:]])
        for name in _columns(names, assets)
    }
    return pd.DataFrame(columns, index=days)


def _dates(texts: list[str]) -> pd.DatetimeIndex:
    days = pd.to_datetime(pd.Series(texts, dtype=object), format="%Y-%m-%d", errors="coerce")
    if days.isna().any():
        row = int(np.flatnonzero(days.isna())[0])
        raise MarketDataError(f"row {row + 2}: {texts[row]!r} is not a date; write YYYY-MM-DD")
    return pd.DatetimeIndex(days, name="date")


def _numbers(name: str, days: pd.DatetimeIndex, texts: list[str]) -> np.ndarray:
    cells = pd.Series(texts, dtype=object).str.strip()
    empty = cells.str.lower().isin(["", "nan", "na", "null", "none"])
    values = pd.to_numeric(cells.mask(empty), errors="coerce")
    wrong = np.flatnonzero(values.isna() & ~empty)
    if len(wrong):
        raise MarketDataError(f"{name} is {texts[wrong[0]]!r} on {days[wrong[0]]:%Y-%m-%d}; write a number")
    return values.to_numpy(dtype=float)


def _check_dates(index: pd.Index, max_gap_days: int) -> None:
    if not isinstance(index, pd.DatetimeIndex):
        raise MarketDataError("the index is not a DatetimeIndex; index prices by day")
    if index.tz is not None:
        raise MarketDataError(f"the days have the time zone {index.tz}; drop it: prices.tz_localize(None)")
    if index.has_duplicates:
        raise MarketDataError(f"duplicate date {index[index.duplicated()][0]:%Y-%m-%d}; keep one row a day")
    if not index.is_monotonic_increasing:
        row = int(np.flatnonzero(np.diff(index.asi8) < 0)[0]) + 1
        raise MarketDataError(f"dates are unsorted: {index[row]:%Y-%m-%d} follows {index[row - 1]:%Y-%m-%d}")
    calendar = bool((index.dayofweek >= _SATURDAY).any())
    missing = np.diff(index.values) / np.timedelta64(1, "D") - 1
    wide = np.flatnonzero(missing > (0 if calendar else max_gap_days))
    if len(wide):
        day = pd.Timedelta(days=1)
        first, last = index[wide[0]] + day, index[wide[0] + 1] - day
        raise MarketDataError(
            f"gap of {int(missing[wide[0]])} days, {first:%Y-%m-%d} to {last:%Y-%m-%d}, without a row "
            f"({len(wide)} such gaps); every day needs a row (a file of weekdays may skip {max_gap_days})"
        )


def _check_values(prices: pd.Series) -> None:
    values = prices.to_numpy(dtype=float)
    wrong = np.flatnonzero(np.isinf(values) | (values <= 0))
    if len(wrong):
        day = prices.index[wrong[0]]
        raise MarketDataError(f"{prices.name} is {values[wrong[0]]:g} on {day:%Y-%m-%d}; prices are > 0")
    if np.isnan(values).all():
        raise MarketDataError(
            f"{prices.name} has no price between {prices.index[0]:%F} and {prices.index[-1]:%F}"
        )


def _check_gaps(prices: pd.Series, max_gap_days: int) -> None:
    quoted = prices.dropna().index
    first, last = prices.index[0], prices.index[-1]
    if quoted[0] != first:
        raise MarketDataError(
            f"{prices.name} has no price before {quoted[0]:%Y-%m-%d}, the rows start on {first:%Y-%m-%d}; "
            "start then, or leave it out"
        )
    if (last - quoted[-1]).days > max_gap_days:
        raise MarketDataError(
            f"{prices.name} has no price after {quoted[-1]:%Y-%m-%d}, the rows end on {last:%Y-%m-%d}; "
            "end then, or leave it out"
        )
    weekend = prices.index[prices.index.dayofweek >= _SATURDAY]  # type: ignore[attr-defined]
    closes = not quoted.isin(weekend).any()
    allowed = max_gap_days if closes else 0
    missing = prices.index[prices.isna()]
    if not len(missing):
        return
    runs = missing.to_series().diff().dt.days.ne(1).cumsum()
    for _, run in missing.to_series().groupby(runs):
        if len(run) > allowed:
            rule = f"at most {allowed} in a row are" if closes else "it trades on weekends, so none is"
            raise MarketDataError(
                f"{prices.name} has no price on {len(run)} days, {run.iloc[0]:%Y-%m-%d} to "
                f"{run.iloc[-1]:%Y-%m-%d}; {rule} allowed: fill them in or leave it out"
            )
