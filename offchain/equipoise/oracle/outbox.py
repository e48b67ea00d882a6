"""What a relay has sent or is about to send: written down before it leaves, and sent again as it was."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from equipoise.errors import OracleError
from equipoise.oracle.journal import open_database

__all__ = ["Outbox", "Posting"]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS posted (
    scope TEXT NOT NULL, kind TEXT NOT NULL, observed_at INTEGER NOT NULL,
    nonce INTEGER NOT NULL, hash TEXT NOT NULL, raw BLOB NOT NULL, block INTEGER,
    PRIMARY KEY (scope, kind, observed_at)
) STRICT;
CREATE TABLE IF NOT EXISTS proposals (
    scope TEXT NOT NULL, observed_at INTEGER NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (scope, observed_at)
) STRICT
"""


@dataclass(frozen=True)
class Posting:
    """One transaction; `block` is None until it is mined."""

    kind: str
    observed_at: int
    nonce: int
    hash: str
    raw: bytes
    block: int | None


class Outbox:
    """One relay's memory for one oracle, a SQLite file."""

    def __init__(self, path: str | Path, scope: str) -> None:
        self._database = open_database(path, _SCHEMA)
        self._scope = scope
        self._lock = threading.Lock()

    def intend(self, posting: Posting) -> None:
        """Write down before sending. Raises OracleError when that report is already on its way."""
        row = self._scope, posting.kind, posting.observed_at, posting.nonce, posting.hash, posting.raw
        with self._lock:
            query = "INSERT OR IGNORE INTO posted VALUES (?, ?, ?, ?, ?, ?, NULL)"
            if self._database.execute(query, row).rowcount != 1:
                raise OracleError(f"{posting.kind} of {posting.observed_at} are already on their way")

    def landed(self, posting: Posting, block: int | None) -> None:
        """Remember the block, or with None that a reorganisation took the transaction back."""
        self._update("UPDATE posted SET block = ?", block, posting)

    def forget(self, posting: Posting) -> None:
        """Somebody else used its nonce, so that it can never be mined, or it was mined and reverted."""
        with self._lock:
            query = "DELETE FROM posted WHERE scope = ? AND kind = ? AND observed_at = ?"
            self._database.execute(query, (self._scope, posting.kind, posting.observed_at))

    def unsettled(self) -> list[Posting]:
        """What is not mined yet, and of each kind the latest that was: a reorganisation may undo it."""
        postings = self._postings()
        open_ones = [p for p in postings if p.block is None]
        latest = {p.kind: p for p in postings if p.block is not None}
        return open_ones + list(latest.values())

    def last(self, kind: str) -> int:
        """Latest time of that kind that is sent or landed {unix s}, 0 before the first."""
        return max((p.observed_at for p in self._postings() if p.kind == kind), default=0)

    def landed_times(self, kind: str) -> list[int]:
        """Times of that kind whose reports are on chain, ascending."""
        return [p.observed_at for p in self._postings() if p.kind == kind and p.block is not None]

    def proposal(self, observed_at: int, fresh: dict[str, Any]) -> dict[str, Any]:
        """The matrix that the signers were first asked to sign for a time: they sign no other."""
        with self._lock:
            row = self._scope, observed_at, json.dumps(fresh)
            self._database.execute("INSERT OR IGNORE INTO proposals VALUES (?, ?, ?)", row)
            query = "SELECT body FROM proposals WHERE scope = ? AND observed_at = ?"
            found = self._database.execute(query, (self._scope, observed_at)).fetchone()
            return dict(json.loads(found[0]))

    def known_proposal(self, observed_at: int) -> dict[str, Any] | None:
        with self._lock:
            query = "SELECT body FROM proposals WHERE scope = ? AND observed_at = ?"
            found = self._database.execute(query, (self._scope, observed_at)).fetchone()
            return None if found is None else dict(json.loads(found[0]))

    def close(self) -> None:
        self._database.close()

    def _postings(self) -> list[Posting]:
        with self._lock:
            query = (
                "SELECT kind, observed_at, nonce, hash, raw, block FROM posted WHERE scope = ? "
                "ORDER BY observed_at"
            )
            return [Posting(*row) for row in self._database.execute(query, (self._scope,))]

    def _update(self, query: str, value: int | None, posting: Posting) -> None:
        with self._lock:
            where = " WHERE scope = ? AND kind = ? AND observed_at = ?"
            row = value, self._scope, posting.kind, posting.observed_at
            self._database.execute(query + where, row)
