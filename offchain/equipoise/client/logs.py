"""What a contract has told in its events, over nodes that give only some blocks at a time."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from equipoise.client.chain import RpcError
from equipoise.client.contract import Contract

__all__ = ["first_block", "read_events"]

_LEAST_BLOCKS = 1_000
_MOST_REQUESTS = 64


def first_block(record: Path) -> int:
    """Block of the first transaction that a deployment's record notes; 0 where it notes none."""
    try:
        steps = json.loads(record.read_text()).get("steps", ())
        return min((int(step["block"]) for step in steps if step.get("block")), default=0)
    except (OSError, ValueError, TypeError, AttributeError):
        return 0  # `Deployment.load` says what is wrong with it


def read_events(contract: Contract, *names: str, since: int = 0) -> list[tuple[str, Any]]:
    """(name, event) of those names, oldest first.

    Parameters
    ----------
    since
        First block to look at: that of the deployment, where it is known.

    Raises
    ------
    RpcError
        The node gives no logs, or would have to be asked more than 64 times.
    """
    events = {contract.interface.event(name).topic: name for name in names}
    asked = 0

    def read(first: int, last: int | str) -> list[dict[str, Any]]:
        nonlocal asked
        asked += 1
        try:
            return contract.chain.logs(contract.address, list(events), first, last)
        except RpcError:
            if asked >= _MOST_REQUESTS:
                raise
            end = contract.chain.height() if isinstance(last, str) else last
            if end - first < _LEAST_BLOCKS:
                raise
            middle = (first + end) // 2
            return read(first, middle) + read(middle + 1, end)

    found = []
    for log in read(since, "latest"):
        name = events[log["topics"][0]]
        found.append((name, contract.interface.event(name).decode(log)))
    return found
