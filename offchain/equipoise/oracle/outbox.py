"""A relay's outbox: the reports it has sent, and the matrices that it has asked the signers to sign."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from equipoise.client.outbox import Outbox as Sent
from equipoise.client.outbox import Posting

__all__ = ["Outbox", "Posting"]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS proposals (
    scope TEXT NOT NULL, observed_at INTEGER NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (scope, observed_at)
) STRICT;
"""


class Outbox(Sent):
    """One relay's memory for one oracle; the key of a report is the time {unix s} for which it is."""

    def __init__(self, path: str | Path, scope: str, schema: str = "") -> None:
        super().__init__(path, scope, _SCHEMA + schema)

    def last(self, kind: str) -> int:
        """Latest time of that kind that is sent or landed {unix s}, 0 before the first."""
        return max((int(p.key) for p in self._postings("AND kind = ?", kind)), default=0)

    def landed_times(self, kind: str) -> list[int]:
        """Times of that kind whose reports are on chain, ascending."""
        return sorted(map(int, self.landed_keys(kind)))

    def proposal(self, observed_at: int, fresh: dict[str, Any]) -> dict[str, Any]:
        """The matrix that the signers were first asked to sign for a time: they sign no other."""
        with self._lock:
            row = self._scope, observed_at, json.dumps(fresh)
            self._database.execute("INSERT OR IGNORE INTO proposals VALUES (?, ?, ?)", row)
        found = self.known_proposal(observed_at)
        assert found is not None
        return found

    def known_proposal(self, observed_at: int) -> dict[str, Any] | None:
        query = "SELECT body FROM proposals WHERE scope = ? AND observed_at = ?"
        found = self._rows(query, (self._scope, observed_at))
        return dict(json.loads(found[0][0])) if found else None
