"""Hourly paths: exact at the closes, still where a market is closed, as wide as the days around."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from equipoise.errors import InputError
from equipoise.simulation.intraday import HOURS, intraday_paths
from tests.unit.simulation.synthetic import make_prices


@pytest.fixture(scope="module")
def prices() -> pd.DataFrame:
    made = make_prices(400, 5, 3)
    weekend = made.index.dayofweek >= 5
    made.loc[weekend, "SPX"] = np.nan
    return made.ffill()


def test_paths__every_day__end_at_the_close(prices: pd.DataFrame) -> None:
    paths = intraday_paths(prices, ("SPX",), seed=1)
    assert list(paths) == list(prices.index[1:])
    for day, path in paths.items():
        assert path.shape == (HOURS, 5)
        assert (path > 0).all()
        np.testing.assert_array_equal(path[-1], prices.loc[day].to_numpy())


def test_paths__closed_market__holds_its_last_close(prices: pd.DataFrame) -> None:
    paths = intraday_paths(prices, ("SPX",), seed=1)
    spx = list(prices.columns).index("SPX")
    for k, (_, path) in enumerate(paths.items(), start=1):
        before = prices["SPX"].iloc[k - 1]
        np.testing.assert_allclose(path[:14, spx], before, rtol=1e-12)
        if prices["SPX"].iloc[k] == before:
            np.testing.assert_allclose(path[:, spx], before, rtol=1e-12)
        np.testing.assert_allclose(path[21:, spx], path[-1, spx], rtol=1e-12)


def test_paths__seed__makes_the_same_again_and_others_different(prices: pd.DataFrame) -> None:
    day = prices.index[50]
    first = intraday_paths(prices, (), 1)[day]
    np.testing.assert_array_equal(first, intraday_paths(prices, (), 1)[day])
    assert not np.allclose(first, intraday_paths(prices, (), 2)[day])


def test_paths__hourly_moves__are_as_wide_and_as_joint_as_daily_ones(prices: pd.DataFrame) -> None:
    """A bridge of 24 steps keeps 23 / 24 of the variance of its walk; windows of 5 days smooth the scale."""
    path = np.concatenate(list(intraday_paths(prices, (), 5).values()))
    hourly, daily = np.diff(np.log(path), axis=0), np.diff(np.log(prices.to_numpy()), axis=0)
    ratio = hourly.std(axis=0) * np.sqrt(HOURS) / daily.std(axis=0)
    assert ((ratio > 0.8) & (ratio < 1.8)).all()
    wanted, found = np.corrcoef(daily, rowvar=False), np.corrcoef(hourly, rowvar=False)
    assert np.abs(wanted - found).max() < 0.15


@pytest.mark.parametrize(
    ("change", "traded"),
    [(lambda p: p.iloc[:1], ()), (lambda p: -p, ()), (lambda p: p * np.nan, ()), (lambda p: p, ("GOLD",))],
)
def test_paths__bad_input__is_refused(prices: pd.DataFrame, change: object, traded: tuple[str, ...]) -> None:
    with pytest.raises(InputError):
        intraday_paths(change(prices), traded)  # type: ignore[operator]
