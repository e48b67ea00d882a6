"""Real daily prices against the real contracts: one day after another, nothing seen before its day.

Each day at midnight UTC the feeds answer with the day's close, an arbitrageur with its own capital moves the
Uniswap pools to it, the signers estimate from closes up to that day and sign, a keeper relays, opens an
auction when the vault's own rule allows one, and fills it from the pools. Users come and go by a schedule.
Where a market was closed its feed repeats the last close.

While the vault owes debt, the day is looked at by the hour, on paths between the closes. Between two trades
the health factor follows from the prices alone; when that comes near the level below which nothing may be
borrowed, the hours are played on the chain, with liquidators and a keeper who pulls the ripcord.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from equipoise.client.deployment import Deployment
from equipoise.errors import ContractRevert, InputError
from equipoise.keeper import Keeper
from equipoise.keeper.lots import may_help
from equipoise.policy.leverage import health_factor
from equipoise.simulation.actors import Step, schedule
from equipoise.simulation.by_hand import peers_by_hand
from equipoise.simulation.committee import Committee
from equipoise.simulation.crash import HOUR, CrashStudy, health_of
from equipoise.simulation.intraday import intraday_paths
from equipoise.simulation.latency import round_trips
from equipoise.simulation.peer import PeerResult
from equipoise.simulation.record import Record, frame
from equipoise.simulation.result import MODES, ReplayResult
from equipoise.simulation.visits import visit
from equipoise.units import DAY, from_token, from_wad
from equipoise.world import World

__all__ = ["DayView", "Replay", "ReplayConfig"]

EXCHANGE_TRADED = ("SPX", "USMV")
REASONS = ("none", "parity gap", "volatility too low", "volatility too high")
_GWEI = 1e-9
_NEAR = 1.05  # of the health factor below which nothing is borrowed: the hours are played on the chain


@dataclass(frozen=True)
class ReplayConfig:
    """How to replay.

    Attributes
    ----------
    correlations_every, latency_every
        Days between correlation reports, and between latency round trips.
    recentre_after
        Relative move of a pool's price after which its liquidity providers follow it.
    latency_deviation
        How far every feed may lag its market in a latency round trip, a fraction: the feeds' threshold.
    latency_stake
        USD of each attempt.
    gas_price_gwei
        For the cost of gas in USD.
    """

    seed: int = 7
    correlations_every: int = 7
    recentre_after: float = 0.1
    latency_every: int = 30
    latency_deviation: float = 0.005
    latency_stake: float = 100_000.0
    gas_price_gwei: float = 20.0


@dataclass(frozen=True)
class DayView:
    """What a progress bar shows of a day."""

    date: pd.Timestamp
    share_price: float
    parity_gap: float
    mode: str
    rebalances: int
    leverage: float


@dataclass
class _LendingDay:
    """What a day did to the debt."""

    lowest: float = float("inf")
    interest: float = 0.0
    ripcords: int = 0
    liquidations: int = 0
    turnover: float = 0.0
    cost: float = 0.0


class Replay:
    """One replay of one price table.

    Parameters
    ----------
    world
        Local chain at a time before the first day; it has a pool and a feed for each column of `prices`.
    deployment
        The vault there, without reports or deposits.
    prices
        Shape (T, n), closes in USD, no gaps (closed days hold the last close), DatetimeIndex by day.
    committee
        The signers, on the same days.
    users
        Unlocked account of each user of the schedule, and "keeper" and "latency_trader".
    eth_price
        USD per ether by day, for the cost of gas.
    """

    def __init__(
        self,
        world: World,
        deployment: Deployment,
        prices: pd.DataFrame,
        committee: Committee,
        users: dict[str, str],
        eth_price: pd.Series,
        config: ReplayConfig,
    ) -> None:
        self._world = world
        self._deployment = deployment
        self._prices = prices
        self._committee = committee
        self._users = users
        self._eth_price = eth_price
        self._config = config
        self._steps: dict[int, list[Step]] = {}
        for step in schedule(len(prices), config.seed):
            self._steps.setdefault(step.day, []).append(step)
        self._keeper = Keeper(deployment, users["keeper"], world.quoter, self._wait_until)
        traded = [str(name) for name in prices.columns if name in EXCHANGE_TRADED]
        self._hours = intraday_paths(prices, traded, config.seed)
        self._crashes = CrashStudy(world, deployment, self._keeper, committee, prices, self._hours)
        self._record = Record()
        self._correlations_day: int | None = None
        self._gas = 0
        self._debt = 0.0
        self._lending = _LendingDay()

    def run(self, on_day: Callable[[DayView], None] = lambda _: None) -> ReplayResult:
        """Replay every day; raises what the chain raises: a replay that needs luck is a defect."""
        started = time.monotonic()
        for k, date in enumerate(self._prices.index):
            on_day(self._day(k, date))
        return self._result(time.monotonic() - started)

    # ------------------------------------------------------------------ a day

    def _day(self, k: int, date: pd.Timestamp) -> DayView:
        world, config = self._world, self._config
        self._gas = 0
        self._lending = _LendingDay()
        midnight = int(date.timestamp()) + DAY
        self._keeper.gas_usd = self._gas_usd(400_000, k)
        if self._debt:
            self._through_the_hours(date)
        self._wait_until(midnight)
        prices = {str(name): float(price) for name, price in self._prices.iloc[k].items()}
        world.set_prices({**prices, "USDC": 1.0})
        world.align_pools()
        world.recentre_liquidity(config.recentre_after)
        if self._deployment.account is not None:
            self._close_of_day()
        self._relay(k, midnight)
        for step in self._steps.get(k, ()):
            self._act(step, date)
        rebalance, state = self._rebalance(date)
        if k and k % config.latency_every == 0 and self._record.invested_from is not None:
            self._record.latency += round_trips(
                world,
                self._deployment,
                self._users["latency_trader"],
                date,
                prices,
                config.latency_deviation,
                config.latency_stake,
            )
        for crash in self._crashes.starting(k) if self._record.invested_from is not None else ():
            self._record.crashes += self._crashes.run(crash, k)
        return self._write_day(k, date, rebalance, state)

    # ---------------------------------------------------------------- lending

    def _through_the_hours(self, date: pd.Timestamp) -> None:
        """The lowest health factor of the hours before the close; they are played out where it comes near."""
        state = self._deployment.dashboard()
        n = self._deployment.n
        before = np.array([from_wad(price) for price in state.pricesWad[:n]])
        values = np.array([from_wad(weight) for weight in state.weightsWad[:n]]) * from_wad(state.navWad)
        thresholds = [from_wad(threshold) for threshold in state.thresholdsWad]
        debt = from_wad(state.debtWad)
        lows = [health_factor(values * now / before, thresholds, debt) for now in self._hours[date][:-1]]
        params = self._deployment.guard.call("params")
        if min(lows) > _NEAR * from_wad(params.increaseHealthWad):
            self._lending.lowest = min(lows)
            return
        for hour, now in enumerate(self._hours[date][:-1], start=1):
            self._wait_until(int(date.timestamp()) + hour * HOUR)
            names = map(str, self._prices.columns)
            self._world.set_prices({**dict(zip(names, map(float, now), strict=True)), "USDC": 1.0})
            self._world.align_pools()
            self._defend()

    def _close_of_day(self) -> None:
        """At the close's prices, before anybody trades: interest since yesterday, and the same defence."""
        debt = from_token(self._deployment.vault.call("debt"))
        if self._debt and not self._lending.ripcords:
            self._lending.interest = debt - self._debt
        self._defend()

    def _defend(self) -> None:
        """Liquidators take what they may; a keeper pulls the ripcord where it is due, within the hour."""
        state = self._deployment.dashboard()
        self._lending.lowest = min(self._lending.lowest, health_of(state))
        if self._deployment.account is None or self._world.aave is None:
            return
        self._lending.liquidations += len(self._world.aave.liquidate(self._deployment.account.address))
        if not self._keeper.ripcord_due(state):
            return
        self._gas += self._keeper.pull_ripcord().gas_used
        self._lending.ripcords += 1
        for fill in self._keeper.fill_ripcord():
            self._gas += fill.gas_used
            self._lending.turnover += fill.sold_usd
            self._lending.cost += fill.cost_usd
            self._world.align_pools()

    # ---------------------------------------------------------------- keeping

    def _wait_until(self, timestamp: int) -> None:
        if timestamp > self._world.chain.timestamp():
            self._world.warp_to(timestamp)

    def _relay(self, k: int, observed_at: int) -> None:
        """Volatilities daily, correlations when due; none before the signers have enough data.

        Users and keeper come when the post has settled and is in use.
        """
        self._gas += sum(receipt.gas_used for receipt in self._keeper.poke())
        if not self._committee.ready(k):
            return
        due = self._correlations_day is None or k - self._correlations_day >= self._config.correlations_every
        if due:
            self._gas += self._committee.post_correlations(k, observed_at).gas_used
            self._correlations_day = k
        self._gas += self._committee.post_volatilities(k, observed_at).gas_used
        self._wait_until(self._deployment.volatility_oracle.call("lastPost").settlesAt)

    def _rebalance(self, date: pd.Timestamp) -> tuple[dict[str, Any], Any]:
        """Open when the vault's own rule says so, fill what the pools pay for; the dashboard after it."""
        nothing = {"turnover_usd": 0.0, "cost_usd": 0.0, "fills": 0}
        before = self._deployment.dashboard()
        if not before.hasRisk or before.risk.reason == 0 or not may_help(before):
            return nothing, before
        try:
            opened = self._keeper.open()
        except ContractRevert:
            return nothing, before  # an auction of another keeper is still in course
        fills = []
        for fill in self._keeper.fill_all():
            fills.append(fill)
            self._world.align_pools()  # the arbitrageur answers each trade
        after = self._deployment.dashboard()
        gas = opened.gas_used + sum(fill.gas_used for fill in fills)
        self._gas += gas
        row = {
            "date": date,
            "reason": REASONS[before.risk.reason],
            "fills": len(fills),
            "turnover_usd": sum(fill.sold_usd for fill in fills),
            "cost_usd": sum(fill.cost_usd for fill in fills),
            "gas": gas,
            "gap_before": from_wad(before.risk.parityGapWad),
            "gap_after": from_wad(after.risk.parityGapWad),
        }
        self._record.rebalances.append(row)
        if fills and self._record.invested_from is None:
            self._record.invested_from = date
        return row, after

    def _act(self, step: Step, date: pd.Timestamp) -> None:
        done = visit(self._world, self._deployment, self._users[step.user], step)
        if done is not None:
            row = {"date": date, "user": step.user, "action": step.action, "usd": done.usd, "gas": done.gas}
            self._record.actions.append(row)

    # ----------------------------------------------------------------- record

    def _gas_usd(self, gas: int, k: int) -> float:
        return gas * self._config.gas_price_gwei * _GWEI * float(self._eth_price.iloc[k])

    def _write_day(self, k: int, date: pd.Timestamp, rebalance: dict[str, Any], state: Any) -> DayView:
        """`state` is the dashboard at the day's end: what the latency trader tries is undone."""
        record, n = self._record, self._deployment.n
        risk = state.risk
        gap = from_wad(risk.parityGapWad) if state.hasRisk else 0.0
        age = state.volatilitiesAge if state.volatilitiesAge < 2**255 else (k + 1) * DAY
        lending = self._lending
        self._debt = from_token(state.debt)
        record.days.append(
            {
                "health_factor": health_of(state),
                "min_health_factor": min(lending.lowest, health_of(state)),
                "debt_usd": from_wad(state.debtWad),
                "borrow_rate": from_wad(state.borrowRateWad),
                "interest_usd": lending.interest,
                "ripcords": lending.ripcords,
                "liquidations": lending.liquidations,
                "target_leverage": from_wad(risk.targetLeverageWad) if state.hasRisk else 0.0,
                "nav_usd": from_wad(state.navWad),
                "share_price": from_wad(state.sharePriceWad),
                "parity_gap": gap,
                "leverage": from_wad(risk.leverageWad) if state.hasRisk else 0.0,
                "volatility": from_wad(risk.volatilityWad) if state.hasRisk else np.nan,
                "mode": MODES[state.mode],
                "turnover_usd": rebalance["turnover_usd"] + lending.turnover,
                "trading_cost_usd": rebalance["cost_usd"] + lending.cost,
                "gas_used": self._gas,
                "gas_usd": self._gas_usd(self._gas, k),
                "rebalanced": rebalance["fills"] > 0,
                "report_age_s": float(age),
            }
        )
        record.weights.append([from_wad(w) for w in state.weightsWad[:n]])
        record.shares.append([from_wad(s) for s in risk.sharesWad] if state.hasRisk else [0.0] * n)
        return DayView(
            date,
            record.days[-1]["share_price"],
            gap,
            MODES[state.mode],
            len(record.rebalances),
            record.days[-1]["leverage"],
        )

    def _result(self, wall_s: float) -> ReplayResult:
        record, index, columns = self._record, self._prices.index, list(self._prices.columns)
        params = self._deployment.auction.call("params")
        guard, levered = self._deployment.guard.call("params"), self._deployment.account is not None
        return ReplayResult(
            days=pd.DataFrame(record.days, index=index),
            weights=pd.DataFrame(record.weights, index=index, columns=columns),
            risk_shares=pd.DataFrame(record.shares, index=index, columns=columns),
            prices=self._prices,
            covariances=self._committee.covariances,
            rebalances=frame(
                record.rebalances,
                ("date", "reason", "fills", "turnover_usd", "cost_usd", "gas", "gap_before", "gap_after"),
            ),
            actions=frame(record.actions, ("date", "user", "action", "usd", "gas")),
            latency=frame(
                [asdict(attempt) for attempt in record.latency],
                ("date", "move", "profit_usd", "profit_bps"),
            ),
            budgets=pd.Series(self._deployment.budgets, index=columns),
            band=from_wad(params.parityBandWad),
            target_vol=from_wad(params.targetVolatilityWad),
            gas_price_gwei=self._config.gas_price_gwei,
            eth_price=self._eth_price,
            invested_from=self._invested_from(),
            health_trigger=from_wad(guard.triggerHealthWad) if levered else 0.0,
            health_target=from_wad(guard.targetHealthWad) if levered else 0.0,
            max_leverage=from_wad(params.maxLeverageWad),
            crashes=tuple(record.crashes),
            peers=self._peers() if levered else (),
            wall_s=wall_s,
            seed=self._config.seed,
            config=asdict(self._config),
        )

    def _peers(self) -> tuple[PeerResult, ...]:
        """From the vault's first day on."""
        start = self._prices.index.get_loc(self._invested_from())
        days = pd.DataFrame(self._record.days)
        covariance, prices = self._committee.covariances[start], self._prices.iloc[start:]
        return peers_by_hand(self._world, self._deployment, prices, self._hours, covariance, days)

    def _invested_from(self) -> pd.Timestamp:
        if self._record.invested_from is None:
            raise InputError(
                f"the vault never invested in {len(self._prices)} days: signers need 30 common closes before "
                "they sign; choose more days"
            )
        return self._record.invested_from
