"""The two systems that lives are lived in, built once on anvil: a vault that borrows, and one that cannot."""

from __future__ import annotations

from pathlib import Path

from equipoise.world import AssetSpec, World
from tests.engine import Saved, save
from tests.fixtures.levered import FORTUNE_USD, build_levered
from tests.fixtures.system import MAX

__all__ = ["KINDS", "build"]

KINDS = ("levered", "unlevered")
# 8, 18 and 6 decimals
ASSETS = (
    AssetSpec.of("BTC", 30_000.0),
    AssetSpec.of("ETH", 2_000.0),
    AssetSpec("GOLD", 1_900.0, 6, 3000, 60e6, 0.70, 0.75, 0.06),
)


def build(kind: str, folder: Path) -> Saved:
    """A system with reports posted and nothing deposited; everybody has approved what they use."""
    with World.build(ASSETS, lending=True) as world:
        s = build_levered(world, account=kind == "levered")
        world.fund("USDC", s.treasury, FORTUNE_USD * 10**6)
        s.cash.send("approve", s.vault, MAX, sender=s.treasury)
        for person in (s.alice, s.bob, s.mallory):
            s.vault.send("approve", s.zap, MAX, sender=person)
        for token in (*s.tokens, s.cash):
            for spender in (world.router, s.aave.pool):
                token.send("approve", spender, MAX, sender=s.mallory)
        return save(s, folder / f"{kind}.json")
