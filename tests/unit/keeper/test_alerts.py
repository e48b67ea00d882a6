"""Alerts: one POST for each thing, none that holds up the work."""

from __future__ import annotations

import json
import threading
import time
from typing import Any

import httpx
import pytest

from equipoise.errors import InputError
from equipoise.keeper.alerts import Alerts

URL = "https://example.org/hook"


class Receiver:
    """Keeps what is POSTed; answers as told."""

    def __init__(self) -> None:
        self.bodies: list[dict[str, Any]] = []
        self.status, self.gate = 200, threading.Event()
        self.gate.set()
        self.now = 100.0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.gate.wait(5)
        self.bodies.append(json.loads(request.content))
        return httpx.Response(self.status)

    def alerts(self, **options: Any) -> Alerts:
        http = httpx.Client(transport=httpx.MockTransport(self))
        return Alerts(URL, {"vault": "0x1"}, http=http, clock=lambda: self.now, **options)


def test_happened__posts_json_with_its_labels() -> None:
    receiver = Receiver()
    alerts = receiver.alerts()
    alerts.happened("mode", "Normal to NoIncrease")
    alerts.close()
    (body,) = receiver.bodies
    assert body == {
        "vault": "0x1",
        "event": "mode",
        "text": "Normal to NoIncrease",
        "resolved": False,
        "at": 100,
    }


def test_state__that_lasts__is_told_once_then_after_the_pause_then_when_it_ends() -> None:
    """EQ-187"""
    receiver = Receiver()
    alerts = receiver.alerts(repeat=1_000)
    for now in (100, 200, 1_099, 1_100, 1_200):
        receiver.now = now
        alerts.state("rpc", "no answer")
    assert alerts.active == {"rpc": "no answer"}
    alerts.state("rpc", None)
    alerts.state("rpc", None)
    alerts.close()
    assert [(b["at"], b["resolved"]) for b in receiver.bodies] == [
        (100, False),
        (1_100, False),
        (1_200, True),
    ]
    assert alerts.active == {}


def test_state__a_receiver_that_hangs__does_not_hold_up_the_work() -> None:
    """EQ-187: and more than it can take is dropped, not kept for ever."""
    receiver = Receiver()
    receiver.gate.clear()
    alerts = receiver.alerts()
    began = time.monotonic()
    for i in range(500):
        alerts.happened("revert", str(i))
    assert time.monotonic() - began < 1.0
    receiver.gate.set()
    alerts.close()
    assert 100 <= len(receiver.bodies) <= 102


@pytest.mark.parametrize("status", [404, 500])
def test_deliver__the_receiver_refuses__the_next_is_sent_all_the_same(status: int) -> None:
    receiver = Receiver()
    receiver.status = status
    alerts = receiver.alerts()
    alerts.happened("mode", "a")
    alerts.happened("mode", "b")
    alerts.close()
    assert [body["text"] for body in receiver.bodies] == ["a", "b"]


def test_deliver__words_that_are_no_text__are_told_and_the_next_too() -> None:
    """EQ-187: a node's error message may hold half a character."""
    receiver = Receiver()
    alerts = receiver.alerts()
    alerts.state("rpc", "refused (400): \ud800")
    alerts.happened("mode", "Normal to NoIncrease")
    alerts.close()
    assert [body["text"] for body in receiver.bodies] == ["refused (400): ?", "Normal to NoIncrease"]


def test_deliver__whatever_goes_wrong__the_next_is_sent_all_the_same() -> None:
    """EQ-187"""
    receiver = Receiver()

    def broken_once(request: httpx.Request) -> httpx.Response:
        if not receiver.now:
            return receiver(request)
        receiver.now = 0.0
        raise RuntimeError("a defect")

    alerts = Alerts(URL, http=httpx.Client(transport=httpx.MockTransport(broken_once)))
    alerts.happened("mode", "a")
    alerts.happened("mode", "b")
    alerts.close()
    assert [body["text"] for body in receiver.bodies] == ["b"]


def test_alerts__no_url__logs_only(caplog: pytest.LogCaptureFixture) -> None:
    alerts = Alerts()
    alerts.happened("mode", "Normal to NoIncrease")
    alerts.close()
    assert "alert mode: Normal to NoIncrease" in caplog.text


def test_alerts__a_url_that_is_none__is_refused() -> None:
    with pytest.raises(InputError, match="webhook is 'ftp://x'"):
        Alerts("ftp://x")
