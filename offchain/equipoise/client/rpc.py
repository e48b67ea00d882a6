"""JSON-RPC over one IPC socket or one HTTP connection, at the speed of the node."""

from __future__ import annotations

import http.client
import json
import socket
import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar
from urllib.parse import urlsplit

from eth_utils import to_checksum_address

from equipoise.client.chain import Receipt, RevertedCall, RpcError
from equipoise.errors import InputError

__all__ = ["RpcChain", "logs_filter"]

DEFAULT_GAS = 8_000_000
DEFAULT_CREATION_GAS = 16_000_000
TIMEOUT_SECONDS = 120.0
_REVERTED = 3  # JSON-RPC code of a reverted eth_call
_HALTED = "EVM error"  # anvil's words for running out of gas, an invalid opcode, ...
_UNCONFIRMED = "confirmation timeout"
_MOVED_ON = "BlockOutOfRange"
_LATE_READS = 20
_UNKNOWN_METHOD = (-32601, -32602)

Answer = TypeVar("Answer")


class _Transport(Protocol):
    def exchange(self, request: bytes) -> bytes:
        """Connects first where it is not connected."""
        ...

    def close(self) -> None: ...


class _Ipc:
    """One Unix socket; anvil and geth end every answer with a newline."""

    def __init__(self, path: str, timeout: float) -> None:
        self._path, self._timeout = path, timeout
        self._socket: socket.socket | None = self._connected()

    def _connected(self) -> socket.socket:
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(self._timeout)
        try:
            connection.connect(self._path)
        except OSError:
            connection.close()
            raise
        return connection

    def exchange(self, request: bytes) -> bytes:
        if self._socket is None:
            self._socket = self._connected()
        self._socket.sendall(request + b"\n")
        parts = []
        while True:
            part = self._socket.recv(1 << 20)
            if not part:
                raise ConnectionError("the node closed the connection")
            parts.append(part)
            if part.endswith(b"\n"):
                return b"".join(parts)

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None


class _Http:
    """One kept-alive connection, without Nagle's delay between a request's header and body."""

    def __init__(self, url: str, timeout: float) -> None:
        parts = urlsplit(url)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self._connection = kind(parts.netloc, timeout=timeout)
        self._path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._connect()

    def _connect(self) -> None:
        self._connection.connect()
        self._connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def exchange(self, request: bytes) -> bytes:
        if self._connection.sock is None:  # the server ended a kept-alive connection
            self._connect()
        self._connection.request("POST", self._path, request, {"Content-Type": "application/json"})
        return self._connection.getresponse().read()

    def close(self) -> None:
        self._connection.close()


