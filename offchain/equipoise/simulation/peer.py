"""What a user does by hand on Aave today: the same basket at a fixed leverage, put right on a schedule.

It holds the basket in proportion to the inverse volatilities of the day it starts, levered so that the
estimate of that day meets the target volatility, and trades back to that once a month, whatever happens
between. Prices by the hour, Aave's rule of liquidation: below a health factor of 1 half of the debt, below
0.95 all of it, at the collateral's bonus.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from equipoise.errors import InputError
from equipoise.types import FloatArray
from equipoise.units import YEAR_DAYS

__all__ = ["PeerConfig", "PeerResult", "run_peer"]

HALF_CLOSE_HEALTH = 0.95


@dataclass(frozen=True)
class PeerConfig:
    """How the peer behaves.

    Attributes
    ----------
    target_vol, max_leverage
        Of the estimate on the first day, a year; and the most it takes.
    start_health
        Least health factor at which it starts.
    rebalance_days
        Days between two trades back to its weights.
    cost
        What a traded dollar costs, fraction.
    borrow_rate
        A year.
    """

    target_vol: float = 0.15
    max_leverage: float = 3.0
    start_health: float = 1.3
    rebalance_days: int = 30
    cost: float = 0.004
    borrow_rate: float = 0.04

    def __post_init__(self) -> None:
        if not (self.target_vol > 0 and self.max_leverage > 0 and self.start_health > 1):
            raise InputError("target_vol and max_leverage must be > 0, start_health > 1")
        if self.rebalance_days < 1 or not 0 <= self.cost < 1 or not 0 <= self.borrow_rate < 10:
            raise InputError("rebalance_days must be >= 1, cost in [0, 1), borrow_rate in [0, 10)")


@dataclass(frozen=True, eq=False)
class PeerResult:
    """What became of it.

    Attributes
    ----------
    name
        For people.
    nav
        By day, 1 on the first.
    health_factor
        Lowest of each day; infinite without debt.
    leverage
        Basket over NAV at each day's end; 0 when nothing is left.
    liquidations
        Columns date, symbol, repaid, seized, loss: fractions of the NAV on the first day.
    loss
        What liquidators took beyond what they repaid, fraction of the first day's NAV.
    config
        Its settings, JSON values, with its `target_leverage`.
    """

    name: str
    nav: pd.Series
    health_factor: pd.Series
    leverage: pd.Series
    liquidations: pd.DataFrame
    loss: float
    config: Mapping[str, Any] = field(default_factory=dict)


def run_peer(
    name: str,
    closes: pd.DataFrame,
    hours: Mapping[pd.Timestamp, FloatArray],
    vol_ann: FloatArray,
    covariance: FloatArray,
    thresholds: Mapping[str, float],
    bonuses: Mapping[str, float],
    config: PeerConfig | None = None,
) -> PeerResult:
    """Run it from the first day of `closes` to the last.

    Parameters
    ----------
    closes
        Shape (T, n), USD, > 0, by day.
    hours
        Day to prices by the hour, shape (24, n), the last row its close; for every day but the first.
    vol_ann, covariance
        Shape (n,) and (n, n): the estimate on the first day, a year.
    thresholds, bonuses
        Liquidation threshold and bonus of each asset, fractions.

    Raises InputError for a missing asset or day.
    """
    config = config or PeerConfig()
    names = [str(name) for name in closes.columns]
    if missing := [n for n in names if n not in thresholds or n not in bonuses]:
        raise InputError(f"no liquidation threshold or bonus for {missing}")
    if absent := [day for day in closes.index[1:] if day not in hours]:
        raise InputError(f"no hourly prices for {absent[0]:%Y-%m-%d}")
    limit = np.array([thresholds[name] for name in names])
    bonus = np.array([bonuses[name] for name in names])
    weights = (1 / vol_ann) / (1 / vol_ann).sum()
    wanted = config.target_vol / float(np.sqrt(weights @ covariance @ weights))
    # the leverage at which the health factor is the least that it starts with: h / (h - LT)
    safe = config.start_health / (config.start_health - float(weights @ limit))
    leverage = min(wanted, config.max_leverage, safe)
    position = _Position(weights * leverage, leverage, limit, bonus, names)
    position.trade_to(position.value.copy(), config.cost, first=True)

    nav, health, levers, rows = [1.0], [position.health], [leverage], []
    hourly = (1 + config.borrow_rate) ** (1 / (24 * YEAR_DAYS))
    last = closes.iloc[0].to_numpy(dtype=float)
    for day_number, day in enumerate(closes.index[1:], start=1):
        lowest = np.inf
        for now in hours[day]:
            position.move(now / last, hourly)
            last = now
            lowest = min(lowest, position.health)
            rows += [(day, *row) for row in position.liquidate()]
        if day_number % config.rebalance_days == 0 and position.nav > 0:
            position.trade_to(weights * leverage * position.nav, config.cost)
        nav.append(max(position.nav, 0.0))
        health.append(lowest)
        levers.append(float(position.value.sum() / position.nav) if position.nav > 0 else 0.0)
    table = pd.DataFrame(rows, columns=["date", "symbol", "repaid", "seized", "loss"])
    return PeerResult(
        name,
        pd.Series(nav, index=closes.index),
        pd.Series(health, index=closes.index),
        pd.Series(levers, index=closes.index),
        table,
        float(table["loss"].sum()),
        {**vars(config), "target_leverage": leverage},
    )


class _Position:
    """Collateral and debt of one account, in fractions of its first NAV."""

    def __init__(
        self, value: FloatArray, leverage: float, limit: FloatArray, bonus: FloatArray, names: list[str]
    ) -> None:
        self.value = value
        self.debt = leverage - 1  # negative: idle cash
        self._limit, self._bonus, self._names = limit, bonus, names

    @property
    def nav(self) -> float:
        return float(self.value.sum()) - self.debt

    @property
    def health(self) -> float:
        return float(self.value @ self._limit) / self.debt if self.debt > 1e-12 else float("inf")

    def move(self, growth: FloatArray, interest: float) -> None:
        self.value = self.value * growth
        if self.debt > 0:
            self.debt *= interest

    def trade_to(self, target: FloatArray, cost: float, first: bool = False) -> None:
        traded = float(target.sum() if first else np.abs(target - self.value).sum())
        self.debt += float((target - self.value).sum()) + traded * cost
        self.value = target.copy()

    def liquidate(self) -> list[tuple[str, float, float, float]]:
        """Liquidators take the largest collateral first, until Aave lets them no more."""
        rows = []
        while self.health < 1 and self.value.max() > 1e-9:
            i = int(self.value.argmax())
            close = 1.0 if self.health < HALF_CLOSE_HEALTH else 0.5
            seized = min(self.debt * close * (1 + self._bonus[i]), float(self.value[i]))
            repaid = seized / (1 + self._bonus[i])
            self.value[i] -= seized
            self.debt -= repaid
            rows.append((self._names[i], repaid, seized, seized - repaid))
        return rows
