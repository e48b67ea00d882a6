"""Variance from bars: unbiased on Brownian paths, as efficient as published, and bad bars by their name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.errors import EstimationError, MarketDataError
from equipoise.estimation.range_based import (
    ESTIMATORS,
    check_ohlc,
    garman_klass,
    load_ohlc,
    parkinson,
    rogers_satchell,
    yang_zhang,
)

MARKET = Path(__file__).resolve().parents[4] / "shared" / "market"
VARIANCE = 0.03**2
STEPS = 60


def brownian(days: int, seed: int = 0, drift: float = 0.0, jump: float = 0.0) -> pd.DataFrame:
    """Bars of a Brownian path seen in continuous time: between steps its extremes are those of a bridge.

    `drift` is that of a day, `jump` the standard deviation of the move between two bars.
    """
    rng = np.random.default_rng(seed)
    step = VARIANCE / STEPS
    moves = rng.normal(drift / STEPS, step**0.5, (days, STEPS))
    ends = moves.cumsum(axis=1)
    starts = ends - moves
    rise = np.sqrt(moves**2 - 2 * step * np.log(rng.random((days, STEPS))))
    fall = np.sqrt(moves**2 - 2 * step * np.log(rng.random((days, STEPS))))
    high, low = ((starts + ends + rise) / 2).max(axis=1), ((starts + ends - fall) / 2).min(axis=1)
    between = rng.normal(0, jump, days) if jump else np.zeros(days)
    opened = (between + ends[:, -1]).cumsum() - ends[:, -1]
    logs = np.column_stack([opened, opened + high, opened + low, opened + ends[:, -1]])
    index = pd.date_range("2000-01-01", periods=days, name="date")
    return pd.DataFrame(100 * np.exp(logs), index, ["open", "high", "low", "close"])


@pytest.mark.parametrize(
    ("estimator", "efficiency"), [(parkinson, 4.9), (garman_klass, 7.4), (rogers_satchell, 6.0)]
)
def test_estimator__brownian_paths__unbiased_and_as_efficient_as_published(
    estimator: object, efficiency: float
) -> None:
    bars = brownian(40_000)
    found = estimator(bars)  # type: ignore[operator]
    squares = np.log(bars["close"] / bars["open"]) ** 2
    assert found.mean() == pytest.approx(VARIANCE, rel=0.01)
    assert squares.var() / found.var() == pytest.approx(efficiency, rel=0.06)
    assert (found >= 0).all()


def test_rogers_satchell__drift__unbiased_where_parkinson_is_not() -> None:
    bars = brownian(20_000, drift=0.03)
    assert rogers_satchell(bars).mean() == pytest.approx(VARIANCE, rel=0.015)
    assert parkinson(bars).mean() > 1.3 * VARIANCE
    assert garman_klass(bars).mean() > 1.05 * VARIANCE


@pytest.mark.parametrize("drift", [0.0, 0.02])
def test_yang_zhang__jumps_and_drift__unbiased_and_less_noisy_than_closes(drift: float) -> None:
    bars, window = brownian(30_000, drift=drift, jump=0.015), 20
    found = yang_zhang(bars, window)
    assert found.iloc[:window].isna().all()
    assert found.mean() == pytest.approx(VARIANCE + 0.015**2, rel=0.01)
    closes = np.log(bars["close"]).diff().rolling(window).var()
    assert closes.var() / found.var() > 3.0
    # the others do not see what happens between bars
    assert rogers_satchell(bars).mean() == pytest.approx(VARIANCE, rel=0.01)


def test_estimators__one_bar__by_hand() -> None:
    bars = pd.DataFrame(
        {"open": [100.0], "high": [110.0], "low": [95.0], "close": [105.0]}, pd.DatetimeIndex(["2024-01-01"])
    )
    wide, end = np.log(110 / 95), np.log(105 / 100)
    assert parkinson(bars).iloc[0] == pytest.approx(wide**2 / (4 * np.log(2)))
    assert garman_klass(bars).iloc[0] == pytest.approx(wide**2 / 2 - (2 * np.log(2) - 1) * end**2)
    expected = np.log(1.1) * np.log(110 / 105) + np.log(0.95) * np.log(95 / 105)
    assert rogers_satchell(bars).iloc[0] == pytest.approx(expected)


def test_yang_zhang__three_bars__by_hand() -> None:
    bars = brownian(3, seed=4, jump=0.01)
    logs = np.log(bars)
    between, within = (logs["open"] - logs["close"].shift()).iloc[1:], (logs["close"] - logs["open"]).iloc[1:]
    k = 0.34 / (1.34 + 3 / 1)
    expected = between.var() + k * within.var() + (1 - k) * rogers_satchell(bars).iloc[1:].mean()
    assert yang_zhang(bars, 2).iloc[-1] == pytest.approx(expected)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), scale=st.sampled_from([1e-9, 1.0, 1e9]))
def test_estimators__any_bars__of_no_unit_and_never_negative(seed: int, scale: float) -> None:
    bars = brownian(40, seed)
    for estimator in ESTIMATORS.values():
        found = estimator(bars)
        assert (found >= 0).all()
        np.testing.assert_allclose(estimator(bars * scale), found, rtol=1e-6, atol=1e-12)
    np.testing.assert_allclose(yang_zhang(bars * scale, 5), yang_zhang(bars, 5), rtol=1e-6, atol=1e-12)


def test_yang_zhang__future_shuffled__the_past_does_not_change() -> None:
    bars, cut = brownian(200, jump=0.01), 120
    other = bars.copy()
    other.iloc[cut:] = bars.iloc[cut:].to_numpy()[::-1] * 2
    pd.testing.assert_series_equal(yang_zhang(bars).iloc[:cut], yang_zhang(other).iloc[:cut])


def changed(**values: float) -> pd.DataFrame:
    bars = brownian(5, seed=1)
    for name, value in values.items():
        bars.loc["2000-01-03", name] = value
    return bars


@pytest.mark.parametrize(
    ("bars", "message"),
    [
        (
            changed(high=50.0),
            r"the bar of 2000-01-03 has open .*, high 50, .*; need low <= open, close <= high",
        ),
        (changed(low=500.0), "low 500"),
        (changed(close=0.0), "close is 0 on 2000-01-03; prices are finite and > 0"),
        (changed(open=float("nan")), "open is nan on 2000-01-03"),
        (changed(high=float("inf")), "high is inf on 2000-01-03"),
        (changed().drop(columns=["low", "open"]), "the bars lack open, low; give open, high, low, close"),
        (changed().iloc[::-1], "2000-01-04 follows 2000-01-05; sort the days"),
        (pd.concat([changed(), changed().tail(1)]), "2000-01-05 follows 2000-01-05; .* keep one bar each"),
        (changed().tz_localize("UTC"), "the days have the time zone UTC; drop it"),
        (changed().reset_index(drop=True), "must be indexed by day"),
        (changed().iloc[:0], "at least one; use load_ohlc"),
    ],
)
def test_check_ohlc__unusable_bars__named(bars: pd.DataFrame, message: str) -> None:
    for act in (check_ohlc, parkinson, yang_zhang):
        with pytest.raises(EstimationError, match=message):
            act(bars)


def test_yang_zhang__window_of_one__named() -> None:
    with pytest.raises(EstimationError, match=r"window is 1; .* needs >= 2 bars"):
        yang_zhang(brownian(5), 1)


def test_load_ohlc__prefix_and_days_without_trade__read(tmp_path: Path) -> None:
    path = tmp_path / "bars.csv"
    bars = brownian(4, seed=3).add_prefix("btc_")
    bars.loc[pd.Timestamp("2000-01-02")] = np.nan
    bars.to_csv(path)
    found = load_ohlc(path, "btc_")
    assert list(found.columns) == ["open", "high", "low", "close"]
    assert len(found) == 3
    np.testing.assert_allclose(found, bars.dropna())
    with pytest.raises(MarketDataError, match=r"bars.csv: unknown column 'eth_open'"):
        load_ohlc(path, "eth_")
    bars.dropna().assign(btc_high=1e-3).to_csv(path)
    with pytest.raises(MarketDataError, match=r"bars.csv: the bar of 2000-01-01"):
        load_ohlc(path, "btc_")


@pytest.mark.skipif(not MARKET.exists(), reason="../shared/market is not here")
def test_estimators__hours_of_the_usdc_depeg__agree_and_see_its_night() -> None:
    """Kraken's hours of March 2023: the estimators agree, and the worst hour is of the run."""
    table = pd.read_csv(MARKET / "usdc_hourly_2023_03.csv", index_col=0, parse_dates=True).tz_localize(None)
    bars = table.filter(like="usdc_usd_kraken_").rename(columns=lambda name: name.rsplit("_", 1)[1])
    daily = {name: estimator(bars).sum() for name, estimator in ESTIMATORS.items()}
    assert max(daily.values()) < 2 * min(daily.values())
    worst = parkinson(bars).idxmax()
    assert pd.Timestamp("2023-03-10 20:00") <= worst <= pd.Timestamp("2023-03-11 12:00")
