"""What a signer has signed, for ever: a second, different report of volatilities for one time is refused."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from equipoise.client.database import open_database
from equipoise.errors import OracleError

__all__ = ["Journal"]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS signed (
    scope TEXT NOT NULL, kind TEXT NOT NULL, observed_at INTEGER NOT NULL,
    digest BLOB NOT NULL, r BLOB NOT NULL, vs BLOB NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (scope, kind, observed_at)
) STRICT
"""
_TIME_LIMIT = 2**63  # of SQLite's integers


class Journal:
    """The equivocation guard of one signer, a SQLite file that several threads and processes may share."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._database = open_database(path, _SCHEMA)
        self._lock = threading.Lock()

    def record(
        self,
        scope: str,
        kind: str,
        observed_at: int,
        digest: bytes,
        body: dict[str, Any],
        sign: Callable[[bytes], tuple[bytes, bytes]],
        *,
        once: bool = True,
    ) -> tuple[bytes, bytes, dict[str, Any]]:
        """Sign a digest, unless another was signed for that time.

        The row is committed before the signature is returned: the first that left this machine is in the
        file, and with `once` there is no other.

        Returns
        -------
        tuple
            (r, vs, body); those of the first time when the same digest is asked for again.

        Raises OracleError with `once` for another digest at the same scope, kind and time.
        """
        _check_time(observed_at)
        with self._lock, self._transaction():
            kept = self._select(scope, kind, observed_at)
            if kept is None:
                r, vs = sign(digest)
                row = scope, kind, observed_at, digest, r, vs, json.dumps(body)
                self._database.execute("INSERT INTO signed VALUES (?, ?, ?, ?, ?, ?, ?)", row)
                return r, vs, body
        known, r, vs, kept_body = kept
        if known != digest and not once:
            return *sign(digest), body
        if known != digest:
            raise OracleError(
                f"{kind} of {observed_at} were signed as 0x{known.hex()}, this is 0x{digest.hex()}; a signer "
                "never signs two reports for one time: wait for the next"
            )
        return r, vs, kept_body

    def get(
        self, scope: str, kind: str, observed_at: int
    ) -> tuple[bytes, bytes, bytes, dict[str, Any]] | None:
        """(digest, r, vs, body) of what was signed for that time, None when nothing was."""
        _check_time(observed_at)
        with self._lock, self._readable():
            return self._select(scope, kind, observed_at)

    def last(self, scope: str, kind: str) -> int:
        """Latest time that was signed {unix s}, 0 before the first."""
        with self._lock, self._readable():
            query = "SELECT max(observed_at) FROM signed WHERE scope = ? AND kind = ?"
            return int(self._database.execute(query, (scope, kind)).fetchone()[0] or 0)

    def count(self) -> int:
        """Signatures in the journal."""
        with self._lock:
            return int(self._database.execute("SELECT count(*) FROM signed").fetchone()[0])

    def close(self) -> None:
        self._database.close()

    def _select(
        self, scope: str, kind: str, observed_at: int
    ) -> tuple[bytes, bytes, bytes, dict[str, Any]] | None:
        query = "SELECT digest, r, vs, body FROM signed WHERE scope = ? AND kind = ? AND observed_at = ?"
        row = self._database.execute(query, (scope, kind, observed_at)).fetchone()
        return None if row is None else (row[0], row[1], row[2], json.loads(row[3]))

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._readable():
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._database.execute("COMMIT")
            except BaseException:
                if self._database.in_transaction:
                    self._database.execute("ROLLBACK")
                raise

    @contextmanager
    def _readable(self) -> Iterator[None]:
        """Whatever the file's trouble is, nothing was signed."""
        try:
            yield
        except sqlite3.Error as error:
            raise OracleError(
                f"{self.path} cannot be used ({error}): nothing is signed; free the disk or the lock, or "
                "restore it from a backup"
            ) from error


def _check_time(observed_at: int) -> None:
    if not 0 < observed_at < _TIME_LIMIT:
        raise OracleError(f"{observed_at} is no time; give unix seconds in (0, 2**63)")
