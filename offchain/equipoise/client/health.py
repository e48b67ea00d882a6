"""How the services behind a vault say they are: their /health, as keeper, relay and signers serve it."""

from __future__ import annotations

from typing import Any

__all__ = ["ask_health"]

_TIMEOUT_SECONDS = 3.0
_LONGEST = 200


def ask_health(kind: str, url: str) -> dict[str, Any]:
    """`kind`, `url`, whether it is `ok`, and the `reason` when it is not; never raises for a service."""
    import httpx  # loads slowly, and most commands ask nobody

    facts: dict[str, Any] = {"kind": kind, "url": url, "ok": False, "reason": ""}
    address = url.rstrip("/")
    address = address if address.endswith("/health") else f"{address}/health"
    try:
        answer = httpx.get(address, timeout=_TIMEOUT_SECONDS)
        told = answer.json()
    except httpx.HTTPError as error:
        return facts | {"reason": f"unreachable: {str(error) or type(error).__name__}"[:_LONGEST]}
    except ValueError as error:  # no URL, or no JSON
        return facts | {"reason": f"no answer in JSON: {error}"[:_LONGEST]}
    except httpx.InvalidURL as error:
        return facts | {"reason": f"no address: {error}"[:_LONGEST]}
    if not isinstance(told, dict):
        return facts | {"reason": "answers, but not with an object"}
    ok = answer.status_code == 200 and told.get("ok", True) is True
    return facts | {"ok": ok, "reason": "" if ok else _reason(told, answer.status_code)}


def _reason(told: dict[str, Any], code: int) -> str:
    problems = told.get("problems")
    if isinstance(problems, dict):
        words = "; ".join(f"{name}: {text}" for name, text in problems.items())
    elif isinstance(problems, list):
        words = "; ".join(map(str, problems))
    else:
        words = str(told.get("reason") or told.get("message") or "")
    return (words or f"HTTP {code}")[:_LONGEST]