class RpcChain:
    """A `Chain` behind a node that holds the senders' keys (anvil, a development node).

    Parameters
    ----------
    endpoint
        Path of an IPC socket, or an http(s) URL.
    gas_price
        Wei per gas of every transaction; None lets the node choose. The local world runs at 0.
    timeout
        Seconds to wait for an answer.

    Raises
    ------
    RpcError
        Nothing listens there.

    Not for several threads at once: requests and answers alternate on one connection.
    """

    def __init__(self, endpoint: str, gas_price: int | None = 0, timeout: float = TIMEOUT_SECONDS) -> None:
        self.endpoint = str(endpoint)
        self._gas_price = gas_price
        self._chain_id: int | None = None
        self._sends_at_once = True
        self._id = 0
        try:
            is_url = self.endpoint.startswith(("http://", "https://"))
            self._transport: _Transport = (_Http if is_url else _Ipc)(self.endpoint, timeout)
        except OSError as error:
            raise RpcError(
                f"no node at {self.endpoint}: {error}; start one or correct the endpoint"
            ) from error

    def close(self) -> None:
        self._transport.close()

    # --- JSON-RPC

    def request(self, method: str, *params: Any) -> Any:
        """Result of one request. Raises RevertedCall or RpcError."""
        return self._again_if_late([params], lambda: self._request(method, params))

    def _request(self, method: str, params: Sequence[Any]) -> Any:
        self._id += 1
        request = {"jsonrpc": "2.0", "id": self._id, "method": method, "params": params}
        (answer,) = self._exchange(request)
        return _result(method, answer)

    def request_many(self, requests: Sequence[tuple[str, Sequence[Any]]]) -> list[Any]:
        """Results of a batch in its order. The node may run it concurrently: for reads, not for sends."""
        if not requests:
            return []
        return self._again_if_late([params for _, params in requests], lambda: self._request_many(requests))

    def _request_many(self, requests: Sequence[tuple[str, Sequence[Any]]]) -> list[Any]:
        first = self._id + 1
        self._id += len(requests)
        batch = [
            {"jsonrpc": "2.0", "id": first + i, "method": method, "params": params}
            for i, (method, params) in enumerate(requests)
        ]
        answers = self._exchange(batch)
        return [_result(method, answer) for (method, _), answer in zip(requests, answers, strict=True)]

    def _again_if_late(self, params: Sequence[Sequence[Any]], read: Callable[[], Answer]) -> Answer:
        """A node may mine while it reads "latest": it is asked again, after a revert once.

        Without history it loses the block that it chose; and anvil then reads the new block's storage at the
        old block's time, so that `block.timestamp - updatedAt` reverts.
        """
        if not any("latest" in some for some in params):
            return read()
        for _ in range(_LATE_READS):
            try:
                return read()
            except RevertedCall:
                break
            except RpcError as error:
                if _MOVED_ON not in str(error):
                    raise
        return read()

    def _exchange(self, message: Any) -> list[Any]:
        """The answers to one request or to a batch, in its order."""
        try:
            told = json.loads(self._transport.exchange(json.dumps(message).encode()))
            return _answers(message if isinstance(message, list) else [message], told)
        except (OSError, http.client.HTTPException, ValueError, TypeError) as error:
            self._transport.close()  # half an exchange: the next begins on a new connection
            raise RpcError(f"{self.endpoint} did not answer: {error or type(error).__name__}") from error

    # --- Chain

    @property
    def chain_id(self) -> int:
        if self._chain_id is None:
            self._chain_id = int(self.request("eth_chainId"), 16)
        return self._chain_id

    def call(self, to: str, data: bytes, sender: str | None = None, block: int | str = "latest") -> bytes:
        return _bytes(self.request(*_call(to, data, sender, block)))

    def call_many(self, calls: Sequence[tuple[str, bytes]], block: int | str = "latest") -> list[bytes]:
        """Answers of several calls `(to, data)` at one block, in one exchange."""
        requests = [_call(to, data, None, block) for to, data in calls]
        return [_bytes(answer) for answer in self.request_many([(m, params) for m, *params in requests])]

    def send(
        self, sender: str, to: str | None, data: bytes, value: int = 0, gas: int | None = None
    ) -> Receipt:
        """Mine one transaction. The gas limit is explicit (8M, a creation 16M): estimates can be too low."""
        if value < 0:
            raise InputError(f"value is {value} wei; it must be at least 0")
        limit = gas if gas is not None else (DEFAULT_GAS if to else DEFAULT_CREATION_GAS)
        transaction = {"from": sender, "data": "0x" + data.hex(), "gas": hex(limit)}
        if to:
            transaction["to"] = to
        if value:
            transaction["value"] = hex(value)
        if self._gas_price is not None:
            transaction["gasPrice"] = hex(self._gas_price)
        mined = self._mine(transaction)
        if int(mined["status"], 16) != 1:
            self._raise_reason(transaction, mined)
        created = mined.get("contractAddress")
        return Receipt(
            hash=mined["transactionHash"],
            block_number=int(mined["blockNumber"], 16),
            gas_used=int(mined["gasUsed"], 16),
            contract_address=to_checksum_address(created) if created and not to else None,
            logs=mined["logs"],
            timestamp=self._block_time(mined),
        )

    def timestamp(self) -> int:
        return int(self.request("eth_getBlockByNumber", "latest", False)["timestamp"], 16)

    def height(self) -> int:
        return int(self.request("eth_blockNumber"), 16)

    def code(self, address: str) -> bytes:
        return _bytes(self.request("eth_getCode", address, "latest"))

    def logs(
        self, address: str, topics: Sequence[str], since: int = 0, until: int | str = "latest"
    ) -> list[dict[str, Any]]:
        return list(self.request("eth_getLogs", logs_filter(address, topics, since, until)))

    def balance(self, address: str) -> int:
        """Wei held by an account."""
        return int(self.request("eth_getBalance", address, "latest"), 16)

    # --- sending

    def _mine(self, transaction: dict[str, str]) -> dict[str, Any]:
        if self._sends_at_once:
            try:
                return dict(self.request("eth_sendTransactionSync", transaction))
            except RpcError as error:
                if _UNCONFIRMED in str(error):
                    return self._found(transaction)
                if error.code not in _UNKNOWN_METHOD or "Signer" in str(error):
                    raise
                self._sends_at_once = False  # not an anvil, or an old one
        return self._wait(self.request("eth_sendTransaction", transaction))

    def _found(self, transaction: dict[str, str]) -> dict[str, Any]:
        """A transaction that anvil took and did not confirm: rarely, after a snapshot's revert, its pool
        gives a nonce that is never mined. If the last block lacks it, it is sent again with the right one."""
        block = self.request("eth_getBlockByNumber", "latest", True)
        sender = transaction["from"].lower()
        for mined in block["transactions"]:
            if mined["from"].lower() == sender and mined["input"] == transaction["data"]:
                return self._wait(mined["hash"])
        self.request("anvil_dropAllTransactions")
        nonce = self.request("eth_getTransactionCount", sender, "latest")
        return self._wait(self.request("eth_sendTransaction", {**transaction, "nonce": nonce}))

    def _wait(self, transaction_hash: str) -> dict[str, Any]:
        deadline, pause = time.monotonic() + TIMEOUT_SECONDS, 0.001
        while (mined := self.request("eth_getTransactionReceipt", transaction_hash)) is None:
            if time.monotonic() > deadline:
                raise RpcError(f"{transaction_hash} was not mined within {TIMEOUT_SECONDS:.0f} s")
            time.sleep(pause)
            pause = min(2 * pause, 1.0)
        return dict(mined)

    def _block_time(self, mined: dict[str, Any]) -> int:
        time_of_block = mined.get("blockTimestamp")
        if time_of_block is None:
            block = self.request("eth_getBlockByNumber", mined["blockNumber"], False)
            time_of_block = block["timestamp"]
        return time_of_block if isinstance(time_of_block, int) else int(time_of_block, 16)

    def _raise_reason(self, transaction: dict[str, str], mined: dict[str, Any]) -> None:
        """A failed transaction leaves its state unchanged: the same call in its block tells why."""
        words = "no reason given"
        try:
            self.request("eth_call", transaction, mined["blockNumber"])
        except RevertedCall as reverted:
            if reverted.data:
                raise
            words = reverted.message
        used, limit = int(mined["gasUsed"], 16), int(transaction["gas"], 16)
        raise RevertedCall(b"", f"{words}; {used} of {limit} gas used by {mined['transactionHash']}")


