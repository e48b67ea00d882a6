"""Events over nodes that give only some blocks at a time, or none."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from equipoise.client import logs
from equipoise.client.chain import RpcError
from equipoise.client.logs import first_block, read_events
from tests.fixtures.system import System


class Limited:
    """A node that refuses more than so many blocks at a time; remembers how often it was asked."""

    def __init__(self, chain: Any, most: int, height: int) -> None:
        self._chain, self.most, self._height, self.asked = chain, most, height, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._chain, name)

    def height(self) -> int:
        return self._height

    def logs(self, address: str, topics: Sequence[str], since: int, until: int | str) -> Any:
        self.asked += 1
        last = self._height if isinstance(until, str) else until
        if last - since >= self.most:
            raise RpcError("query exceeds max block range")
        real = self._chain.height()
        return self._chain.logs(address, topics, since, min(last, real)) if since <= real else []


def _paused(system: System) -> None:
    system.guard.send("pauseIncreases", sender=system.guardian)
    system.guard.send("unpause", sender=system.owner)


def test_read_events__several_names__in_the_order_of_the_chain(system: System) -> None:
    _paused(system)
    names = [
        (name, event.paused) for name, event in read_events(system.guard, "IncreasesPaused", "DepositsPaused")
    ]
    assert names == [("IncreasesPaused", True), ("IncreasesPaused", False), ("DepositsPaused", False)]
    last = read_events(system.guard, "IncreasesPaused", since=system.chain.height())
    assert [event.paused for _, event in last] == [False]


def test_read_events__a_node_with_limits__is_asked_in_parts_and_no_block_is_missed(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    since = system.chain.height() + 1  # a chain that others have used may be long
    for _ in range(12):
        system.guard.send("pauseIncreases", sender=system.guardian)
    node = Limited(system.chain, 4, system.chain.height())
    monkeypatch.setattr(system.guard, "chain", node)
    monkeypatch.setattr(logs, "_LEAST_BLOCKS", 1)
    assert len(read_events(system.guard, "IncreasesPaused", since=since)) == 12
    assert 3 < node.asked < 64


@pytest.mark.parametrize("most", [0, 100])
def test_read_events__a_node_that_gives_none__ends_soon(
    system: System, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    node = Limited(system.chain, most, 20_000_000)
    monkeypatch.setattr(system.guard, "chain", node)
    with pytest.raises(RpcError, match="max block range"):
        read_events(system.guard, "IncreasesPaused")
    assert node.asked <= 64


@pytest.mark.parametrize(
    ("record", "block"),
    [
        ('{"steps": [{"name": "b", "block": 7}, {"name": "a", "block": 5}, {"name": "c", "tx": null}]}', 5),
        ('{"chain_id": 1}', 0),
        ("[]", 0),
        ("no json", 0),
        (None, 0),
    ],
)
def test_first_block__of_a_record__is_the_earliest_noted(
    record: str | None, block: int, tmp_path: Path
) -> None:
    file = tmp_path / "1.json"
    if record is not None:
        file.write_text(record)
    assert first_block(file) == block
