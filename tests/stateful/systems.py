"""The two systems that lives are lived in, built once on anvil: a vault that borrows, and one that cannot.

Both have a governor, who owns nothing until a life hands everything over, and an asset outside the basket.
"""

from __future__ import annotations

from pathlib import Path

from equipoise.client.config import AssetConfig
from equipoise.client.options import GovernanceConfig
from equipoise.units import DAY
from equipoise.world import AssetSpec, World
from tests.engine import Saved, save
from tests.fixtures.governance import establish
from tests.fixtures.levered import FORTUNE_USD, VOLS, Levered, build_levered
from tests.fixtures.system import MAX

__all__ = ["KINDS", "build"]

KINDS = ("levered", "unlevered")
# 8, 18 and 6 decimals, and one that is not in the basket yet
ASSETS = (
    AssetSpec.of("BTC", 30_000.0),
    AssetSpec.of("ETH", 2_000.0),
    AssetSpec("GOLD", 1_900.0, 6, 3000, 60e6, 0.70, 0.75, 0.06),
    AssetSpec.of("LINK", 15.0),
)
# as quick as the contracts let it be, but for the deadline that a late quorum moves
GOVERNANCE = GovernanceConfig(delay=DAY, voting_delay=3_600, voting_period=DAY, late_quorum_extension=7_200)


def build(kind: str, folder: Path) -> Saved:
    """A system with reports posted and nothing deposited; everybody has approved what they use."""
    with World.build(ASSETS, lending=True) as world:
        s = build_levered(world, VOLS, account=kind == "levered")
        _list_the_rest(s, world)
        s = establish(s, GOVERNANCE)
        world.fund("USDC", s.treasury, FORTUNE_USD * 10**6)
        s.cash.send("approve", s.vault, MAX, sender=s.treasury)
        for person in (s.alice, s.bob, s.mallory):
            s.vault.send("approve", s.zap, MAX, sender=person)
            s.vault.send("approve", s.votes, MAX, sender=person)
        for token in world.tokens.values():
            for spender in (world.router, s.aave.pool):
                token.send("approve", spender, MAX, sender=s.mallory)
        return save(s, folder / f"{kind}.json")


def _list_the_rest(s: Levered, world: World) -> None:
    """Assets that the vault does not hold have a feed in its oracle, and the keeper has them."""
    for asset in world.assets[s.n :]:
        token = world.tokens[asset.symbol]
        config = AssetConfig(asset.symbol, token.address, world.feeds[asset.symbol].address, 1e-8, 1e9)
        s.price_oracle.send("setFeed", config.listing(), sender=s.owner)
        world.fund(asset.symbol, s.keeper, int(FORTUNE_USD / asset.price * 10**asset.decimals))
        token.send("approve", s.vault, MAX, sender=s.keeper)
