"""The fast backtest beside the replay on the real contracts, on the same quarter."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from equipoise.client.config import AuctionConfig
from equipoise.simulation import ReplayResult
from equipoise.simulation.backtest import BacktestConfig, BacktestResult, run_backtest
from equipoise.simulation.costs import CostModel
from equipoise.simulation.demo import DemoOptions, demo_prices, run_demo
from equipoise.world import AssetSpec

MARKET = Path(__file__).resolve().parents[3] / "shared" / "market" / "prices_daily_permissive_MIT.csv"
OPTIONS = DemoOptions(days=134)
"""Six weeks until the signers have closes enough, then a quarter with the crash of March 2020."""


@pytest.fixture(scope="module")
def both() -> tuple[ReplayResult, BacktestResult]:
    """The backtest is told what the replay paid for a dollar of turnover and of debt, nothing else."""
    replay = run_demo(OPTIONS)
    paid = replay.days["trading_cost_usd"].sum() / replay.days["turnover_usd"].sum()
    closes = demo_prices(OPTIONS)
    first = closes.bfill().iloc[0]
    specs = [AssetSpec.of(str(name), price) for name, price in first.items()]
    config = BacktestConfig(
        auction=AuctionConfig(max_leverage=OPTIONS.max_leverage),
        thresholds=tuple(spec.liquidation_threshold for spec in specs),
        costs=CostModel(float(paid), np.inf, float(replay.days["borrow_rate"].mean())),
    )
    return replay, run_backtest(closes, config)


def test_backtest__a_quarter__agrees_with_the_contracts(
    both: tuple[ReplayResult, BacktestResult],
) -> None:
    """NAV within 1 % on every day and 0.5 % at the end, leverage within 0.02 on average."""
    replay, backtest = both
    days = replay.days.iloc[replay.base :]
    assert len(days) >= 91
    fast = backtest.days.loc[days.index]
    nav = days["share_price"] / days["share_price"].iloc[0]
    ratio = backtest.portfolio.nav.loc[days.index] / nav
    assert np.abs(ratio - 1).max() < 0.01
    assert abs(ratio.iloc[-1] - 1) < 0.005
    # the contracts invest over two days, the first of which is not compared
    settled = days.index[2:]
    assert np.abs(days["leverage"] - fast["leverage"])[settled].mean() < 0.02
    assert np.abs(days["volatility"] - fast["volatility"])[settled].mean() < 0.006
    assert np.abs(days["parity_gap"] - fast["parity_gap"])[settled].mean() < 0.007
    held = backtest.portfolio.weights.loc[settled]
    assert np.abs(replay.weights.loc[settled] - held).mean().max() < 0.01
    turnover = (days["turnover_usd"] / days["nav_usd"]).sum()
    assert fast["turnover"].sum() == pytest.approx(turnover, rel=0.08)
    traded = fast["turnover"] > 0
    assert traded.sum() == pytest.approx(days["rebalanced"].sum(), rel=0.15)
    # a gap close to its band opens an auction a day sooner here, a day later there
    assert (traded & (days["rebalanced"] > 0)).sum() > 0.6 * traded.sum()


def test_backtest__a_quarter__moves_day_by_day_as_the_contracts(
    both: tuple[ReplayResult, BacktestResult],
) -> None:
    replay, backtest = both
    index = replay.days.index[replay.base :]
    returns = pd.DataFrame(
        {
            "contracts": replay.days["share_price"].loc[index].pct_change(),
            "backtest": backtest.portfolio.nav.loc[index].pct_change(),
        }
    ).iloc[3:]
    assert returns.corr().iloc[0, 1] > 0.97
    # and not because nothing moves
    assert returns["contracts"].std() * 365**0.5 > 0.05


@pytest.mark.skipif(not MARKET.exists(), reason="../shared/market is not here")
def test_backtest__seven_years_by_the_shortest_command__usual_assets_in_seconds() -> None:
    """Under 10 s on a quiet machine; the processor time that fails here leaves room for a busy one."""
    command = [str(Path(sys.executable).parent / "equipoise"), "backtest", "--prices", str(MARKET), "--json"]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, text=True, capture_output=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    summary = json.loads(done.stdout)
    assert "BTC, ETH, LINK, 2019-01-16 to 2026-03-02" in done.stderr
    assert (summary["first"], summary["last"]) == ("2019-02-14", "2026-03-02")
    assert len(summary["portfolios"]) == len(summary["equal_risk"]["portfolios"]) == 8
    assert len(summary["sweep"]) == 16
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 30
