"""A keeper's memory, a SQLite file: what it has sent and spent, and the highest block that it has seen."""

from __future__ import annotations

import fcntl
from pathlib import Path
from typing import IO

from equipoise.errors import InputError
from equipoise.oracle.outbox import Outbox

__all__ = ["Ledger"]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS heads (
    scope TEXT PRIMARY KEY, number INTEGER NOT NULL, timestamp INTEGER NOT NULL
) STRICT;
"""


class Ledger(Outbox):
    """Of one keeper at one vault; reports that it relays are in it too: they use the same nonces."""

    def __init__(self, path: str | Path, scope: str) -> None:
        super().__init__(path, scope, _SCHEMA)
        self._claim: IO[str] | None = None

    def claim(self) -> None:
        """Keep others off until this process ends, however it ends. Raises InputError when one is there."""
        claim = self.path.with_name(self.path.name + ".lock").open("w")
        try:
            fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            claim.close()
            raise InputError(
                f"another keeper works with the ledger {self.path}; stop it, or give each its own account "
                "and ledger"
            ) from error
        self._claim = claim

    def close(self) -> None:
        super().close()
        if self._claim is not None:
            self._claim.close()

    def head(self) -> tuple[int, int]:
        """(number, time) of the highest block seen, zeros before the first."""
        rows = self._rows("SELECT number, timestamp FROM heads WHERE scope = ?", (self._scope,))
        return (rows[0][0], rows[0][1]) if rows else (0, 0)

    def saw(self, number: int, timestamp: int) -> None:
        """Remember the highest block."""
        query = "INSERT OR REPLACE INTO heads VALUES (?, ?, ?)"
        self._rows(query, (self._scope, number, timestamp))
