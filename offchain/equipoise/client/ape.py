"""The same client over ape: any network that ape knows, signed by ape's own accounts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from eth_utils import to_checksum_address

from equipoise.client.chain import Receipt, RevertedCall, RpcError
from equipoise.client.rpc import logs_filter
from equipoise.errors import InputError

if TYPE_CHECKING:
    from ape.api import AccountAPI, ProviderAPI

__all__ = ["ApeChain", "endpoint_of", "unlock"]

_GO_ON = "nothing is lost: run the same command again"


def endpoint_of(provider: ProviderAPI) -> str:
    """HTTP endpoint behind a provider. Raises InputError when it has none."""
    url = getattr(provider, "http_uri", None) or getattr(provider, "uri", None)
    if not url:
        raise InputError(
            f"{provider.name} has no HTTP endpoint to fork: choose another provider in --network"
        )
    return str(url)


def unlock(account: AccountAPI) -> None:
    """Have ape ask for the passphrase of a key file once, and sign without asking again in this process.

    Raises InputError when the passphrase is wrong. Other kinds of accounts ask in their own way.
    """
    if hasattr(account, "set_autosign"):
        with _named_errors(str(account.address)):
            account.set_autosign(True)


@contextmanager
def _named_errors(sender: str) -> Iterator[None]:
    """What ape's accounts and providers raise, by what it means and how to go on."""
    from ape.exceptions import (
        AccountsError,
        APINotImplementedError,
        ContractLogicError,
        ProviderError,
        TransactionError,
    )
    from ape_accounts.accounts import InvalidPasswordError

    try:
        yield
    except InvalidPasswordError as error:
        raise InputError(f"wrong passphrase for {sender}; nothing was signed, and {_GO_ON}") from error
    except ContractLogicError as error:
        raise RevertedCall(b"", str(error)) from error
    except AccountsError as error:
        remedy = f"send it some, then go on: {_GO_ON}" if "balance" in str(error).lower() else _GO_ON
        raise InputError(f"{sender} did not send: {error} ({remedy})") from error
    except (TransactionError, ProviderError, APINotImplementedError) as error:
        if "insufficient funds" in str(error).lower():
            raise InputError(
                f"{sender} is out of funds: {error}; send it some, then go on: {_GO_ON}"
            ) from error
        raise RpcError(f"the node did not take a transaction of {sender}: {error}; {_GO_ON}") from error


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
        return int(self.request("eth_chainId"), 16)

    @property
    def endpoint(self) -> str:
        """Where the node listens. Raises InputError when ape does not tell."""
        return endpoint_of(self._provider)

    def call(self, to: str, data: bytes, sender: str | None = None, block: int | str = "latest") -> bytes:
        transaction = {"to": to, "data": "0x" + data.hex()} | ({"from": sender} if sender else {})
        return bytes.fromhex(self.request("eth_call", transaction, _block(block))[2:])

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
        self.request("eth_call", simulated, "latest")
        fields: dict[str, Any] = {"sender": sender, "data": data, "value": value}
        fields |= {"receiver": to} if to else {}
        fields |= {"gas_limit": gas} if gas else {}
        transaction = self._provider.network.ecosystem.create_transaction(**fields)
        with _named_errors(sender):
            mined = account.call(transaction)
        return Receipt(
            hash=str(mined.txn_hash),
            block_number=int(mined.block_number),
            gas_used=int(mined.gas_used),
            contract_address=str(mined.contract_address) if mined.contract_address and not to else None,
            logs=[_log(log) for log in mined.logs],
            timestamp=int(mined.timestamp) // (1000 if mined.timestamp > 10**11 else 1),
        )

    def timestamp(self) -> int:
        return int(self.request("eth_getBlockByNumber", "latest", False)["timestamp"], 16)

    def height(self) -> int:
        return int(self.request("eth_blockNumber"), 16)

    def code(self, address: str) -> bytes:
        return bytes.fromhex(self.request("eth_getCode", address, "latest")[2:])

    def logs(
        self, address: str, topics: Sequence[str], since: int = 0, until: int | str = "latest"
    ) -> list[dict[str, Any]]:
        return [_log(log) for log in self.request("eth_getLogs", logs_filter(address, topics, since, until))]

    def request(self, method: str, *params: Any) -> Any:
        """Result of one JSON-RPC request. Raises RevertedCall or RpcError."""
        answer = self._provider.web3.provider.make_request(method, list(params))
        error = answer.get("error")
        if error is None:
            return _plain(answer["result"])
        data = error.get("data") if isinstance(error, dict) else None
        message = error.get("message", "") if isinstance(error, dict) else str(error)
        if isinstance(data, str) and data.startswith("0x"):
            raise RevertedCall(bytes.fromhex(data[2:]))
        if "revert" in message.lower():
            raise RevertedCall(b"", message)
        raise RpcError(f"{method}: {message}")


def _block(block: int | str) -> str:
    return hex(block) if isinstance(block, int) else block


def _plain(result: Any) -> Any:
    """As JSON-RPC has it: web3's middlewares may have turned hexadecimal text into numbers and bytes."""
    if isinstance(result, Mapping):
        return {key: _plain(value) for key, value in result.items()}
    if isinstance(result, list | tuple):
        return [_plain(item) for item in result]
    if isinstance(result, bytes | bytearray):
        return "0x" + bytes(result).hex()
    return hex(result) if isinstance(result, int) and not isinstance(result, bool) else result


def _log(log: Any) -> dict[str, Any]:
    """A log as JSON-RPC has it."""
    return {key: _plain(log[key]) for key in ("address", "data", "topics") if key in log}
