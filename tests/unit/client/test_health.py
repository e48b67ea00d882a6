"""What services say of themselves, and those that say nothing."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from equipoise.client.health import ask_health


@contextmanager
def service(code: int, body: str) -> Iterator[str]:
    """A server that answers so at /health only."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = self.path == "/health"
            self.send_response(code if found else 404)
            self.end_headers()
            self.wfile.write(body.encode() if found else b"{}")

        def log_message(self, *_: object) -> None:
            """Nothing on the terminal."""

    server = HTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize("suffix", ["", "/", "/health"])
def test_ask_health__a_service_that_is_well__says_so(suffix: str) -> None:
    with service(200, '{"ok": true}') as url:
        told = ask_health("keeper", url + suffix)
    assert told["ok"]
    assert told["reason"] == ""
    assert told["kind"] == "keeper"


@pytest.mark.parametrize(
    ("code", "body", "reason"),
    [
        (
            503,
            json.dumps({"ok": False, "problems": {"volatilities": "2 of 3 answer"}}),
            "volatilities: 2 of 3",
        ),
        (503, json.dumps({"ok": False, "reason": "stale prices"}), "stale prices"),
        (503, json.dumps({"ok": False, "problems": ["a", "b"]}), "a; b"),
        (500, "{}", "HTTP 500"),
        (200, '{"ok": false}', "HTTP 200"),
        (200, "hello", "no answer in JSON"),
        (200, "[]", "not with an object"),
    ],
)
def test_ask_health__a_service_that_is_not__with_its_reason(code: int, body: str, reason: str) -> None:
    with service(code, body) as url:
        told = ask_health("relay", url)
    assert not told["ok"]
    assert reason in told["reason"]


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9", "nonsense", "http://", "ftp://x", "http://[", "", "http://a b"]
)
def test_ask_health__nobody_there__is_a_reason_and_no_crash(url: str) -> None:
    told = ask_health("keeper", url)
    assert not told["ok"]
    assert told["reason"]


def test_ask_health__endless_reasons__are_cut() -> None:
    with service(503, json.dumps({"reason": "x" * 10_000})) as url:
        assert len(ask_health("keeper", url)["reason"]) <= 200
