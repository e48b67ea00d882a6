"""The keeper and the ripcord, on real pools and the real Aave: pulled when due, filled when it pays."""

from __future__ import annotations

import pytest

from equipoise.errors import ContractRevert
from equipoise.keeper import Keeper
from tests.fixtures.levered import Levered


@pytest.fixture
def keeper(levered: Levered) -> Keeper:
    world = levered.world
    assert world

    def wait_until(timestamp: int) -> None:
        if timestamp > world.chain.timestamp():
            world.warp_to(timestamp)

    return Keeper(levered.contracts, levered.keeper, world.quoter, wait_until, gas_usd=20.0)


def fall(s: Levered, change: float) -> None:
    assert s.world
    s.crash(change)
    s.world.align_pools()
    s.world.recentre_liquidity()


@pytest.mark.parametrize("change", [-0.2, -0.35, -0.42])
def test_fill_ripcord__any_fall__restores_the_target_at_little_cost(
    levered: Levered, keeper: Keeper, change: float
) -> None:
    s = levered
    fall(s, change)
    assert keeper.ripcord_due(s.contracts.dashboard())
    keeper.pull_ripcord()
    assert not keeper.ripcord_due(s.contracts.dashboard())
    fills = []
    for fill in keeper.fill_ripcord():
        fills.append(fill)
        s.world.align_pools()  # type: ignore[union-attr]
    assert fills
    assert s.health() > 1.59
    assert sum(f.cost_usd for f in fills) <= 0.03 * sum(f.sold_usd for f in fills)
    assert s.aave.liquidate(s.account.address) == []


def test_ripcord__not_due__is_not_pulled(levered: Levered, keeper: Keeper) -> None:
    s = levered
    assert not keeper.ripcord_due(s.contracts.dashboard())
    with pytest.raises(ContractRevert, match="RipcordNotDue"):
        keeper.pull_ripcord()
    assert list(keeper.fill_ripcord()) == []


def test_ripcord__silent_signers_below_the_target__is_due(levered: Levered, keeper: Keeper) -> None:
    s = levered
    s.warp(97 * 3_600)
    s.refresh_prices()
    fall(s, -0.03)
    assert keeper.ripcord_due(s.contracts.dashboard())
