"""Whoever is asked over HTTP may answer what he likes, for as long as he likes: the others are heard."""

from __future__ import annotations

import gzip
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

import pytest

from equipoise.oracle.asking import Signers

TIMEOUT, PATIENCE = 1.0, 0.3
GOOD = json.dumps({"ok": 1}).encode()


@contextmanager
def served(behave: Callable[[socket.socket, bytes], None]) -> Iterator[str]:
    """A server of raw bytes on a port of its own: `behave(connection, request)`."""

    def handle(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            behave(connection, connection.recv(1 << 20))

    def accept() -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=handle, args=(listener.accept()[0],), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=accept, daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
        listener.shutdown(socket.SHUT_RDWR)


def reply(body: bytes, *headers: str) -> bytes:
    lines = ["HTTP/1.1 200 OK", f"Content-Length: {len(body)}", "Connection: close", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


def honest(connection: socket.socket, _: bytes) -> None:
    connection.sendall(reply(GOOD))


def drips(connection: socket.socket, _request: bytes) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    for _ in range(1_000):
        connection.sendall(b" ")
        time.sleep(0.05)


def hints(connection: socket.socket, _request: bytes) -> None:
    for _ in range(1_000):
        connection.sendall(b"HTTP/1.1 103 Early Hints\r\n\r\n")
        time.sleep(0.05)


def hangs(connection: socket.socket, _: bytes) -> None:
    time.sleep(2 * TIMEOUT)


def endless(connection: socket.socket, _: bytes) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
    while True:
        connection.sendall(b" " * 65_536)


def no_http(connection: socket.socket, _: bytes) -> None:
    connection.sendall(b"\x16\x03\x01 what?\r\n\r\n")


def hangs_up(_: socket.socket, __: bytes) -> None:
    pass


@pytest.mark.parametrize("odd", [drips, hints, hangs, endless, no_http, hangs_up])
def test_ask__one_that_behaves_oddly__is_cut_off_and_the_others_are_heard(
    odd: Callable[[socket.socket, bytes], None],
) -> None:
    """EQ-148: however often; nothing of an earlier question is left to wait for."""
    with ExitStack() as stack:
        urls = [stack.enter_context(served(behave)) for behave in (honest, odd, honest)]
        signers = Signers(urls, TIMEOUT, PATIENCE)
        threads = threading.active_count()
        for _ in range(4):
            assert signers.ask("GET", "/v1/any", enough=2) == [{"ok": 1}, {"ok": 1}]
        assert [signers.answered[url.rstrip("/")] for url in urls] == [True, False, True]
        # handlers of the servers end when their connections are closed
        deadline = time.monotonic() + 10
        while threading.active_count() > threads and time.monotonic() < deadline:
            time.sleep(0.05)
        assert threading.active_count() == threads


def test_ask__an_answer_that_unpacks_into_gigabytes__is_not_unpacked() -> None:
    """EQ-148: three kilobytes of gzip in gzip would have ended the relay, and every relay after it."""

    def bomb(connection: socket.socket, _: bytes) -> None:
        packed = gzip.compress(gzip.compress(GOOD))
        connection.sendall(reply(packed, "Content-Encoding: gzip, gzip"))

    with served(bomb) as url:
        assert Signers([url], TIMEOUT, PATIENCE).ask("GET", "/", enough=1) == []


def test_ask__cookies_of_one__do_not_come_back() -> None:
    """EQ-148: below one domain they would fill the requests to the others until those are refused."""
    requests: list[bytes] = []

    def sets(connection: socket.socket, request: bytes) -> None:
        requests.append(request)
        connection.sendall(reply(GOOD, f"Set-Cookie: a={'x' * 4_000}; Path=/"))

    with served(sets) as url:
        signers = Signers([url, url], TIMEOUT, PATIENCE)
        for _ in range(2):
            assert len(signers.ask("POST", "/", {"slot": 1}, enough=2)) == 2
    assert len(requests) == 4
    assert not any(b"cookie" in request.lower() for request in requests)


def test_ask__a_name_that_is_looked_up_for_ever__holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """EQ-148: whoever owns the name's server may drop the queries."""
    look_up, over, found = socket.getaddrinfo, threading.Event(), []

    def slow(host: Any, *args: Any, **options: Any) -> Any:
        if host in ("liar.example", b"liar.example"):
            over.wait(20)
            found.append(host)
        return look_up(host, *args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    try:
        with served(honest) as url:
            answers = Signers(["http://liar.example", url], TIMEOUT, PATIENCE).ask("GET", "/", enough=1)
        assert answers == [{"ok": 1}]
        assert not found
    finally:
        over.set()


def test_ask__nobody__is_no_answer() -> None:
    assert Signers([], TIMEOUT, PATIENCE).ask("GET", "/", enough=1) == []
