"""A node behind HTTP that hangs, drops or answers nonsense: one request fails, the next works."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from equipoise.client.chain import RevertedCall, RpcError
from equipoise.client.rpc import RpcChain

MISCHIEF: list[str] = []
LATE = {"code": -32602, "message": "BlockOutOfRangeError: block height is 8 but requested was 7"}

TORN = {"code": 3, "message": "execution reverted", "data": "0x4e487b71" + f"{17:064x}"}


def answer(request: Any, how: str) -> Any:
    """To one request, or to a batch of which the last may be late."""
    if isinstance(request, list):
        return [answer(one, how if one is request[-1] else "") for one in request]
    said = {"late": {"error": LATE}, "torn": {"error": TORN}}.get(how, {"result": "0x7a69"})
    return {"id": request["id"], **said}


class Node(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        how = MISCHIEF.pop() if MISCHIEF else ""
        if how == "hang":
            time.sleep(1.0)
        if how == "drop":
            self.close_connection = True
            return
        body = b"<html>" if how == "nonsense" else json.dumps(answer(request, how)).encode()
        self.send_response(502 if how == "nonsense" else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def url() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Node)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


@pytest.mark.parametrize("how", ["hang", "drop", "nonsense"])
def test_request__after_a_failure__works_again(url: str, how: str) -> None:
    """EQ-185: half an exchange does not spoil the connection for ever."""
    chain = RpcChain(url, timeout=0.3)
    assert chain.chain_id == 31337
    MISCHIEF.append(how)
    with pytest.raises(RpcError, match="did not answer"):
        chain.request("eth_chainId")
    assert chain.request("eth_chainId") == "0x7a69"


def test_call__node_mined_in_between__is_asked_again(url: str) -> None:
    """Of the latest block only, and not for ever."""
    chain, to = RpcChain(url), "0x" + "11" * 20
    MISCHIEF.extend(["late"] * 2)
    assert chain.call(to, b"").hex() == "7a69"
    MISCHIEF.append("late")
    with pytest.raises(RpcError, match="BlockOutOfRange"):
        chain.call(to, b"", block=7)
    MISCHIEF.extend(["late"] * 21)
    with pytest.raises(RpcError, match="BlockOutOfRange"):
        chain.call(to, b"")
    assert MISCHIEF == []


def test_call_many__node_mined_in_between__the_whole_batch_is_asked_again(url: str) -> None:
    """Its answers are of one block."""
    chain, calls = RpcChain(url), [("0x" + "11" * 20, b"")] * 3
    MISCHIEF.extend(["late"] * 2)
    assert [data.hex() for data in chain.call_many(calls)] == ["7a69"] * 3
    assert MISCHIEF == []
    MISCHIEF.append("late")
    with pytest.raises(RpcError, match="BlockOutOfRange"):
        chain.call_many(calls, block=7)


@pytest.mark.parametrize("many", [False, True])
def test_call__reverted__is_asked_once_more(url: str, many: bool) -> None:
    """A read between two blocks may revert; one that reverts twice does, and one of a past block at once."""
    chain, to = RpcChain(url), "0x" + "11" * 20

    def read(block: int | str = "latest") -> str:
        return (chain.call_many([(to, b"")], block)[0] if many else chain.call(to, b"", block=block)).hex()

    MISCHIEF.append("torn")
    assert read() == "7a69"
    MISCHIEF.extend(["torn"] * 2)
    with pytest.raises(RevertedCall):
        read()
    MISCHIEF.append("torn")
    with pytest.raises(RevertedCall):
        read(block=7)
    assert MISCHIEF == []
