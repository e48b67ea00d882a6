"""The world: a local chain of real protocols for tests, the demo and stress studies; needs no public RPC."""

from equipoise.world.assets import CASH, DEFAULT_ASSETS, POOL_FEES, AssetSpec
from equipoise.world.world import World

__all__ = ["CASH", "DEFAULT_ASSETS", "POOL_FEES", "AssetSpec", "World"]
