"""Sweeps: every point is a backtest of its own, whatever runs it, and what can be shared is shared."""

from __future__ import annotations

from dataclasses import replace
from unittest.mock import Mock

import joblib
import pytest

from equipoise.errors import InputError
from equipoise.simulation import sweep
from equipoise.simulation.backtest import run_backtest
from equipoise.simulation.sweep import RESULT_COLUMNS, run_sweep, sweepable
from tests.unit.simulation.test_backtest import CALM, closes

VALUES = {
    "target_volatility": 0.3,
    "max_leverage": 1.5,
    "parity_band": 0.1,
    "volatility_band": 0.3,
    "loss_budget": 0.0005,
    "cash_buffer": 0.3,
    "max_borrow_rate": 0.01,
    "volatility_decay": 0.8,
    "correlation_decay": 0.7,
    "intensity": 0.5,
    "eigenvalue_floor": 0.9,
    "correlations_every": 30.0,
    "min_observations": 60.0,
}


@pytest.mark.parametrize("name", [name for name in sweepable() if name != "window"])
def test_run_sweep__each_parameter__changes_the_backtest(name: str) -> None:
    prices = closes(days=200, vol=0.012)
    config = replace(CALM, auction=replace(CALM.auction, target_volatility=0.4))
    table = run_sweep(prices, config, {name: (VALUES[name],)})
    base = run_backtest(prices, config).portfolio.statistics
    assert table.iloc[0]["annual_return"] != base.annual_return


def test_run_sweep__grid__every_point_once_in_order() -> None:
    table = run_sweep(closes(), CALM, {"parity_band": (0.01, 0.1), "target_volatility": (0.2, 0.4, 0.6)})
    assert list(table.columns) == ["parity_band", "target_volatility", *RESULT_COLUMNS]
    points = list(table[["parity_band", "target_volatility"]].itertuples(index=False, name=None))
    assert points == [(b, v) for b in (0.01, 0.1) for v in (0.2, 0.4, 0.6)]
    assert table["volatility"].is_unique


def test_run_sweep__points_that_differ_in_bands_only__estimate_once(monkeypatch: pytest.MonkeyPatch) -> None:
    oracle = Mock(side_effect=sweep.backtest_oracle)
    monkeypatch.setattr(sweep, "backtest_oracle", oracle)
    run_sweep(closes(), CALM, {"parity_band": (0.01, 0.1), "volatility_decay": (0.9, 0.95, 0.97)})
    assert oracle.call_count == 3


@pytest.mark.parametrize("backend", ["sequential", "threading", "loky"])
def test_run_sweep__any_backend__same_as_single_runs(backend: str) -> None:
    prices = closes(days=120)
    with joblib.parallel_config(backend=backend, n_jobs=2):
        table = run_sweep(prices, CALM, {"parity_band": (0.01, 0.2)})
    for row, band in enumerate((0.01, 0.2)):
        config = replace(CALM, auction=replace(CALM.auction, parity_band=band))
        single = run_backtest(prices, config)
        for name in ("annual_return", "sharpe", "turnover"):
            assert table.iloc[row][name] == getattr(single.portfolio.statistics, name)
        assert table.iloc[row]["rebalances"] == single.rebalances


@pytest.mark.parametrize(
    ("grid", "jobs", "message"),
    [
        ({"parity_band": (0.1,)}, 0, "jobs is 0; give a number of processes"),
        ({"window": (40.5,)}, None, "window is 40.5; it is a whole number"),
        ({"correlations_every": (float("nan"),)}, None, "correlations_every is nan; it is a whole number"),
    ],
)
def test_run_sweep__bad_request__named(
    grid: dict[str, tuple[float, ...]], jobs: int | None, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        run_sweep(closes(), CALM, grid, jobs=jobs)
