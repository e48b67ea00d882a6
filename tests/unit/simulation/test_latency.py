"""The latency trader: it loses against the demo's vault, and wins where spread and fees are gone."""

from __future__ import annotations

import pandas as pd
import pytest

from equipoise.simulation.demo import Stage
from equipoise.simulation.latency import LatencyAttempt, round_trips
from equipoise.world import World

DAY = pd.Timestamp("2020-02-20")


def attempts(world: World, stage: Stage, deviation: float, stake: float = 50_000.0) -> list[LatencyAttempt]:
    prices = {symbol: price for symbol, price in world.prices().items() if symbol != "USDC"}
    trader = stage.users["latency_trader"]
    return round_trips(world, stage.deployment, trader, DAY, prices, deviation, stake)


def test_round_trips__neither_spread_nor_fees__both_directions_profit(
    world: World, free_stage: Stage
) -> None:
    """So the assertion that every attempt loses can fail."""
    found = attempts(world, free_stage, 0.005)
    assert [attempt.move for attempt in found] == [0.005, -0.005]
    # the vault holds part of its value in the basket: it gains that part of the move
    exposure = 1 - free_stage.deployment.dashboard().weightsWad[-1] / 1e18
    for attempt in found:
        assert attempt.profit_usd == pytest.approx(50_000 * 0.005 * exposure, rel=0.1)
        assert attempt.profit_bps == pytest.approx(50 * exposure, rel=0.1)


@pytest.mark.parametrize("deviation", [0.001, 0.0025, 0.005])
def test_round_trips__the_demos_vault__every_attempt_loses(
    world: World, invested_stage: Stage, deviation: float
) -> None:
    """EQ-56"""
    assert all(attempt.profit_usd < 0 for attempt in attempts(world, invested_stage, deviation))


def test_round_trips__move_far_beyond_the_threshold__is_reported_as_profit(
    world: World, invested_stage: Stage
) -> None:
    """A feed that lags by ten times its threshold is beyond what the spread covers: no gain is hidden."""
    assert all(attempt.profit_usd > 0 for attempt in attempts(world, invested_stage, 0.05))


def test_round_trips__more_than_the_idle_cash__what_stays_is_valued_at_mid(
    world: World, free_stage: Stage
) -> None:
    rise, _ = attempts(world, free_stage, 0.005, stake=20_000_000.0)
    assert 0 < rise.profit_usd < 20_000_000 * 0.005


def test_round_trips__afterwards__the_chain_is_as_it_was(world: World, invested_stage: Stage) -> None:
    def facts() -> tuple[object, ...]:
        state = invested_stage.deployment.dashboard()
        trader = invested_stage.users["latency_trader"]
        cash = invested_stage.deployment.cash.call("balanceOf", trader)
        return state, cash, world.prices(), world.chain.request("eth_blockNumber")

    before = facts()
    attempts(world, invested_stage, 0.005)
    assert facts() == before
