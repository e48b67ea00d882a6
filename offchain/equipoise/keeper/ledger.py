"""A keeper's memory, a SQLite file: what it has sent and spent, and the highest block that it has seen."""

from __future__ import annotations

from pathlib import Path

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

    def head(self) -> tuple[int, int]:
        """(number, time) of the highest block seen, zeros before the first."""
        rows = self._rows("SELECT number, timestamp FROM heads WHERE scope = ?", (self._scope,))
        return (rows[0][0], rows[0][1]) if rows else (0, 0)

    def saw(self, number: int, timestamp: int) -> None:
        """Remember the highest block."""
        query = "INSERT OR REPLACE INTO heads VALUES (?, ?, ?)"
        self._rows(query, (self._scope, number, timestamp))
