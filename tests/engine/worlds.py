"""A deployed system saved once, and brought to life on either engine as often as one likes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from equipoise.client.deployment import Deployment
from equipoise.world import World
from equipoise.world.anvil import Anvil
from tests.engine.revm import RevmChain
from tests.engine.tape import Tape
from tests.fixtures.levered import Levered

__all__ = ["Saved", "on_anvil", "on_revm", "save"]


@dataclass(frozen=True)
class Saved:
    """The file of a world, and the system that was deployed in it, whose own chain may be gone.

    `chain_id` is what signatures bind; `accounts` are those that the chain gave money.
    """

    path: Path
    system: Levered
    chain_id: int
    accounts: tuple[str, ...]
    deployment: dict[str, Any]

    def at(self, world: World) -> Levered:
        """The system with handles to another chain."""
        symbols = self.deployment["symbols"]
        return replace(
            self.system,
            chain=world.chain,
            contracts=Deployment.at(world.chain, self.deployment),
            tokens=[world.tokens[symbol] for symbol in symbols],
            cash=world.usdc,
            feeds=[world.feeds[symbol] for symbol in symbols],
            cash_feed=world.feeds["USDC"],
            world=world,
        )


class _InProcess:
    """Where `World` expects its node; nothing runs."""

    pid = 0

    def __init__(self, chain: Any) -> None:
        self.chain = chain

    def close(self) -> None:
        """There is nothing to end."""


def save(system: Levered, path: Path) -> Saved:
    """Write the system's world to `path`."""
    assert system.world
    accounts = tuple(system.world.accounts)
    deployment = system.contracts.to_json()
    return Saved(system.world.dump(path), system, system.chain.chain_id, accounts, deployment)


def on_revm(saved: Saved) -> Levered:
    """The system in this process. Its `chain` is a `Tape`."""
    data = json.loads(saved.path.read_text())
    node: Any = _InProcess(Tape(RevmChain(data["state"], saved.accounts, saved.chain_id)))
    return saved.at(World(node, data["manifest"]))


@contextmanager
def on_anvil(saved: Saved) -> Iterator[Levered]:
    """The system on an anvil of its own. Its `chain` is a `Tape`."""
    data = json.loads(saved.path.read_text())
    anvil: Any = Anvil(int(data["timestamp"]), int(data["accounts"]))
    try:
        anvil.chain.request("anvil_loadState", data["state"])
        anvil.chain = Tape(anvil.chain)
        yield saved.at(World(anvil, data["manifest"]))
    finally:
        anvil.close()
