"""Closes for the session's world, and vaults on it with a committee and a keeper, ready or invested."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from equipoise.client.deploy import deploy
from equipoise.estimation.ewma import EstimationConfig
from equipoise.keeper import Keeper
from equipoise.simulation.committee import Committee
from equipoise.simulation.demo import USERS, Stage, local_config
from equipoise.units import to_token
from equipoise.world import DEFAULT_ASSETS, World

DAILY_VOL = [0.03, 0.04, 0.045, 0.05, 0.012]


@pytest.fixture(scope="session")
def closes() -> pd.DataFrame:
    """Fifty days from 2020-01-02 of the world's five assets, starting at its prices."""
    rng = np.random.default_rng(2)
    common = rng.normal(size=(50, 1))
    steps = (0.7 * common + 0.7 * rng.normal(size=(50, 5))) * DAILY_VOL
    steps[0] = 0
    index = pd.date_range("2020-01-02", periods=50, name="date")
    start = [asset.price for asset in DEFAULT_ASSETS]
    return pd.DataFrame(start * np.exp(steps.cumsum(axis=0)), index, [a.symbol for a in DEFAULT_ASSETS])


@pytest.fixture
def make_stage(world: World, closes: pd.DataFrame) -> Callable[..., Stage]:
    """Factory: a vault on the world, `change` applied to its configuration; no reports, no deposits."""

    def make(change: Callable[[Any], Any] = lambda config: config) -> Stage:
        deployer, *others = world.accounts
        users = dict(zip(USERS, others, strict=False))
        committee = Committee(closes, 5, 7, EstimationConfig())
        config = change(local_config(world, [0.2] * 5, committee.addresses, owner=deployer))
        deployment = deploy(world.chain, deployer, config)
        committee.bind(deployment, relayer=users["keeper"])
        return Stage(deployment, committee, users)

    return make


@pytest.fixture
def invest(world: World, closes: pd.DataFrame) -> Callable[[Stage], Stage]:
    """Post the last day's reports, let alice deposit a million, rebalance."""

    def do(stage: Stage) -> Stage:
        deployment, alice = stage.deployment, stage.users["alice"]
        now = world.chain.timestamp()
        stage.committee.post_correlations(len(closes) - 1, now)
        stage.committee.post_volatilities(len(closes) - 1, now)
        world.warp_to(deployment.volatility_oracle.call("lastPost").settlesAt)
        stake = to_token(1_000_000.0)
        world.fund("USDC", alice, stake)
        deployment.cash.send("approve", deployment.vault.address, stake, sender=alice)
        deployment.vault.send("deposit", stake, alice, sender=alice)

        def wait_until(timestamp: int) -> None:
            if timestamp > world.chain.timestamp():
                world.warp_to(timestamp)

        keeper = Keeper(deployment, stage.users["keeper"], world.quoter, wait_until)
        keeper.open()
        for _ in keeper.fill_all():
            world.align_pools()
        return stage

    return do


def without_costs(config: Any) -> Any:
    """The same vault with no spread and no fees: what the design forbids."""
    return replace(
        config,
        cash=replace(config.cash, half_spread_bps=0),
        assets=tuple(replace(asset, half_spread_bps=0) for asset in config.assets),
        fees=replace(config.fees, entry=0.0, exit=0.0),
    )


@pytest.fixture
def free_stage(make_stage: Callable[..., Stage], invest: Callable[[Stage], Stage]) -> Stage:
    """Invested, with neither spread nor fees."""
    return invest(make_stage(without_costs))


@pytest.fixture
def invested_stage(make_stage: Callable[..., Stage], invest: Callable[[Stage], Stage]) -> Stage:
    """Invested, with the demo's own spread and fees."""
    return invest(make_stage())