def _call(to: str, data: bytes, sender: str | None, block: int | str) -> tuple[str, dict[str, str], str]:
    transaction = {"to": to, "data": "0x" + data.hex()}
    if sender:
        transaction["from"] = sender
    return "eth_call", transaction, hex(block) if isinstance(block, int) else block


def logs_filter(address: str, topics: Sequence[str], since: int, until: int | str) -> dict[str, Any]:
    """The object that eth_getLogs takes."""
    last = hex(until) if isinstance(until, int) else until
    return {"address": address, "topics": [list(topics)], "fromBlock": hex(since), "toBlock": last}


def _bytes(value: str) -> bytes:
    return bytes.fromhex(value[2:])


def _answers(requests: Sequence[dict[str, Any]], told: Any) -> list[dict[str, Any]]:
    """In the order of the requests. Raises ValueError where one has none: what came was meant for another."""
    by_id = {
        one.get("id"): one for one in (told if isinstance(told, list) else [told]) if isinstance(one, dict)
    }
    refusal = by_id.get(None, {})
    if "error" in refusal:  # the node could not even read whose answer this is
        return [refusal] * len(requests)
    if missing := [request["id"] for request in requests if request["id"] not in by_id]:
        raise ValueError(f"nothing to request {missing[0]} in {str(told)[:200]}")
    return [by_id[request["id"]] for request in requests]


def _result(method: str, answer: dict[str, Any]) -> Any:
    error = answer.get("error")
    if error is None:
        return answer["result"]
    message, code, data = error.get("message", ""), error.get("code", 0), error.get("data")
    if code == _REVERTED or "revert" in message.lower() or message.startswith(_HALTED):
        is_data = isinstance(data, str) and data.startswith("0x")
        raise RevertedCall(_bytes(data) if is_data else b"", "" if is_data else message)
    raise RpcError(f"{method}: {message} (code {code})", code)
