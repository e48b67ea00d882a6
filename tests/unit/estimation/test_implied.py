"""Implied volatility: what a day could know, and files that are refused."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.errors import EstimationError, MarketDataError
from equipoise.estimation.implied import ImpliedVolatility, load_implied

DVOL = Path(__file__).resolve().parents[3].parent / "shared" / "market" / "dvol_daily.csv"
SMALL = "date,BTC,ETH\n2024-01-01,60,70\n2024-01-02,61,\n2024-01-06,62,72\n"


def written(folder: Path, text: str) -> Path:
    path = folder / "implied.csv"
    path.write_text(text)
    return path


def test_at__gaps__last_value_that_is_young_enough(tmp_path: Path) -> None:
    implied = load_implied(written(tmp_path, SMALL))
    assert implied.at("2023-12-31") == {}
    assert implied.at("2024-01-01") == {"BTC": 0.6, "ETH": 0.7}
    assert implied.at(date(2024, 1, 2)) == {"BTC": 0.61, "ETH": 0.7}
    assert implied.at("2024-01-05") == {"BTC": 0.61}  # three days old; ETH's is four
    assert implied.at("2024-01-05", max_age_days=2) == {}
    assert implied.at("2024-01-02", max_age_days=0) == {"BTC": 0.61}
    assert implied.at(pd.Timestamp("2024-01-06 23:00")) == {"BTC": 0.62, "ETH": 0.72}
    assert implied.at("2024-01-10") == {}


@given(seed=st.integers(0, 10_000), today=st.integers(0, 59), age=st.integers(0, 10))
def test_at__any_day__young_enough_and_blind_to_the_future(seed: int, today: int, age: int) -> None:
    rng = np.random.default_rng(seed)
    days = pd.date_range("2024-01-01", periods=60)
    values = pd.DataFrame(rng.uniform(0.1, 2, (60, 2)), index=days, columns=["BTC", "ETH"])
    values = values.mask(rng.random((60, 2)) < 0.5)[rng.random(60) < 0.8]
    day = days[today]
    changed = values.copy()
    changed.loc[changed.index > day] = 9.0
    found = ImpliedVolatility(values).at(day, age)
    assert found == ImpliedVolatility(changed).at(day, age)
    for name in values:
        window = values[name].loc[day - pd.Timedelta(days=age) : day].dropna()
        assert found.get(str(name)) == (window.iloc[-1] if len(window) else None)


def test_at__negative_age__estimation_error(tmp_path: Path) -> None:
    with pytest.raises(EstimationError, match="max_age_days is -1"):
        load_implied(written(tmp_path, SMALL)).at("2024-01-01", -1)


def test_load_implied__columns_and_unit__renamed_and_shared(tmp_path: Path) -> None:
    path = written(tmp_path, "date,btc_close,btc_open\n2024-01-01,0.6,-1\n")
    implied = load_implied(path, {"BTC": "btc_close", "WBTC": "btc_close"}, unit="fraction")
    assert implied.at("2024-01-01") == {"BTC": 0.6, "WBTC": 0.6}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("date,BTC\n2024-01-02,60\n2024-01-01,61\n", "2024-01-01 follows 2024-01-02"),
        ("date,BTC\n2024-01-01,60\n2024-01-01,61\n", "keep one row each"),
        ("date,BTC\n2024-01-01,-60\n", "BTC is -0.6 on 2024-01-01"),
        ("date,BTC\n2024-01-01,0\n", "BTC is 0 on 2024-01-01"),
        ("date,BTC\n2024-01-01,inf\n", "BTC is inf"),
        ("date,BTC\n2024-01-01,0.6\n", "is the unit right"),
        ("date,BTC\n2024-01-01,high\n", "BTC is 'high' on 2024-01-01"),
        ("date,BTC\n2024-13-01,60\n", "'2024-13-01' is not a date"),
        ("day,BTC\n2024-01-01,60\n", "no single column `date`"),
        ("", "is empty"),
    ],
)
def test_load_implied__unusable_file__market_data_error_names_it(
    tmp_path: Path, text: str, message: str
) -> None:
    with pytest.raises(MarketDataError, match=message) as caught:
        load_implied(written(tmp_path, text))
    assert "implied.csv" in str(caught.value)


def test_load_implied__wrong_arguments__market_data_error(tmp_path: Path) -> None:
    path = written(tmp_path, SMALL)
    with pytest.raises(MarketDataError, match="unknown column 'BTX'"):
        load_implied(path, {"BTC": "BTX"})
    with pytest.raises(MarketDataError, match="no asset chosen"):
        load_implied(path, {})
    with pytest.raises(MarketDataError, match="unit is 'bp'"):
        load_implied(path, unit="bp")  # type: ignore[arg-type]
    with pytest.raises(MarketDataError, match="unit right"):
        load_implied(path, unit="fraction")
    with pytest.raises(MarketDataError, match="cannot be read"):
        load_implied(tmp_path / "absent.csv")


def test_implied_volatility__not_indexed_by_day__market_data_error() -> None:
    with pytest.raises(MarketDataError, match="indexed by day"):
        ImpliedVolatility(pd.DataFrame({"BTC": [0.6]}))


def test_load_implied__deribit_dvol__every_day_has_both() -> None:
    if not DVOL.is_file():
        pytest.skip("../shared/market is not here; the small files above cover the reading")
    implied = load_implied(DVOL, {"BTC": "btc_close", "ETH": "eth_close"})
    assert implied.at("2021-03-24") == pytest.approx({"BTC": 0.9504, "ETH": 1.0673})
    assert implied.at("2021-03-23") == {}
    assert not implied.values.isna().to_numpy().any()


def test_implied_volatility__days_with_a_time_zone__named() -> None:
    days = pd.date_range("2024-01-01", periods=3, tz="UTC")
    with pytest.raises(MarketDataError, match="the days have the time zone UTC; drop it"):
        ImpliedVolatility(pd.DataFrame({"BTC": 0.5}, days))
