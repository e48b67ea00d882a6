"""A node behind a socket that is late, ends or answers another: one request fails, the next is right."""

from __future__ import annotations

import json
import socketserver
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from equipoise.client.chain import RpcError
from equipoise.client.rpc import RpcChain

HEIGHT, BALANCE = 187, 204
RESULTS = {"eth_blockNumber": hex(HEIGHT), "eth_getBalance": hex(BALANCE)}
OF_ALL = {"jsonrpc": "2.0", "id": None, "error": {"code": -32600, "message": "batches are not allowed"}}


class Node(socketserver.StreamRequestHandler):
    """Answers each line; `mischief` is done to the next one."""

    mischief: str = ""

    def handle(self) -> None:
        for line in self.rfile:
            how, Node.mischief = Node.mischief, ""
            if how == "late":
                time.sleep(0.4)
            if how == "drop":
                return
            try:
                self.wfile.write(json.dumps(self._answer(json.loads(line), how)).encode() + b"\n")
            except OSError:
                return

    def _answer(self, request: Any, how: str) -> Any:
        if how == "refused":
            return OF_ALL
        if isinstance(request, list):
            return [self._answer(one, how if one is request[0] else "") for one in reversed(request)]
        number = [] if how == "no number" else request["id"] - (how == "another's")
        return {"id": number, "result": RESULTS[request["method"]]}


class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True


@pytest.fixture
def path(tmp_path: Path) -> Iterator[str]:
    address = str(tmp_path / "node.ipc")
    with Server(address, Node) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield address
        server.shutdown()


@pytest.mark.parametrize("how", ["late", "drop", "another's", "no number"])
@pytest.mark.parametrize("many", [False, True])
def test_request__after_a_failure__the_next_answers_are_its_own(path: str, how: str, many: bool) -> None:
    """EQ-185: neither is the connection lost for ever, nor does a late answer pass for the next one's."""
    chain = RpcChain(path, timeout=0.2)
    assert (chain.height(), chain.balance("0x0")) == (HEIGHT, BALANCE)
    Node.mischief = how
    with pytest.raises(RpcError, match="did not answer"):
        chain.request_many([("eth_blockNumber", ()), ("eth_getBalance", ())]) if many else chain.height()
    for _ in range(3):
        time.sleep(0.2)  # the late answer comes
        assert (chain.balance("0x0"), chain.height()) == (BALANCE, HEIGHT)


def test_request__node_is_away_for_a_while__works_when_it_is_back(path: str, tmp_path: Path) -> None:
    """EQ-185"""
    chain, socket, away = RpcChain(path), Path(path), tmp_path / "away"
    socket.rename(away)
    Node.mischief = "drop"
    for _ in range(2):
        with pytest.raises(RpcError, match="did not answer"):
            chain.height()
    away.rename(socket)
    assert chain.height() == HEIGHT


def test_request_many__in_another_order__is_put_in_its_own(path: str) -> None:
    chain = RpcChain(path)
    requests = [("eth_getBalance", ()), ("eth_blockNumber", ()), ("eth_getBalance", ())]
    assert chain.request_many(requests) == [hex(BALANCE), hex(HEIGHT), hex(BALANCE)]


@pytest.mark.parametrize("many", [False, True])
def test_request__refused_without_a_number__tells_the_nodes_words(path: str, many: bool) -> None:
    chain = RpcChain(path)
    Node.mischief = "refused"
    with pytest.raises(RpcError, match="batches are not allowed"):
        chain.request_many([("eth_blockNumber", ())]) if many else chain.height()
    assert chain.height() == HEIGHT
