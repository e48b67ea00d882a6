"""Asks signers over HTTP, all at once, and trusts none of them: not in size, not in pace, not in words."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Sequence
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any

import httpx

from equipoise.errors import OracleError

__all__ = ["Signers"]

_LOG = logging.getLogger(__name__)
_MAX_ANSWER = 1 << 16  # bytes: a signer that talks without end is cut off


class Signers:
    """The interfaces of an oracle's signers.

    Parameters
    ----------
    urls
        Their base URLs.
    timeout, patience
        Longest wait for whole answers {s}; and for the rest of them, once enough have come.
    transport
        How they are reached; plain HTTP by default.
    """

    def __init__(
        self,
        urls: Sequence[str],
        timeout: float,
        patience: float,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.urls = [url.rstrip("/") for url in urls]
        self.answered: dict[str, bool] = {}
        self._timeout, self._patience = timeout, patience
        self._transport = transport

    def ask(self, method: str, path: str, body: object = None, *, enough: int) -> list[dict[str, Any]]:
        """JSON objects, of those who answer in time and do not refuse; the others are left out, never raised.

        Not from a thread whose event loop is running.
        """
        loop = asyncio.new_event_loop()
        try:
            return loop.run_until_complete(self._ask(method, path, body, enough))
        finally:
            loop.close()  # unlike asyncio.run it does not wait for threads that still look up a name

    async def _ask(self, method: str, path: str, body: object, enough: int) -> list[dict[str, Any]]:
        client = httpx.AsyncClient(
            transport=self._transport,
            timeout=self._timeout,
            # what is not unpacked cannot be larger than what came
            headers={"Accept-Encoding": "identity"},
            # one signer's cookies would go to others below the same domain
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        )
        async with client:
            asked = {
                asyncio.create_task(_exchange(client, method, url + path, body)): url for url in self.urls
            }
            await self._wait(set(asked), enough)
        answers = []
        for task, url in asked.items():
            self.answered[url] = task.done() and not task.cancelled() and task.exception() is None
            if self.answered[url]:
                answers.append(task.result())
            else:
                _LOG.info("%s: %s", url, "no answer in time" if task.cancelled() else task.exception())
        return answers

    async def _wait(self, pending: set[asyncio.Task[dict[str, Any]]], enough: int) -> None:
        """Whoever has not answered by then, for whatever reason, is cut off."""
        clock = asyncio.get_running_loop().time
        deadline, good = clock() + self._timeout, 0
        while pending and (left := deadline - clock()) > 0:
            done, pending = await asyncio.wait(pending, timeout=left, return_when=asyncio.FIRST_COMPLETED)
            good += sum(task.exception() is None for task in done)
            if good >= enough:
                deadline = min(deadline, clock() + self._patience)
        for task in pending:
            task.cancel()
        await asyncio.gather(*pending, return_exceptions=True)


async def _exchange(client: httpx.AsyncClient, method: str, url: str, body: object) -> dict[str, Any]:
    received = b""
    async with client.stream(method, url, json=body) as answer:
        async for part in answer.aiter_raw():
            received += part
            if len(received) > _MAX_ANSWER:
                raise OracleError(f"{url} sent more than {_MAX_ANSWER} bytes")
    try:
        parsed = json.loads(received)
    except (ValueError, RecursionError) as error:
        raise OracleError(f"{url} did not answer in JSON") from error
    if answer.status_code != 200 or not isinstance(parsed, dict):
        reason = parsed.get("message", "") if isinstance(parsed, dict) else ""
        raise OracleError(f"{url} refused ({answer.status_code}): {reason}")
    return parsed
