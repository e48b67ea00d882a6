"""Tells somebody: a webhook gets JSON, once for each thing, and never holds up the work."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable
from typing import Any

import httpx

from equipoise.errors import InputError

__all__ = ["Alerts", "readable"]

_LOG = logging.getLogger(__name__)
_WAITING = 100  # more than that many undelivered ones are dropped, the new ones


class Alerts:
    """A queue and a thread that empties it.

    Parameters
    ----------
    url
        Where alerts are POSTed as JSON `{event, text, resolved, at, ...labels}`; None logs them only.
    labels
        Sent with each, such as the vault and the chain.
    timeout, repeat
        Seconds to wait for the receiver; seconds after which something that lasts is told again.
    """

    def __init__(
        self,
        url: str | None = None,
        labels: dict[str, Any] | None = None,
        timeout: float = 5.0,
        repeat: float = 6 * 3600,
        http: httpx.Client | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        if url is not None and not url.startswith(("http://", "https://")):
            raise InputError(f"webhook is {url!r}; give an http or https URL")
        self._url, self._labels, self._repeat, self._clock = url, dict(labels or {}), repeat, clock
        self._http = http or httpx.Client(timeout=timeout)
        self._told: dict[str, tuple[str, float]] = {}
        self._queue: queue.Queue[dict[str, Any] | None] = queue.Queue(_WAITING)
        self._worker = threading.Thread(target=self._deliver, name="alerts", daemon=True)
        self._worker.start()

    @property
    def active(self) -> dict[str, str]:
        """What lasts, by event."""
        return {event: text for event, (text, _) in self._told.items()}

    def happened(self, event: str, text: str) -> None:
        """Something that is over at once."""
        self._put(event, readable(text), resolved=False)

    def state(self, event: str, text: str | None) -> None:
        """Something that lasts until it is called with None: told when it begins, repeats and ends."""
        told = self._told.get(event)
        if text is None:
            if told is not None:
                del self._told[event]
                self._put(event, f"over: {told[0]}", resolved=True)
            return
        text = readable(text)
        if told is None or self._clock() - told[1] >= self._repeat:
            self._told[event] = text, self._clock()
            self._put(event, text, resolved=False)
        else:
            self._told[event] = text, told[1]

    def close(self, timeout: float = 5.0) -> None:
        """Deliver what waits, as far as the time allows."""
        try:
            self._queue.put(None, timeout=timeout)
        except queue.Full:
            return
        self._worker.join(timeout)

    def _put(self, event: str, text: str, resolved: bool) -> None:
        _LOG.log(logging.INFO if resolved else logging.WARNING, "alert %s: %s", event, text)
        if self._url is None:
            return
        body = {"event": event, "text": text, "resolved": resolved, "at": int(self._clock())}
        try:
            self._queue.put_nowait({**self._labels, **body})
        except queue.Full:
            _LOG.error("alert %s is lost: %d wait already", event, _WAITING)

    def _deliver(self) -> None:
        while (body := self._queue.get()) is not None:
            assert self._url is not None
            try:
                self._http.post(self._url, json=body).raise_for_status()
            except Exception as error:  # this thread must not end: nothing would be told any more
                _LOG.error("alert %s was not delivered: %s", body["event"], error)


def readable(text: str) -> str:
    """A node may put half a character into its words, which neither a log nor JSON can hold."""
    return text.encode("utf-8", "replace").decode()
