"""What a replay of the real vault on real prices recorded, checked once so that readers need not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from equipoise.client.findings import MODES
from equipoise.errors import InputError
from equipoise.simulation.crash_result import CrashRun
from equipoise.simulation.peer import PeerResult
from equipoise.types import FloatArray

__all__ = ["ACTION_COLUMNS", "DAY_COLUMNS", "LATENCY_COLUMNS", "MODES", "REBALANCE_COLUMNS", "ReplayResult"]

DAY_COLUMNS = (
    "nav_usd",
    "share_price",
    "parity_gap",
    "leverage",
    "volatility",
    "mode",
    "turnover_usd",
    "trading_cost_usd",
    "gas_used",
    "gas_usd",
    "rebalanced",
    "report_age_s",
    "target_leverage",
    "debt_usd",
    "borrow_rate",
    "interest_usd",
    "health_factor",
    "min_health_factor",
    "ripcords",
    "liquidations",
)
REBALANCE_COLUMNS = ("date", "reason", "fills", "turnover_usd", "cost_usd", "gas", "gap_before", "gap_after")
ACTION_COLUMNS = ("date", "user", "action", "usd", "gas")
LATENCY_COLUMNS = ("date", "move", "profit_usd", "profit_bps")

_HEALTH_COLUMNS = ("health_factor", "min_health_factor")
_NUMERIC_DAY_COLUMNS = tuple(
    c for c in DAY_COLUMNS if c not in ("mode", "rebalanced", "volatility", *_HEALTH_COLUMNS)
)
_SUM_TOLERANCE = 1e-6


@dataclass(frozen=True, eq=False)
class ReplayResult:
    """The record of one replay. Every frame by day shares the index of `days`: dates, strictly rising.

    Attributes
    ----------
    days
        Columns `DAY_COLUMNS`: nav_usd (USD), share_price (USDC a share), parity_gap (fraction of variance),
        leverage (gross exposure / NAV), volatility (the vault's own annual estimate, NaN before the first),
        mode (one of `MODES`), turnover_usd (assets bought plus sold in the day's fills, each against cash),
        trading_cost_usd (value given away in them at mid prices; negative is a gain), gas_used (gas of the
        day's oracle and keeper transactions), gas_usd, rebalanced (bool), report_age_s, target_leverage,
        debt_usd, borrow_rate (a year), interest_usd (owed since the day before), health_factor (at the end of
        the day) and min_health_factor (the lowest hour's, before anybody acted), both infinite without debt,
        ripcords, liquidations (how many).
    weights, risk_shares, prices
        Date x asset: exposure / NAV at the end of the day, share of variance by the vault's own estimate
        (zeros while nothing is held), mid price in USD.
    covariances
        Shape (days, n, n): the signers' annualised estimate of each day from data up to that day; NaN
        before the first. Finite from `invested_from` on.
    rebalances, actions, latency
        Columns `REBALANCE_COLUMNS`, `ACTION_COLUMNS` (deposit, redeem, exit_in_kind, zap) and
        `LATENCY_COLUMNS` (attempted round trips on an old price: the move in the feed that the attempt
        tried to use, and what it earned).
    budgets
        Fraction of variance by asset, > 0, sum 1.
    band, target_vol
        The parity gap that opens a rebalance, and the target volatility a year.
    gas_price_gwei, eth_price
        Gas price, and USD per ether by day.
    invested_from
        Day of the first investment; one of the dates of `days`.
    health_trigger, health_target, max_leverage
        Health factors of the ripcord and of the targets, 0 without a lending account; the cap on leverage.
    crashes
        The crash chapter.
    peers
        The same basket levered by hand; empty without a lending account.
    wall_s, config, seed
        Seconds that the replay took, its settings (JSON values), its seed.
    """

    days: pd.DataFrame
    weights: pd.DataFrame
    risk_shares: pd.DataFrame
    prices: pd.DataFrame
    covariances: FloatArray
    rebalances: pd.DataFrame
    actions: pd.DataFrame
    latency: pd.DataFrame
    budgets: pd.Series
    band: float
    target_vol: float
    gas_price_gwei: float
    eth_price: pd.Series
    invested_from: pd.Timestamp
    health_trigger: float = 0.0
    health_target: float = 0.0
    max_leverage: float = 1.0
    crashes: tuple[CrashRun, ...] = ()
    peers: tuple[PeerResult, ...] = ()
    wall_s: float = 0.0
    seed: int = 0
    config: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._check_days()
        for name in ("weights", "risk_shares", "prices"):
            self._check_by_asset(name)
        if not self.invested.any():
            raise InputError("the vault held no basket at the end of any day; replay a longer period")
        self._check_budgets()
        for name, columns in (
            ("rebalances", REBALANCE_COLUMNS),
            ("actions", ACTION_COLUMNS),
            ("latency", LATENCY_COLUMNS),
        ):
            _check_columns(getattr(self, name), columns, name)
        self._check_covariances()
        for name in ("band", "target_vol"):
            if not 0 < getattr(self, name) < 10:
                raise InputError(f"{name} is {getattr(self, name)}; it is a fraction between 0 and 10")
        if not np.isfinite(self.gas_price_gwei) or self.gas_price_gwei < 0:
            raise InputError(f"gas_price_gwei is {self.gas_price_gwei}; it must be finite and >= 0")
        if not self.eth_price.index.equals(self.days.index) or not _positive(self.eth_price):
            raise InputError("eth_price needs one finite value > 0 for every date of days")

    @property
    def levered(self) -> bool:
        """Whether the vault could borrow."""
        return self.health_trigger > 0

    @property
    def min_health_factor(self) -> float:
        """The lowest of all hours; infinite when there never was debt."""
        return float(self.days["min_health_factor"].min())

    @property
    def assets(self) -> list[str]:
        """Names of the basket, in its order."""
        return [str(name) for name in self.prices.columns]

    @property
    def start(self) -> int:
        """Row of `invested_from`."""
        return int(np.flatnonzero(self.days.index == self.invested_from)[0])

    @property
    def base(self) -> int:
        """Row on which performance starts: the day before the first investment, so that the cost of
        investing is measured; the first investment's own day where the replay has no day before."""
        return max(self.start - 1, 0)

    @property
    def invested(self) -> pd.Series:
        """Whether the vault held a basket at the end of the day: its shares of variance sum to 1."""
        held = self.risk_shares.sum(axis=1) > 0.5
        return held & (self.days.index >= self.invested_from)

    def _check_days(self) -> None:
        if self.days.empty:
            raise InputError("the replay has no days; it needs at least 2: choose a longer period")
        if len(self.days) < 2:
            raise InputError("the replay has 1 day; a return needs at least 2: choose a longer period")
        _check_columns(self.days, DAY_COLUMNS, "days")
        index = self.days.index
        if (
            not isinstance(index, pd.DatetimeIndex)
            or not index.is_monotonic_increasing
            or index.has_duplicates
        ):
            raise InputError("days must be indexed by strictly rising dates (a DatetimeIndex)")
        for column in _NUMERIC_DAY_COLUMNS:
            values = self.days[column].to_numpy(dtype=float)
            if not np.all(np.isfinite(values)):
                bad = index[int(np.argmin(np.isfinite(values)))]
                raise InputError(f"days.{column} is not finite on {bad:%Y-%m-%d}; record a number every day")
        for column in _HEALTH_COLUMNS:
            if not (self.days[column] > 0).all():
                raise InputError(f"days.{column} must be > 0 every day, infinite without debt")
        unknown = set(self.days["mode"]) - set(MODES)
        if unknown:
            raise InputError(f"days.mode holds {sorted(map(str, unknown))}; modes are {', '.join(MODES)}")
        if self.invested_from not in index:
            raise InputError(f"invested_from {self.invested_from} is not one of the {len(index)} days")
        for column in ("share_price", "nav_usd"):
            empty = self.days[column].iloc[self.base :] <= 0
            if empty.any():
                bad = index[self.base + int(empty.argmax())]
                raise InputError(f"days.{column} is not > 0 on {bad:%Y-%m-%d}; keep a deposit in the vault")

    def _check_by_asset(self, name: str) -> None:
        frame: pd.DataFrame = getattr(self, name)
        if not frame.index.equals(self.days.index):
            raise InputError(f"{name} has {len(frame)} rows; it must have exactly the dates of days")
        if list(frame.columns) != list(self.prices.columns) or frame.columns.has_duplicates:
            raise InputError(f"{name} has columns {list(frame.columns)}; they must equal those of prices")
        if not np.all(np.isfinite(frame.to_numpy(dtype=float))):
            raise InputError(f"{name} has values that are not finite; record a number every day")
        if name == "prices" and not _positive(frame):
            raise InputError("prices must be > 0 on every day")

    def _check_budgets(self) -> None:
        if list(self.budgets.index) != list(self.prices.columns):
            raise InputError(f"budgets are for {list(self.budgets.index)}; the basket is {self.assets}")
        total = float(self.budgets.sum())
        if not _positive(self.budgets) or abs(total - 1) > _SUM_TOLERANCE:
            raise InputError(f"budgets {self.budgets.tolist()} must be > 0 and sum to 1 (sum {total:.9g})")

    def _check_covariances(self) -> None:
        n = len(self.prices.columns)
        expected = (len(self.days), n, n)
        if self.covariances.shape != expected:
            raise InputError(f"covariances have shape {self.covariances.shape}; expected {expected}")
        if not np.all(np.isfinite(self.covariances[self.start :])):
            raise InputError("covariances must be finite from invested_from on: estimate before investing")


def _check_columns(frame: pd.DataFrame, columns: tuple[str, ...], name: str) -> None:
    missing = [column for column in columns if column not in frame.columns]
    if missing:
        raise InputError(f"{name} lacks the columns {missing}; it needs {', '.join(columns)}")


def _positive(values: pd.DataFrame | pd.Series) -> bool:
    array = values.to_numpy(dtype=float)
    return bool(np.all(np.isfinite(array)) and np.all(array > 0))
