"""What a chain was told and what it answered, so that two engines can be compared word for word."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from equipoise.client.chain import Receipt, RevertedCall

__all__ = ["Entry", "Tape"]


@dataclass(frozen=True)
class Entry:
    """One transaction: sender, target and data, its time, and its logs or what it reverted with."""

    sender: str
    to: str | None
    data: bytes = field(repr=False)
    value: int
    timestamp: int
    logs: tuple[Any, ...]
    reverted: str | None


class Tape:
    """A chain, and a list of every transaction that went through it; all else is the chain's own.

    Attributes
    ----------
    entries
        `Entry` of each transaction since the tape began, in order.
    """

    def __init__(self, chain: Any) -> None:
        self._chain = chain
        self.entries: list[Entry] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._chain, name)

    def send(
        self, sender: str, to: str | None, data: bytes, value: int = 0, gas: int | None = None
    ) -> Receipt:
        what = sender.lower(), to.lower() if to else None, data, value
        try:
            receipt: Receipt = self._chain.send(sender, to, data, value, gas)
        except RevertedCall as reverted:
            # an engine's words for a halt are its own; that it halted is not
            self.entries.append(Entry(*what, self._chain.timestamp(), (), reverted.data.hex()))
            raise
        logs = tuple((log["address"].lower(), *log["topics"], log["data"]) for log in receipt.logs)
        self.entries.append(Entry(*what, receipt.timestamp, logs, None))
        return receipt
