"""A proposal before it is made: what it calls, and what it says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from equipoise.client.contract import Contract
from equipoise.errors import InputError

__all__ = ["Call", "Draft"]


@dataclass(frozen=True)
class Call:
    """One call that the timelock is to make."""

    target: Contract
    function: str
    args: tuple[Any, ...]

    @property
    def data(self) -> bytes:
        """Raises InputError when the arguments do not fit."""
        return self.target.encode(self.function, *self.args)


@dataclass(frozen=True)
class Draft:
    """Calls in their order, a title of one line, and a text for the voters."""

    title: str
    calls: tuple[Call, ...]
    text: str = ""

    def __post_init__(self) -> None:
        if not self.calls:
            raise InputError(
                f"{self.title!r} changes nothing: name a value that differs from the present one"
            )

    @property
    def arguments(self) -> tuple[Sequence[str], Sequence[int], Sequence[bytes]]:
        """Targets, values and call data, as the governor takes them."""
        targets = [call.target.address for call in self.calls]
        return targets, [0] * len(targets), [call.data for call in self.calls]

    def description(self, proposer: str, timestamp: int) -> str:
        """What stands on chain. The time keeps two proposals of one change apart; the last words, which
        OpenZeppelin's governor understands, keep others from proposing it first and then cancelling it.
        """
        made = datetime.fromtimestamp(timestamp, UTC).isoformat(timespec="seconds")
        parts = [self.title, self.text, f"Drafted {made}"]
        return "\n\n".join(part for part in parts if part) + f"\n\n#proposer={proposer.lower()}"
