"""A chain whose node holds no keys: transactions are signed here, and may be sent again and again."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, Protocol

from eth_utils import to_checksum_address

from equipoise.client.chain import NotMined, Receipt, RevertedCall, RpcError
from equipoise.client.rpc import TIMEOUT_SECONDS, RpcChain
from equipoise.errors import InputError

__all__ = ["GAS_MARGIN", "Fees", "SigningChain", "TransactionKey"]

GAS_MARGIN = 1.3
"""Gas limit over the node's estimate."""

_DEFAULT_TIP = 10**9
_SEEN = ("already known", "already imported", "known transaction", "nonce too low")


@dataclass(frozen=True)
class Fees:
    """EIP-1559 {wei per gas}: what the last block asked, and what is offered to who mines."""

    base: int
    tip: int

    @property
    def limit(self) -> int:
        """Enough for six full blocks in a row."""
        return 2 * self.base + self.tip


class TransactionKey(Protocol):
    """A key that signs transactions."""

    @property
    def address(self) -> str: ...

    def sign_transaction(self, transaction: dict[str, object]) -> tuple[bytes, str]:
        """Raw bytes and hash."""
        ...


class SigningChain(RpcChain):
    """An `RpcChain` with one sender, whose key is here and not at the node.

    `prepare` and `broadcast` are apart, so that a caller can write down what it is about to send: the same
    bytes sent twice are one transaction.
    """

    def __init__(self, endpoint: str, key: TransactionKey, timeout: float = TIMEOUT_SECONDS) -> None:
        super().__init__(endpoint, gas_price=None, timeout=timeout)
        self._key = key
        self.sender = key.address

    def nonce(self, block: str = "latest") -> int:
        """Transactions of the sender that are mined (or, with "pending", sent)."""
        return int(self.request("eth_getTransactionCount", self.sender, block), 16)

    def fees(self) -> Fees:
        """As the node suggests now."""
        latest = self.request("eth_getBlockByNumber", "latest", False)
        return Fees(int(latest.get("baseFeePerGas", "0x0"), 16), self._tip())

    def estimate(self, to: str | None, data: bytes, value: int = 0) -> int:
        """Gas limit that suffices now, with a margin. Raises RevertedCall when it would revert."""
        return int(int(self.request("eth_estimateGas", self._simulate(to, data, value)), 16) * GAS_MARGIN)

    def _simulate(self, to: str | None, data: bytes, value: int) -> dict[str, str]:
        call = {"from": self.sender, "data": "0x" + data.hex(), "value": hex(value)} | (
            {"to": to} if to else {}
        )
        self.request("eth_call", call, "latest")
        return call

    def prepare(
        self,
        to: str | None,
        data: bytes,
        nonce: int,
        value: int = 0,
        gas: int | None = None,
        fees: Fees | None = None,
    ) -> tuple[bytes, str]:
        """A signed EIP-1559 transaction: raw bytes and hash. Raises RevertedCall when it would revert now."""
        if gas is None:
            gas = self.estimate(to, data, value)
        else:
            self._simulate(to, data, value)
        offered = fees or self.fees()
        transaction: dict[str, object] = {
            "type": 2,
            "chainId": self.chain_id,
            "nonce": nonce,
            "maxPriorityFeePerGas": offered.tip,
            "maxFeePerGas": offered.limit,
            "gas": gas,
            "value": value,
            "data": data,
            **({"to": to_checksum_address(to)} if to else {}),
        }
        return self._key.sign_transaction(transaction)

    def broadcast(self, raw: bytes) -> None:
        """Hand a transaction to the node; harmless when it has it already. Raises RpcError."""
        try:
            self.request("eth_sendRawTransaction", "0x" + raw.hex())
        except RpcError as error:
            if not any(words in str(error).lower() for words in _SEEN):
                raise

    def receipt(self, transaction_hash: str) -> tuple[bool, Receipt] | None:
        """(succeeded, receipt) of a mined transaction, None while it is not."""
        mined: dict[str, Any] | None = self.request("eth_getTransactionReceipt", transaction_hash)
        if mined is None:
            return None
        created = mined.get("contractAddress")
        receipt = Receipt(
            hash=mined["transactionHash"],
            block_number=int(mined["blockNumber"], 16),
            gas_used=int(mined["gasUsed"], 16),
            contract_address=to_checksum_address(created) if created else None,
            logs=mined["logs"],
            timestamp=self._block_time(mined),
            gas_price=int(mined.get("effectiveGasPrice", "0x0"), 16),
        )
        return int(mined["status"], 16) == 1, receipt

    def wait(self, transaction_hash: str, timeout: float = TIMEOUT_SECONDS) -> tuple[bool, Receipt]:
        """The same, once it is mined. Raises NotMined after the timeout {s}."""
        deadline, pause = time.monotonic() + timeout, 0.005
        while (found := self.receipt(transaction_hash)) is None:
            if time.monotonic() > deadline:
                raise NotMined(f"{transaction_hash} was not mined within {timeout:.0f} s")
            time.sleep(pause)
            pause = min(2 * pause, 1.0)
        return found

    def send(
        self, sender: str, to: str | None, data: bytes, value: int = 0, gas: int | None = None
    ) -> Receipt:
        """Sign, send and wait. Raises RevertedCall, InputError for another sender."""
        if to_checksum_address(sender) != self.sender:
            raise InputError(f"{sender} cannot send here; the only key is that of {self.sender}")
        raw, transaction_hash = self.prepare(to, data, self.nonce("pending"), value, gas)
        self.broadcast(raw)
        succeeded, receipt = self.wait(transaction_hash)
        if not succeeded:
            raise RevertedCall(b"", f"{transaction_hash} reverted in block {receipt.block_number}")
        return receipt

    def _tip(self) -> int:
        try:
            return int(self.request("eth_maxPriorityFeePerGas"), 16)
        except RpcError:
            return _DEFAULT_TIP
