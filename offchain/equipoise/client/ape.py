"""The same client over ape: any network that ape knows, signed by ape's own accounts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from eth_utils import to_checksum_address

from equipoise.client.chain import Receipt, RevertedCall, RpcError
from equipoise.client.rpc import logs_filter
from equipoise.errors import InputError

if TYPE_CHECKING:
    from ape.api import AccountAPI, ProviderAPI

__all__ = ["ApeChain"]


class ApeChain:
    """A `Chain` behind an ape provider; senders are ape accounts, so keys stay in ape's keystore.

    Parameters
    ----------
    provider
        A connected provider with web3 behind it (foundry, node, alchemy, ...).
    accounts
        Accounts that may send.
    """

    def __init__(self, provider: ProviderAPI, accounts: Iterable[AccountAPI] = ()) -> None:
        self._provider: Any = provider
        self._accounts = {str(account.address): account for account in accounts}

    @property
    def chain_id(self) -> int:
        # ape's own idea of a local chain's id depends on how it was joined
        return int(self._request("eth_chainId"), 16)

    def call(self, to: str, data: bytes, sender: str | None = None, block: int | str = "latest") -> bytes:
        transaction = {"to": to, "data": "0x" + data.hex()} | ({"from": sender} if sender else {})
        return bytes.fromhex(self._request("eth_call", transaction, _block(block))[2:])

    def send(
        self, sender: str, to: str | None, data: bytes, value: int = 0, gas: int | None = None
    ) -> Receipt:
        """Sign with ape's account, send, wait for ape's number of confirmations. Raises RevertedCall."""
        account = self._accounts.get(to_checksum_address(sender))
        if account is None:
            raise InputError(f"{sender} is not one of the ape accounts {sorted(self._accounts)}")
        # simulated first: a transaction that would revert is never paid for, and its reason is known
        simulated = {"from": sender, "data": "0x" + data.hex(), "value": hex(value)} | (
            {"to": to} if to else {}
        )
        self._request("eth_call", simulated, "latest")
        fields: dict[str, Any] = {"sender": sender, "data": data, "value": value}
        fields |= {"receiver": to} if to else {}
        fields |= {"gas_limit": gas} if gas else {}
        mined = account.call(self._provider.network.ecosystem.create_transaction(**fields))
        return Receipt(
            hash=str(mined.txn_hash),
            block_number=int(mined.block_number),
            gas_used=int(mined.gas_used),
            contract_address=str(mined.contract_address) if mined.contract_address and not to else None,
            logs=[_log(log) for log in mined.logs],
            timestamp=int(mined.timestamp) // (1000 if mined.timestamp > 10**11 else 1),
        )

    def timestamp(self) -> int:
        return int(self._request("eth_getBlockByNumber", "latest", False)["timestamp"], 16)

    def height(self) -> int:
        return int(self._request("eth_blockNumber"), 16)

    def code(self, address: str) -> bytes:
        return bytes.fromhex(self._request("eth_getCode", address, "latest")[2:])

    def logs(
        self, address: str, topics: Sequence[str], since: int = 0, until: int | str = "latest"
    ) -> list[dict[str, Any]]:
        return [_log(log) for log in self._request("eth_getLogs", logs_filter(address, topics, since, until))]

    def _request(self, method: str, *params: Any) -> Any:
        answer = self._provider.web3.provider.make_request(method, list(params))
        error = answer.get("error")
        if error is None:
            result = answer["result"]
            return result if isinstance(result, str | list | type(None)) else _hexes(result)
        data = error.get("data") if isinstance(error, dict) else None
        message = error.get("message", "") if isinstance(error, dict) else str(error)
        if isinstance(data, str) and data.startswith("0x"):
            raise RevertedCall(bytes.fromhex(data[2:]))
        if "revert" in message.lower():
            raise RevertedCall(b"", message)
        raise RpcError(f"{method}: {message}")


def _block(block: int | str) -> str:
    return hex(block) if isinstance(block, int) else block


def _hexes(result: Any) -> dict[str, Any]:
    """web3's middlewares may have turned hexadecimal numbers into ints: turn the time back."""
    values = dict(result)
    if isinstance(values.get("timestamp"), int):
        values["timestamp"] = hex(values["timestamp"])
    return values


def _log(log: Any) -> dict[str, Any]:
    """A log as JSON-RPC has it."""
    values = dict(log)
    hexed = {key: values[key] for key in ("address", "data") if key in values}
    hexed["topics"] = list(values["topics"])
    return {key: _hex(value) for key, value in hexed.items()}


def _hex(value: Any) -> Any:
    if isinstance(value, list):
        return [_hex(item) for item in value]
    if isinstance(value, bytes | bytearray):
        return "0x" + bytes(value).hex()
    return str(value)
