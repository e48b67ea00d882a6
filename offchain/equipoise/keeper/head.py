"""Whether the node tells the truth about the head, as far as a clock and a memory can tell."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from equipoise.errors import EquipoiseError, InputError

__all__ = ["Head", "HeadConfig", "HeadError"]

_MOST_BLOCKS = 10
"""A second, of any chain; more than that since the last look is no head."""
_SURE_SECONDS = 600
"""After the highest block seen a lower number with a later time is the chain's: what was seen was a lie."""


class Node(Protocol):
    """What is asked about the head; an `RpcChain` is one."""

    @property
    def chain_id(self) -> int: ...

    def request(self, method: str, *params: Any) -> Any: ...


class HeadError(EquipoiseError):
    """The node's head cannot be true: nothing is done on it."""


@dataclass(frozen=True)
class HeadConfig:
    """`max_lag` and `max_lead` {s} of the latest block against this machine's clock; `max_reorg` {blocks}.

    `max_lag` 0 leaves the clock out: for a local chain with a time of its own.
    """

    max_lag: int = 300
    max_lead: int = 60
    max_reorg: int = 64

    def __post_init__(self) -> None:
        for name, value in self.__dict__.items():
            if not 0 <= value < 10**9:
                raise InputError(f"head: {name} is {value}; give 0 to 1e9")


class Head:
    """The latest block, compared with the highest one ever seen and with the clock.

    A number that cannot have been reached since is not believed, so it is not remembered either. One that was
    (there may be nothing to compare it with) bars the true ones for `_SURE_SECONDS` of the chain's time.

    Parameters
    ----------
    chain
        The node.
    clock
        This machine's {unix s}.
    seen
        Number and time of the highest block seen before, as after a restart.
    """

    def __init__(
        self,
        chain: Node,
        config: HeadConfig,
        clock: Callable[[], float],
        seen: tuple[int, int] = (0, 0),
    ) -> None:
        self._chain, self._config, self._clock = chain, config, clock
        self.chain_id = chain.chain_id
        self.number, self.timestamp = seen
        self.hash = ""
        """Of the latest block looked at."""

    def look(self) -> tuple[int, int]:
        """(number, time) of the latest block. Raises HeadError when nothing should be done on it."""
        config = self._config
        block = self._chain.request("eth_getBlockByNumber", "latest", False)
        number, timestamp = int(block["number"], 16), int(block["timestamp"], 16)
        told = int(self._chain.request("eth_chainId"), 16)
        if told != self.chain_id:
            raise HeadError(f"the node is of chain {told} now, it was of {self.chain_id}; correct `rpc`")
        elapsed = timestamp - self.timestamp
        lower = number < self.number - config.max_reorg
        if lower and elapsed <= _SURE_SECONDS:
            raise HeadError(
                f"the node's head went back from block {self.number} to {number}, more than max_reorg = "
                f"{config.max_reorg}; nothing is sent until it is {_SURE_SECONDS} s past that: use "
                "another node (or a new ledger for a new chain)"
            )
        if elapsed < 0 and number > self.number:
            raise HeadError(
                f"block {number} is of {timestamp}, before the {self.timestamp} of block {self.number}; "
                "nothing is sent: use another node"
            )
        if self.number and number > self.number + config.max_reorg + _MOST_BLOCKS * max(elapsed, 0):
            raise HeadError(
                f"the node's head went from block {self.number} to {number} in {elapsed} s, more than "
                f"{_MOST_BLOCKS} blocks a second; nothing is sent: use another node"
            )
        now = self._clock()
        if config.max_lag and timestamp < now - config.max_lag:
            raise HeadError(
                f"the latest block, {number}, is {now - timestamp:.0f} s old, more than max_lag = "
                f"{config.max_lag}; nothing is sent: the node lags, or this machine's clock is wrong"
            )
        if config.max_lag and timestamp > now + config.max_lead:
            raise HeadError(
                f"the latest block, {number}, is from {timestamp - now:.0f} s in the future, more than "
                f"max_lead = {config.max_lead}; nothing is sent: the node lies, or this clock is wrong"
            )
        if number >= self.number or lower:
            self.number, self.timestamp = number, timestamp
        self.hash = block["hash"]
        return number, timestamp
