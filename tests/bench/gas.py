"""The committed gas snapshot beside the limits of the issue."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from rich.table import Table

from tests.bench.measure import table

__all__ = ["tables"]

SNAPSHOT = Path(__file__).parents[1] / "gas" / "snapshot.json"


def tables() -> tuple[list[Table | str], Any]:
    """Read, not measured: `make gas` measures."""
    if not SNAPSHOT.exists():
        return [f"{SNAPSHOT} is missing: run `make gas`"], None
    from tests.gas.measure import LIMITS

    found = json.loads(SNAPSHOT.read_text())
    rows = []
    for name, parts in found["gas"].items():
        # the limit of a filled bid counts everything, the others what is left without price-feed reads
        counted = parts["total"] if name.startswith("fill") else parts["without_price_reads"]
        limit = LIMITS.get(name)
        rows.append(
            (
                name,
                f"{parts['total']:,}",
                f"{parts['price_reads']:,}",
                f"{counted:,}",
                f"{limit:,}" if limit else "",
                f"{counted / limit:.0%}" if limit else "",
            )
        )
    from tests.gas.levered import GOALS, PARTS

    levered = [
        (name, *(f"{parts[part]:,}" for part in PARTS[:3]), GOALS.get(name, ""))
        for name, parts in found["levered"].items()
    ]
    headers = ("n = 8", "Total", "Feeds", "Counted", "Limit", "Used")
    shown: list[Table | str] = [
        table("Gas of a transaction, from the committed snapshot", headers, rows),
        table(
            "With debt at Aave; floor: the same by an ordinary account, a transaction each",
            ("Levered", "Total", "Floor", "Over it", "Goal"),
            levered,
        ),
    ]
    return shown, found
