"""What one key has sent or is about to send: written down before it leaves, and sent again as it was.

A transaction is known by its kind and its key, such as ("fill", "7:WBTC>USDC:0"): the same thing is never on
its way twice. What it cost is kept too, also when it failed, so that spending can be bounded over days.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from equipoise.client.database import open_database
from equipoise.errors import OracleError

__all__ = ["CONFIRMATIONS", "Outbox", "Posting"]

CONFIRMATIONS = 64
"""Blocks within which a reorganisation may take a transaction back."""

# integers of wei do not fit SQLite's, hence text
_SCHEMA = """
CREATE TABLE IF NOT EXISTS sent (
    scope TEXT NOT NULL, kind TEXT NOT NULL, key ANY NOT NULL,
    nonce INTEGER NOT NULL, hash TEXT NOT NULL, raw BLOB NOT NULL, block INTEGER,
    ceiling TEXT NOT NULL, at INTEGER NOT NULL,
    PRIMARY KEY (scope, kind, key)
) STRICT;
CREATE TABLE IF NOT EXISTS replaced (
    scope TEXT NOT NULL, kind TEXT NOT NULL, key ANY NOT NULL,
    hash TEXT NOT NULL, raw BLOB NOT NULL, ceiling TEXT NOT NULL, PRIMARY KEY (scope, hash)
) STRICT;
CREATE TABLE IF NOT EXISTS spent (
    scope TEXT NOT NULL, hash TEXT NOT NULL, kind TEXT NOT NULL, at INTEGER NOT NULL, fee TEXT NOT NULL,
    PRIMARY KEY (scope, hash)
) STRICT;
"""
_COLUMNS = "kind, key, nonce, hash, raw, block, ceiling, at"
_ONE = " WHERE scope = ? AND kind = ? AND key = ?"


@dataclass(frozen=True)
class Posting:
    """One transaction.

    `block` is None until it is mined, `ceiling` {wei} the most that it may cost, `at` {unix s} when it was
    written down.
    """

    kind: str
    key: int | str
    nonce: int
    hash: str
    raw: bytes
    block: int | None = None
    ceiling: int = 0
    at: int = 0


class Outbox:
    """One sender's memory in one `scope` (a chain and its own address), a SQLite file."""

    def __init__(self, path: str | Path, scope: str, schema: str = "") -> None:
        self.path = Path(path)
        self._database = open_database(path, _SCHEMA + schema, forgets="was sent")
        self._scope = scope
        self._lock = threading.Lock()

    def intend(self, posting: Posting) -> None:
        """Write down before sending. Raises OracleError when the same is already on its way."""
        p = posting
        row = self._scope, p.kind, p.key, p.nonce, p.hash, p.raw, str(p.ceiling), p.at
        with self._lock:
            query = "INSERT OR IGNORE INTO sent VALUES (?, ?, ?, ?, ?, ?, NULL, ?, ?)"
            if self._database.execute(query, row).rowcount != 1:
                raise OracleError(f"{p.kind} of {p.key} are already on their way")

    def replace(self, old: Posting, new: Posting) -> None:
        """Write down that `new`, of the same nonce, shall take the place of `old`; either may be mined.

        `new` may be of another kind and key: then whatever is mined counts as that.
        """
        row = self._scope, old.kind, old.key
        with self._transaction():
            values = (*row, old.hash, old.raw, str(old.ceiling))
            self._database.execute("INSERT OR IGNORE INTO replaced VALUES (?, ?, ?, ?, ?, ?)", values)
            becomes = new.kind, new.key
            self._database.execute("UPDATE replaced SET kind = ?, key = ?" + _ONE, (*becomes, *row))
            query = "UPDATE OR REPLACE sent SET kind = ?, key = ?, hash = ?, raw = ?, ceiling = ?, at = ?"
            sent = new.hash, new.raw, str(new.ceiling), new.at
            self._database.execute(query + _ONE, (*becomes, *sent, *row))

    def versions(self, posting: Posting) -> list[tuple[str, bytes]]:
        """(hash, raw) of all that was sent in its place, its own first."""
        rows = self._rows("SELECT hash, raw FROM replaced" + _ONE, (self._scope, posting.kind, posting.key))
        return [(posting.hash, posting.raw), *(row for row in rows if row[0] != posting.hash)]

    def landed(self, posting: Posting, block: int | None, mined: str = "", fee: int = 0, at: int = 0) -> None:
        """Remember the block and the `fee` {wei} of the version that was `mined` at time `at`.

        With None for the block: a reorganisation took it back, and what it cost with it.
        """
        one = self._scope, posting.kind, posting.key
        with self._transaction():
            self._database.execute("UPDATE sent SET block = ?" + _ONE, (block, *one))
            if block is None:
                query = "DELETE FROM spent WHERE scope = ? AND hash = ?"
                self._database.execute(query, (self._scope, posting.hash))
            else:
                if mined and mined != posting.hash:
                    query = (
                        "INSERT OR IGNORE INTO replaced SELECT scope, kind, key, hash, raw, ceiling FROM sent"
                    )
                    self._database.execute(query + _ONE, one)
                    query = "UPDATE sent SET (hash, raw, ceiling) = (SELECT hash, raw, ceiling FROM replaced "
                    query += "WHERE scope = ? AND hash = ?)" + _ONE
                    self._database.execute(query, (self._scope, mined, *one))
                self._spend(mined or posting.hash, posting.kind, fee, at)

    def forget(self, posting: Posting, mined: str = "", fee: int = 0, at: int = 0) -> None:
        """It was mined and failed, or another has its nonce; `mined`, `fee` and `at` as in `landed`."""
        one = self._scope, posting.kind, posting.key
        with self._transaction():
            self._database.execute("DELETE FROM sent" + _ONE, one)
            self._database.execute("DELETE FROM replaced" + _ONE, one)
            if mined:
                self._spend(mined, posting.kind, fee, at)
            else:
                query = "DELETE FROM spent WHERE scope = ? AND hash = ?"
                self._database.execute(query, (self._scope, posting.hash))

    def unsettled(self, since: int = 0) -> list[Posting]:
        """What is not mined yet, by nonce; then what was mined in block `since` or later."""
        return self.in_flight() + self._postings("AND block >= ? ORDER BY block", since)

    def in_flight(self) -> list[Posting]:
        """What is sent and not mined, by nonce."""
        return self._postings("AND block IS NULL ORDER BY nonce")

    def known(self, kind: str, key: int | str) -> bool:
        """Whether it is on its way or has landed."""
        return bool(self._postings("AND kind = ? AND key = ?", kind, key))

    def landed_keys(self, kind: str) -> list[int | str]:
        """Keys of that kind whose transactions are on chain."""
        return [p.key for p in self._postings("AND kind = ? AND block IS NOT NULL", kind)]

    def spent_since(self, time: int, kinds: Collection[str] | None = None) -> int:
        """Fees {wei} of what was mined after `time` {unix s}, of these kinds or all."""
        query = "SELECT kind, fee FROM spent WHERE scope = ? AND at > ?"
        rows = self._rows(query, (self._scope, time))
        return sum(int(fee) for kind, fee in rows if kinds is None or kind in kinds)

    def transactions(self) -> int:
        """How many were mined, or may have been; failed ones among them."""
        return int(self._rows("SELECT count(*) FROM spent WHERE scope = ?", (self._scope,))[0][0])

    def close(self) -> None:
        self._database.close()

    def _spend(self, mined: str, kind: str, fee: int, at: int) -> None:
        row = self._scope, mined, kind, at, str(fee)
        self._database.execute("INSERT OR REPLACE INTO spent VALUES (?, ?, ?, ?, ?)", row)

    def _postings(self, which: str = "", *values: object) -> list[Posting]:
        query = f"SELECT {_COLUMNS} FROM sent WHERE scope = ? {which}"
        rows = self._rows(query, (self._scope, *values))
        return [
            Posting(kind, key, nonce, found, raw, block, int(ceiling), at)
            for kind, key, nonce, found, raw, block, ceiling, at in rows
        ]

    def _rows(self, query: str, values: tuple[object, ...]) -> list[tuple[Any, ...]]:
        with self._lock:
            return self._database.execute(query, values).fetchall()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._lock:
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._database.execute("COMMIT")
            except BaseException:
                if self._database.in_transaction:
                    self._database.execute("ROLLBACK")
                raise
