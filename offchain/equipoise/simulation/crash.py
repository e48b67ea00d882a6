"""Known crashes, replayed hour by hour, with and without keepers and signers.

A target volatility of 15 % leaves little to liquidate in a storm: the volatilities have risen before the
worst day. So beside the vault as it stood, each crash hits one that had borrowed to the limit of its health
factor the evening before, as if its DAO had asked for the most leverage that the rules allow. Each run
happens on a side branch of the chain, which is undone: the replay goes on as if nothing had happened.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from equipoise.client.deployment import Deployment
from equipoise.errors import ContractRevert
from equipoise.keeper import Keeper
from equipoise.simulation.committee import Committee
from equipoise.simulation.crash_result import (
    AS_IT_STOOD,
    KEEPERS_ACT,
    KEEPERS_OUT,
    SIGNERS_SILENT,
    CrashRun,
)
from equipoise.simulation.intraday import HOURS
from equipoise.simulation.result import MODES
from equipoise.types import FloatArray
from equipoise.units import DAY, WAD, from_wad, to_wad
from equipoise.world import World

__all__ = ["CRASHES", "Crash", "CrashStudy", "health_of"]

HOUR = 3600
RECENTRE_AFTER = 0.1  # the pools' providers follow such a move once a day
OUTAGE_HOURS = 24
HIGHEST_VOLATILITY, HIGHEST_LOSS_BUDGET = 1.0, 0.02  # the auction's bounds
_NO_DEBT = 2**256 - 1
_AUCTIONS = 3  # the loss budget of a day may not pay for all of it in one


@dataclass(frozen=True)
class Crash:
    """A named crash: its worst day, and the days before and after that are shown."""

    name: str
    day: str
    before: int = 1
    after: int = 3


CRASHES = (
    Crash("March 2020", "2020-03-12"),
    Crash("May 2021", "2021-05-19"),
    Crash("Luna 2022", "2022-05-09", 1, 4),
    Crash("FTX 2022", "2022-11-08", 1, 4),
)


def health_of(state: Any) -> float:
    """Health factor of a dashboard; infinite without debt."""
    return float("inf") if state.healthFactorWad == _NO_DEBT else state.healthFactorWad / WAD


class CrashStudy:
    """Runs every variant of a crash from the present state of a chain.

    Parameters
    ----------
    world, deployment, keeper, committee
        Those of the replay.
    prices
        Shape (T, n), closes by day.
    hours
        Day to prices by the hour, shape (24, n).
    """

    def __init__(
        self,
        world: World,
        deployment: Deployment,
        keeper: Keeper,
        committee: Committee,
        prices: pd.DataFrame,
        hours: Mapping[pd.Timestamp, FloatArray],
    ) -> None:
        self._world, self._deployment, self._keeper = world, deployment, keeper
        self._committee, self._prices, self._hours = committee, prices, hours

    def starting(self, day: int) -> list[Crash]:
        """The crashes whose first shown day is the one after `day`, as far as the prices reach."""
        days = {f"{date:%Y-%m-%d}": k for k, date in enumerate(self._prices.index)}
        return [
            crash
            for crash in CRASHES
            if crash.day in days
            and days[crash.day] - crash.before == day + 1
            and days[crash.day] + crash.after < len(days)
        ]

    def run(self, crash: Crash, day: int) -> Iterator[CrashRun]:
        """Every variant, from the evening of `day` on."""
        for variant in (AS_IT_STOOD, KEEPERS_ACT, KEEPERS_OUT, SIGNERS_SILENT):
            snapshot = self._world.snapshot()
            try:
                yield _Run(self, crash, variant).play(day)
            finally:
                self._world.revert(snapshot)


class _Run:
    """One variant in course."""

    def __init__(self, study: CrashStudy, crash: Crash, variant: str) -> None:
        self._crash, self._variant = crash, variant
        self._world, self._deployment = study._world, study._deployment
        self._keeper, self._committee = study._keeper, study._committee
        self._prices, self._hours = study._prices, study._hours
        self._account = study._deployment.account
        self._ripcords = self._fills = self._liquidations = 0
        self._loss = self._discount = 0.0

    def play(self, day: int) -> CrashRun:
        index = self._prices.index
        if self._variant != AS_IT_STOOD:
            self._borrow_to_the_limit()
        worst = day + 1 + self._crash.before
        first, last = day + 1, worst + self._crash.after
        rows, times = [self._row(self._deployment.dashboard())], [index[day] + pd.Timedelta(days=1)]
        for k in range(first, last + 1):
            for hour, values in enumerate(self._hours[index[k]], start=1):
                out = self._variant == KEEPERS_OUT and k == worst and hour <= OUTAGE_HOURS
                rows.append(self._hour(k, hour, values, keepers=not out))
                times.append(index[k] + pd.Timedelta(hours=hour))
        params = self._deployment.guard.call("params")
        return CrashRun(
            self._crash.name,
            self._variant,
            pd.DataFrame(rows, index=pd.DatetimeIndex(times)),
            self._ripcords,
            self._fills,
            self._liquidations,
            self._loss,
            self._discount,
            from_wad(params.triggerHealthWad),
        )

    def _borrow_to_the_limit(self) -> None:
        """The owner asks for the highest volatility, and the auctions bring what the health factor allows."""
        auction = self._deployment.auction
        highest = {"targetVolatilityWad": HIGHEST_VOLATILITY, "lossBudgetWad": HIGHEST_LOSS_BUDGET}
        params = auction.call("params")._replace(**{name: to_wad(value) for name, value in highest.items()})
        auction.send("setParams", params, sender=auction.call("owner"))
        current = auction.call("current")
        self._wait_until(current.endsAt + 1)
        for _ in range(_AUCTIONS):
            self._rebalance()
            self._wait_until(auction.call("current").endsAt + 1)

    def _rebalance(self) -> None:
        try:
            self._keeper.open()
        except ContractRevert:
            return  # within the bands, or one is in course
        for _ in self._keeper.fill_all():
            self._fills += 1
            self._world.align_pools()

    def _hour(self, k: int, hour: int, values: FloatArray, keepers: bool) -> dict[str, Any]:
        """Prices, then liquidators, who are always there, then keepers."""
        at = int(self._prices.index[k].timestamp()) + hour * HOUR
        self._wait_until(at)
        names = map(str, self._prices.columns)
        self._world.set_prices({**dict(zip(names, map(float, values), strict=True)), "USDC": 1.0})
        self._world.align_pools()
        if hour == HOURS:
            self._world.recentre_liquidity(RECENTRE_AFTER)
        state = self._deployment.dashboard()
        health = health_of(state)
        if self._account is not None and self._world.aave is not None:
            for done in self._world.aave.liquidate(self._account.address):
                self._liquidations += 1
                self._loss += done.bonus_usd
        if keepers:
            self._act(k, at, hour * HOUR == DAY)
        return {**self._row(self._deployment.dashboard()), "health_factor": health}

    def _act(self, k: int, now: int, midnight: bool) -> None:
        if midnight and self._variant != SIGNERS_SILENT and self._committee.ready(k):
            self._committee.post_volatilities(k, now)
        state = self._deployment.dashboard()
        if self._keeper.ripcord_due(state):
            self._keeper.pull_ripcord()
            self._ripcords += 1
            for ripcord in self._keeper.fill_ripcord():
                self._fills += 1
                self._discount += ripcord.cost_usd
                self._world.align_pools()
        elif state.hasRisk and state.risk.reason and state.mode != MODES.index("InKindOnly"):
            self._rebalance()

    def _row(self, state: Any) -> dict[str, Any]:
        return {
            "share_price": from_wad(state.sharePriceWad),
            "nav_usd": from_wad(state.navWad),
            "health_factor": health_of(state),
            "leverage": from_wad(state.risk.leverageWad) if state.hasRisk else 0.0,
            "mode": MODES[state.mode],
        }

    def _wait_until(self, timestamp: int) -> None:
        if timestamp > self._world.chain.timestamp():
            self._world.warp_to(timestamp)
