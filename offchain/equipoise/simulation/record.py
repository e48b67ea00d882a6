"""What a replay writes down, day by day."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from equipoise.simulation.crash_result import CrashRun
from equipoise.simulation.latency import LatencyAttempt

__all__ = ["Record", "frame"]


@dataclass
class Record:
    """Rows of the result in their order; `invested_from` is the first day with a trade."""

    days: list[dict[str, Any]] = field(default_factory=list)
    weights: list[list[float]] = field(default_factory=list)
    shares: list[list[float]] = field(default_factory=list)
    rebalances: list[dict[str, Any]] = field(default_factory=list)
    actions: list[dict[str, Any]] = field(default_factory=list)
    latency: list[LatencyAttempt] = field(default_factory=list)
    crashes: list[CrashRun] = field(default_factory=list)
    invested_from: pd.Timestamp | None = None


def frame(rows: list[dict[str, Any]], columns: tuple[str, ...]) -> pd.DataFrame:
    """A table of these columns, also of no rows."""
    return pd.DataFrame(rows, columns=list(columns))
