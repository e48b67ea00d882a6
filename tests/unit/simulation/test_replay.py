"""Fifty synthetic days on the world of the session: what is recorded, and attempts that leave no trace."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from equipoise.simulation.demo import Stage
from equipoise.simulation.replay import DayView, Replay, ReplayConfig
from equipoise.simulation.result import ReplayResult
from equipoise.world import World


@pytest.fixture
def run(
    world: World, closes: pd.DataFrame, make_stage: Callable[..., Stage]
) -> Callable[..., tuple[ReplayResult, list[DayView]]]:
    """Replay on a side branch of the world, so that two runs start alike."""

    def do(**config: float) -> tuple[ReplayResult, list[DayView]]:
        snapshot = world.snapshot()
        views: list[DayView] = []
        stage = make_stage()
        settings = ReplayConfig(**config)  # type: ignore[arg-type]
        ether = pd.Series(2_000.0, closes.index)
        users = stage.users
        replay = Replay(world, stage.deployment, closes, stage.committee, users, ether, settings)
        try:
            return replay.run(views.append), views
        finally:
            world.revert(snapshot)

    return do


def test_run__latency_attempts__leave_no_trace(
    run: Callable[..., tuple[ReplayResult, list[DayView]]], closes: pd.DataFrame
) -> None:
    """Every kind of record is the same with an attempt on every second day as with none at all."""
    busy, views = run(latency_every=2)
    quiet, same_views = run(latency_every=10_000)
    assert len(busy.latency) > 10
    assert quiet.latency.empty
    for name in ("days", "weights", "risk_shares", "rebalances", "actions"):
        pd.testing.assert_frame_equal(getattr(busy, name), getattr(quiet, name), check_exact=True)
    assert views == same_views
    check_records(busy, views, closes)


def check_records(result: ReplayResult, views: list[DayView], closes: pd.DataFrame) -> None:
    """One view a day, sums that agree, and reports of the same day."""
    assert [view.date for view in views] == list(closes.index)
    assert [view.share_price for view in views] == list(result.days["share_price"])
    assert views[-1].rebalances == len(result.rebalances)
    by_day = result.rebalances.groupby("date")[["turnover_usd", "cost_usd"]].sum()
    recorded = result.days.loc[by_day.index, ["turnover_usd", "trading_cost_usd"]]
    np.testing.assert_allclose(by_day, recorded)
    assert result.days.loc[result.invested_from :, "report_age_s"].max() < 7_200
    assert (result.rebalances["gap_after"] <= result.band).all()
    assert set(result.rebalances["reason"]) <= {"parity gap", "volatility too low", "volatility too high"}
    exposed = result.weights.sum(axis=1)
    np.testing.assert_allclose(exposed, result.days["leverage"], atol=1e-9)


def test_run__correlations_every__sets_how_often_they_are_relayed(
    run: Callable[..., tuple[ReplayResult, list[DayView]]],
) -> None:
    daily, _ = run(correlations_every=1, latency_every=10_000)
    weekly, _ = run(correlations_every=7, latency_every=10_000)
    start = daily.start
    quiet = ~(daily.days["rebalanced"] | weekly.days["rebalanced"]).to_numpy()[start:]
    more = (daily.days["gas_used"] - weekly.days["gas_used"]).to_numpy()[start:][quiet]
    # a correlation report costs 100,000 gas and more, on six of seven days
    assert (more > 100_000).mean() == pytest.approx(6 / 7, abs=0.25)
