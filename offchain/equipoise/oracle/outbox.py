"""A relay's outbox: the reports it has sent."""

from __future__ import annotations

from equipoise.client.outbox import Outbox as Sent
from equipoise.client.outbox import Posting

__all__ = ["Outbox", "Posting"]


class Outbox(Sent):
    """One relay's memory for one oracle; the key of a report is the time {unix s} for which it is."""

    def last(self, kind: str) -> int:
        """Latest time of that kind that is sent or landed {unix s}, 0 before the first."""
        return max((int(p.key) for p in self._postings("AND kind = ?", kind)), default=0)

    def landed_times(self, kind: str) -> list[int]:
        """Times of that kind whose reports are on chain, ascending."""
        return sorted(map(int, self.landed_keys(kind)))
