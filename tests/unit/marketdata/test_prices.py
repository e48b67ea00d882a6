"""A price file is read as it stands or refused by name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from equipoise.errors import MarketDataError
from equipoise.marketdata.prices import load_prices, select_prices


def daily(days: int = 60, start: str = "2024-01-01", freq: str = "D") -> pd.DataFrame:
    """Two crypto columns that trade daily, and SPX that rests on weekends."""
    index = pd.date_range(start, periods=days, freq=freq, name="date")
    rng = np.random.default_rng(7)
    walk = np.exp(rng.normal(0, 0.02, (days, 3)).cumsum(axis=0))
    prices = pd.DataFrame(walk * [40_000, 2_500, 4_700], index=index, columns=["BTC", "ETH", "SPX"])
    prices.loc[index.dayofweek >= 5, "SPX"] = np.nan
    return prices


@pytest.fixture
def write(tmp_path: Path):  # type: ignore[no-untyped-def]
    def _write(prices: pd.DataFrame | str) -> Path:
        path = tmp_path / "prices.csv"
        path.write_text(prices if isinstance(prices, str) else prices.to_csv())
        return path

    return _write


def test_load_prices__good_file__as_written(write) -> None:  # type: ignore[no-untyped-def]
    expected = daily()
    pd.testing.assert_frame_equal(load_prices(write(expected)), expected, check_freq=False)


def test_load_prices__assets_and_days__selected_in_the_order_asked(write) -> None:  # type: ignore[no-untyped-def]
    prices = load_prices(write(daily()), ["SPX", "BTC"], "2024-01-03", "2024-02-20")
    assert list(prices.columns) == ["SPX", "BTC"]
    assert (prices.index[0], prices.index[-1]) == (pd.Timestamp("2024-01-03"), pd.Timestamp("2024-02-20"))


def test_load_prices__spreadsheet_export__mark_and_capital_date_are_read(write) -> None:  # type: ignore[no-untyped-def]
    text = daily().to_csv().replace("date,", "\ufeffDate,", 1)
    assert len(load_prices(write(text))) == 60


def test_load_prices__other_column_is_broken__not_asked_not_refused(write) -> None:  # type: ignore[no-untyped-def]
    prices = daily().assign(notes="n/a?")
    assert list(load_prices(write(prices), ["BTC", "ETH"]).columns) == ["BTC", "ETH"]


def test_load_prices__file_of_weekdays__holidays_are_no_gap(write) -> None:  # type: ignore[no-untyped-def]
    weekdays = daily(60, freq="B").drop(pd.Timestamp("2024-01-15"))
    assert len(load_prices(write(weekdays))) == 59


def set_cell(value: object, day: str = "2024-01-10", column: str = "BTC") -> pd.DataFrame:
    prices = daily().astype(object)
    prices.loc[day, column] = value
    return prices


def closed(last: str) -> pd.DataFrame:
    prices = daily()
    prices.loc["2024-01-15":last, "SPX"] = np.nan  # type: ignore[misc]
    return prices


def swapped() -> pd.DataFrame:
    prices = daily()
    order = list(range(60))
    order[10], order[11] = 11, 10
    return prices.iloc[order]


REFUSED = {
    "gap": (
        daily().drop(pd.date_range("2024-01-10", "2024-01-12")),
        "gap of 3 days, 2024-01-10 to 2024-01-12",
    ),
    "weekday gap": (
        daily(60, freq="B").drop(pd.bdate_range("2024-01-10", "2024-01-15")),
        "gap of 6 days, 2024-01-10 to 2024-01-15",
    ),
    "duplicate": (pd.concat([daily(), daily().tail(1)]), "duplicate date 2024-02-29"),
    "unsorted": (swapped(), "unsorted: 2024-01-11 follows 2024-01-12"),
    "negative": (set_cell(-5.0), "BTC is -5 on 2024-01-10"),
    "zero": (set_cell(0.0), "BTC is 0 on 2024-01-10"),
    "infinite": (set_cell("inf"), "BTC is inf on 2024-01-10"),
    "missing": (set_cell(""), "BTC has no price on 1 days, 2024-01-10"),
    "text": (set_cell("12 USD"), "BTC is '12 USD' on 2024-01-10"),
    "no first price": (set_cell("", "2024-01-01"), "BTC has no price before 2024-01-02"),
    "closed too long": (closed("2024-01-18"), "SPX has no price on 6 days, 2024-01-13 to 2024-01-18"),
    "ends early": (
        set_cell("").loc[:, ["ETH"]].assign(X=daily().BTC.head(50)),
        "X has no price after 2024-02-19",
    ),
    "no price at all": (daily().assign(X=np.nan), "X has no price between"),
    "too few rows": (daily(30), "30 rows"),
    "no date column": (daily().rename_axis("day"), "no single column `date`"),
    "semicolons": (daily().to_csv(sep=";"), "separate columns by commas"),
    "not a date": (daily().to_csv().replace("2024-01-05", "5 Jan"), "row 6: '5 Jan' is not a date"),
    "ragged": (daily().to_csv() + "2024-03-01,1\n", "row 62 has 2 cells, the header has 4"),
    "same name twice": (daily().to_csv().replace("ETH", "BTC", 1), "uniquely named"),
    "only dates": ("date\n2024-01-01\n", "uniquely named"),
    "empty": ("", "is empty"),
    "header only": ("date,BTC\n", "0 rows"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_load_prices__unusable_file__market_data_error_says_where(write, case: str) -> None:  # type: ignore[no-untyped-def]
    content, message = REFUSED[case]
    with pytest.raises(MarketDataError) as caught:
        load_prices(write(content))
    assert message in str(caught.value)
    assert "prices.csv" in str(caught.value)


def test_load_prices__weekend_and_holidays_closed__five_days_are_allowed(write) -> None:  # type: ignore[no-untyped-def]
    prices = load_prices(write(closed("2024-01-17")))
    assert prices["SPX"].isna().sum() == 16 + 3


@pytest.mark.parametrize(
    ("assets", "message"),
    [
        (["BTC", "ETHH"], "unknown column 'ETHH'; there are BTC, ETH, SPX; did you mean ETH?"),
        (["btc"], "did you mean BTC?"),
        (["QQQQ"], "there are BTC, ETH, SPX"),
        (["BTC", "BTC"], "chosen twice"),
        ([], "no asset chosen"),
    ],
)
def test_load_prices__assets_not_there__market_data_error_lists_what_is(write, assets, message) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(MarketDataError) as caught:
        load_prices(write(daily()), assets)
    assert message in str(caught.value)


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00date"])
def test_load_prices__no_file_or_no_text__market_data_error(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "prices.csv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(MarketDataError, match="cannot be read"):
        load_prices(path)


def test_select_prices__start_is_no_date__market_data_error() -> None:
    with pytest.raises(MarketDataError, match="not a date"):
        select_prices(daily(), ["BTC"], start="soon")


def test_select_prices__frame_without_dates__market_data_error() -> None:
    with pytest.raises(MarketDataError, match="DatetimeIndex"):
        select_prices(daily().reset_index(drop=True), ["BTC"])
