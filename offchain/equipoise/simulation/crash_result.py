"""What a crash did to the vault, hour by hour."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from equipoise.errors import InputError

__all__ = ["AS_IT_STOOD", "KEEPERS_ACT", "KEEPERS_OUT", "PATH_COLUMNS", "SIGNERS_SILENT", "CrashRun"]

AS_IT_STOOD = "as it stood"
KEEPERS_ACT = "keepers hourly"
KEEPERS_OUT = "keepers out 24 h"
SIGNERS_SILENT = "signers silent"
PATH_COLUMNS = ("share_price", "nav_usd", "health_factor", "leverage", "mode")


@dataclass(frozen=True, eq=False)
class CrashRun:
    """One event in one variant.

    Attributes
    ----------
    event, variant
        Name of the crash; and what was tried: `AS_IT_STOOD` is the vault as the replay had it. In the
        others it had borrowed to the limit of its health factor the evening before: `KEEPERS_ACT` every
        hour, `KEEPERS_OUT` for the 24 hours of the worst day, `SIGNERS_SILENT` all the time.
    path
        Indexed by time (UTC, strictly rising), columns `PATH_COLUMNS`. The health factor is the lowest of
        the hour, before anybody acted; infinite without debt. The rest is at the hour's end.
    ripcords, fills, liquidations
        How many.
    liquidation_loss_usd, discount_paid_usd
        What liquidators took beyond what they repaid, and what ripcord bidders paid less than mid.
    trigger
        Health factor below which the ripcord may be pulled.
    """

    event: str
    variant: str
    path: pd.DataFrame
    ripcords: int
    fills: int
    liquidations: int
    liquidation_loss_usd: float
    discount_paid_usd: float
    trigger: float

    def __post_init__(self) -> None:
        if missing := [column for column in PATH_COLUMNS if column not in self.path]:
            raise InputError(f"the path of {self.event} lacks the columns {missing}")
        if len(self.path) < 2 or not self.path.index.is_monotonic_increasing:
            raise InputError(f"the path of {self.event} needs at least 2 rising times")

    @property
    def min_health_factor(self) -> float:
        """Lowest of the path; infinite when there never was debt."""
        return float(self.path["health_factor"].min())

    @property
    def nav_change(self) -> float:
        """Of the share price from the first to the last hour, a fraction."""
        price = self.path["share_price"]
        return float(price.iloc[-1] / price.iloc[0] - 1)

    @property
    def max_drawdown(self) -> float:
        """Deepest fall of the share price from its peak, in [0, 1]."""
        price = self.path["share_price"].to_numpy(dtype=float)
        return float(np.max(1 - price / np.maximum.accumulate(price)))

    @property
    def verdict(self) -> str:
        """One sentence for people."""
        health = self.min_health_factor
        if health == float("inf"):
            return "No debt: nothing to liquidate."
        lowest = f"The health factor fell to {health:.2f}"
        if self.liquidations:
            loss = self.liquidation_loss_usd / float(self.path["nav_usd"].iloc[0])
            return f"{lowest}: {_count(self.liquidations, 'liquidation')}, at a cost of {loss:.2%} of NAV."
        pulled = f", {_count(self.ripcords, 'ripcord')} pulled" if self.ripcords else ""
        margin = "above" if health >= self.trigger else "under"
        return f"{lowest}, {margin} the trigger of {self.trigger:.2f}{pulled}; no liquidation."


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" + ("" if number == 1 else "s")
