"""What the rest of the project asks of a chain. Anything that offers it will do: anvil, a fork, a testnet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from equipoise.errors import EquipoiseError

__all__ = ["Chain", "NotMined", "Receipt", "RevertedCall", "RpcError"]


class RevertedCall(EquipoiseError):
    """A call or transaction reverted with `data`. `Contract` turns it into a named `ContractRevert`."""

    def __init__(self, data: bytes, message: str = "") -> None:
        self.data = data
        self.message = message
        super().__init__(f"execution reverted: 0x{data.hex()}" + (f" ({message})" if message else ""))


class RpcError(EquipoiseError):
    """The node refused a request, or did not answer."""

    def __init__(self, message: str, code: int = 0) -> None:
        self.code = code
        super().__init__(message)


class NotMined(RpcError):
    """A transaction is on its way and was not mined in the time given."""


@dataclass(frozen=True)
class Receipt:
    """A mined transaction that did not revert.

    `gas_used` in gas, `timestamp` in seconds since 1970 of its block; `logs` as JSON-RPC gives them (see
    `Contract.events`); `contract_address` checksummed, None unless a contract was created; `gas_price` {wei}
    paid per gas, 0 where the chain behind it does not tell.
    """

    hash: str
    block_number: int
    gas_used: int
    contract_address: str | None
    logs: list[dict[str, Any]] = field(repr=False)
    timestamp: int
    gas_price: int = 0

    @property
    def fee(self) -> int:
        """What it cost {wei}."""
        return self.gas_used * self.gas_price


class Chain(Protocol):
    """A place where calls are answered and transactions are mined, one after another."""

    @property
    def chain_id(self) -> int: ...

    def request(self, method: str, *params: Any) -> Any:
        """Result of one JSON-RPC request. Raises RevertedCall or RpcError."""
        ...

    def call(self, to: str, data: bytes, sender: str | None = None, block: int | str = "latest") -> bytes:
        """Answer of a call that changes nothing. Raises RevertedCall."""
        ...

    def send(
        self, sender: str, to: str | None, data: bytes, value: int = 0, gas: int | None = None
    ) -> Receipt:
        """Mine a transaction from an unlocked account; `to` None creates a contract. Raises RevertedCall."""
        ...

    def timestamp(self) -> int:
        """Seconds since 1970 of the latest block."""
        ...

    def height(self) -> int:
        """Number of the latest block."""
        ...

    def code(self, address: str) -> bytes:
        """Deployed code, empty where there is none."""
        ...

    def logs(
        self, address: str, topics: Sequence[str], since: int = 0, until: int | str = "latest"
    ) -> list[dict[str, Any]]:
        """Logs of one contract whose first topic is one of `topics`, oldest first. Raises RpcError."""
        ...
