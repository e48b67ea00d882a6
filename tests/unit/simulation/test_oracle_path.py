"""The oracle in floats: fast up, slow down, never under the floor, as the contracts that it mirrors."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from equipoise.client.config import OracleConfig, RealizedConfig
from equipoise.estimation.ewma import EstimatePath
from equipoise.simulation.oracle_path import OraclePath, oracle_path
from tests.unit.simulation.test_backtest import closes

BUDGETS = np.full(2, 0.5)
PARAMS = {"signers": (), "threshold": 0}


def estimates(vol_ann: np.ndarray, index: pd.DatetimeIndex, first: int = 0) -> EstimatePath:
    T, n = vol_ann.shape
    correlation = np.broadcast_to(np.eye(n), (T, n, n)).copy()
    correlation[:first] = np.nan
    return EstimatePath(index, ("A", "B"), vol_ann, correlation, np.arange(T), 2)


def follow(
    reported: list[float], floor: float = 0.0, prices: pd.DataFrame | None = None, **kwargs: object
) -> OraclePath:
    table = closes(days=len(reported), n=2) if prices is None else prices
    path = estimates(np.repeat(np.array(reported)[:, None], 2, axis=1), pd.DatetimeIndex(table.index))
    oracle = OracleConfig(**PARAMS, floor_fraction=floor, parity_fraction=0.0)  # type: ignore[arg-type]
    return oracle_path(table, path, BUDGETS, oracle=oracle, **kwargs)  # type: ignore[arg-type]


def test_oracle_path__reports__rise_at_once_and_fall_by_a_fifth_a_day() -> None:
    used = follow([0.5, 1.0, 0.1, 0.1, 0.75, 0.1]).vol_ann[:, 0]
    np.testing.assert_allclose(used, [0.5, 1.0, 0.8, 0.64, 0.75, 0.6])


def test_oracle_path__days_without_a_row__all_count_for_the_fall() -> None:
    prices = closes(days=12, n=2).iloc[[0, 1, 4, 10]]
    used = follow([1.0, 1.0, 0.1, 0.05], prices=prices).vol_ann[:, 0]
    np.testing.assert_allclose(used, [1.0, 1.0, 0.4, 0.05])


def test_oracle_path__floor__a_fraction_of_what_is_realised_by_the_day_before() -> None:
    prices = closes(days=40, n=2)
    used = follow([0.01] * 40, floor=0.7, prices=prices).vol_ann[-1]
    moves = np.diff(np.log(prices.to_numpy()), axis=0)[:-1]  # the last close has not settled
    weights = 0.5 ** (np.arange(len(moves))[::-1] / 11)
    realised = np.sqrt((weights[:, None] * moves**2).sum(axis=0) / weights.sum() * 365)
    np.testing.assert_allclose(used, 0.7 * realised, rtol=1e-6)
    np.testing.assert_allclose(follow([0.01] * 40, prices=prices).vol_ann, 0.01)


def test_oracle_path__floor_that_falls__is_not_what_falls_are_measured_from() -> None:
    """`VolatilityOracle` keeps posts, and raises them to the floor when they are read."""
    calm = pd.DataFrame(100.0, pd.date_range("2021-01-01", periods=30), ["A", "B"])
    calm.iloc[1::2] *= 1.001
    calm.iloc[5:] *= 3.0
    # a half-life of a day: the floor falls by 29 % a day, a report by 20 % at most
    used = follow([0.01] * 30, floor=1.0, prices=calm, realized=RealizedConfig(half_life=86_400))
    falls = used.vol_ann[8:16, 0] / used.vol_ann[7:15, 0]
    np.testing.assert_allclose(falls, np.sqrt(0.5), rtol=0.02)


def test_oracle_path__correlations__hold_until_the_next_report() -> None:
    T = 20
    index = pd.date_range("2021-01-01", periods=T)
    path = estimates(np.full((T, 2), 0.5), index, first=3)
    for t in range(3, T):
        path.correlation[t] = [[1.0, 0.04 * t], [0.04 * t, 1.0]]
    path.vol_ann[:3] = np.nan
    oracle = oracle_path(closes(days=T, n=2), path, np.array([0.3, 0.7]), correlations_every=5)
    assert oracle.first == 3
    for t in range(3, T):
        report = 3 + (t - 3) // 5 * 5
        assert oracle.correlation[t, 0, 1] == 0.04 * report
        x, C = oracle.coordinates[t], oracle.correlation[t]
        np.testing.assert_allclose(x * (C @ x), [0.3, 0.7], atol=1e-9)
    assert np.isnan(oracle.coordinates[:3]).all()


def test_oracle_path__parity_portfolio_riskier_than_claimed__all_risk_counts_for_more() -> None:
    """Signers who claim three tenths of the volatility: seven tenths of what happens over it."""
    prices = closes(seed=5, days=150, n=2, vol=0.02)
    moves = np.diff(np.log(prices.to_numpy()), axis=0)
    true = moves.std(axis=0) * np.sqrt(365)
    path = estimates(np.repeat(0.3 * true[None], 150, axis=0), pd.DatetimeIndex(prices.index))
    oracle = OracleConfig(**PARAMS, floor_fraction=0.0)  # type: ignore[arg-type]
    ratio = oracle_path(prices, path, BUDGETS, oracle=oracle).ratio
    # uncorrelated is claimed, but they move together: more than 1 / 0.3
    common = np.sqrt(1 + np.corrcoef(moves.T)[0, 1])
    assert (ratio[:12] == 1).all()
    assert ratio[40:].mean() == pytest.approx(0.7 / 0.3 * common, rel=0.15)
    honest = estimates(np.repeat(2 * true[None], 150, axis=0), pd.DatetimeIndex(prices.index))
    assert (oracle_path(prices, honest, BUDGETS, oracle=oracle).ratio == 1).all()
    # a claim of next to nothing is capped, as on chain: 10 times the fraction
    absurd = estimates(np.full((150, 2), 1e-3), pd.DatetimeIndex(prices.index))
    assert oracle_path(prices, absurd, BUDGETS, oracle=oracle).ratio.max() == pytest.approx(7.0, rel=1e-3)
