"""The two systems that lives are lived in, built once on anvil: a vault that borrows, and one that cannot."""

from __future__ import annotations

from pathlib import Path

from equipoise.world import World
from tests.engine import Saved, save
from tests.fixtures.levered import ASSETS, FORTUNE_USD, build_levered
from tests.fixtures.system import MAX

__all__ = ["KINDS", "build"]

KINDS = ("levered", "unlevered")


def build(kind: str, folder: Path) -> Saved:
    """A system of that kind with reports posted and nothing deposited; everybody has approved what they use."""
    with World.build(ASSETS, lending=True) as world:
        s = build_levered(world, account=kind == "levered")
        people = (s.alice, s.bob, s.mallory)
        world.fund("USDC", s.treasury, FORTUNE_USD * 10**6)
        s.cash.send("approve", s.vault, MAX, sender=s.treasury)
        for person in people:
            s.vault.send("approve", s.zap, MAX, sender=person)
        for token in (*s.tokens, s.cash):
            for spender in (world.router, s.aave.pool):
                token.send("approve", spender, MAX, sender=s.mallory)
        return save(s, folder / f"{kind}.json")
