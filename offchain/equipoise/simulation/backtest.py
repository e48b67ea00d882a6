"""The vault's own policy over any price table, thousands of days in seconds: no chain, the same rules.

A day is its close: the oracle's reports of that close are in use, the rule of `policy.rebalance` looks at the
drifted exposures, and the trades of its `plan_trades` are made at the close for what `CostModel` says, as far
as the day's loss budget goes. Left out beside the replay on the real contracts: users' flows and their entry
fees, the minutes of an auction, guard modes other than Normal, hours between closes, the venues' noise in the
signers' prices. Told what the replay paid for a dollar traded and for debt, its NAV stays within 1 % of the
replay's on every day of a quarter (tests/e2e/test_backtest.py).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from math import inf

import numpy as np
import pandas as pd

from equipoise.client.config import AuctionConfig, GuardConfig
from equipoise.errors import InputError
from equipoise.estimation.ewma import EstimationConfig, estimate_path
from equipoise.policy.leverage import health_cap, health_factor
from equipoise.policy.parity import scaled_risk_state, target_exposures
from equipoise.policy.rebalance import CASH, Bands, Reason, State, plan_trades, should_rebalance
from equipoise.simulation.benchmarks import VAULT, Portfolio
from equipoise.simulation.costs import CostModel
from equipoise.simulation.ledger import Ledger
from equipoise.simulation.oracle_path import OraclePath, oracle_path
from equipoise.types import FloatArray

__all__ = ["DAY_COLUMNS", "BacktestConfig", "BacktestResult", "backtest_oracle", "run_backtest"]

DAY_COLUMNS = (
    "volatility",
    "parity_gap",
    "leverage",
    "target_leverage",
    "debt",
    "interest",
    "health_factor",
    "turnover",
    "cost",
    "gas",
    "reason",
)

DEFAULT_THRESHOLD = 0.75
"""Liquidation threshold of an asset that the lending market is not known to list."""


@dataclass(frozen=True)
class BacktestConfig:
    """Parameters of the vault, of its signers and of the market.

    Attributes
    ----------
    auction, guard
        Target volatility, bands, loss budget, buffer and leverage; the health factor of the targets. Those
        of a deployment by default; `auction.max_leverage` above 1 borrows.
    estimation
        How the signers estimate.
    budgets
        Shape (n,), > 0, sum 1; equal by default.
    thresholds
        Liquidation thresholds (n,) at the lending market; 0.75 by default.
    correlations_every
        Days between correlation reports.
    min_trade
        Fraction of NAV, in [0, 0.1]; a keeper leaves smaller trades out.
    costs
        See `CostModel`.
    """

    auction: AuctionConfig = field(default_factory=lambda: AuctionConfig(max_leverage=3.0))
    guard: GuardConfig = field(default_factory=GuardConfig)
    estimation: EstimationConfig = field(default_factory=EstimationConfig)
    budgets: tuple[float, ...] | None = None
    thresholds: tuple[float, ...] | None = None
    correlations_every: int = 7
    min_trade: float = 0.001
    costs: CostModel = field(default_factory=CostModel)

    def __post_init__(self) -> None:
        auction = self.auction
        for name, low, high in (
            ("target_volatility", 0.01, 1.0),
            ("max_leverage", 0.1, 4.0),
            ("parity_band", 0.0, 1.0),
            ("volatility_band", 0.0, 1.0),
            ("loss_budget", 1e-6, 1.0),
            ("cash_buffer", 0.0, 0.5),
        ):
            if not low <= getattr(auction, name) <= high:
                raise InputError(f"{name} is {getattr(auction, name)}; give {low:g} to {high:g}")
        if not 0 <= self.min_trade <= 0.1:
            raise InputError(f"min_trade is {self.min_trade}; give 0 to 0.1 of NAV")

    @property
    def levered(self) -> bool:
        """Whether it may borrow."""
        return self.auction.max_leverage > 1

    @property
    def buffer(self) -> float:
        """Fraction of NAV kept in cash beside debt; without debt the cash is what is not invested."""
        return self.auction.cash_buffer if self.levered else 0.0


@dataclass(frozen=True, eq=False)
class BacktestResult:
    """A path of the vault.

    Attributes
    ----------
    portfolio
        NAV, weights, turnover and cost from the day before the first investment on.
    days
        Columns `DAY_COLUMNS` on the same days, at their end: volatility by the oracle, leverage and its
        target (sums of exposures), parity gap, debt and the interest since the day before (fractions of
        NAV), health factor (infinite without debt), turnover, cost, gas, and why it rebalanced.
    oracle
        What was in use; its arrays begin with the price table, not with the path.
    config
        As given.
    """

    portfolio: Portfolio
    days: pd.DataFrame
    oracle: OraclePath
    config: BacktestConfig

    @property
    def rebalances(self) -> int:
        """Days with trades."""
        return int((self.days["turnover"] > 0).sum())


def run_backtest(
    closes: pd.DataFrame,
    config: BacktestConfig | None = None,
    *,
    oracle: OraclePath | None = None,
    on_day: Callable[[int, int], None] = lambda day, total: None,
) -> BacktestResult:
    """Follow the policy through `closes`.

    Parameters
    ----------
    closes
        Shape (T, n), n >= 2, USD, NaN where a market was closed; DatetimeIndex by day: as `load_prices`.
    config
        Defaults when omitted.
    oracle
        `backtest_oracle` of the same closes and configuration, when it is at hand: runs that differ in bands
        only share it.
    on_day
        Called with the row and the number of rows.

    Raises
    ------
    InputError
        A table, budgets or thresholds outside their domain (`EstimationError`, `SolverError` among them).
    """
    config = config or BacktestConfig()
    n = closes.shape[1]
    if n < 2:
        raise InputError(
            f"{n} assets ({', '.join(map(str, closes.columns))}): parity needs at least 2; name more columns"
        )
    budgets = _vector(config.budgets, n, 1 / n, "budgets")
    thresholds = _vector(config.thresholds, n, DEFAULT_THRESHOLD, "thresholds")
    if not ((thresholds >= 0) & (thresholds <= 1)).all():
        raise InputError(f"thresholds {thresholds.tolist()} must be in [0, 1], 0 for no collateral")
    prices = closes.ffill().bfill()
    ledger = Ledger(prices, config.costs, config.buffer)
    _check_moves(prices)
    oracle = oracle or backtest_oracle(closes, config)
    if oracle.vol_ann.shape != closes.shape:
        raise InputError(
            f"the oracle is of a table {oracle.vol_ann.shape}, the closes are {closes.shape}; make "
            "it of these by backtest_oracle"
        )
    desk = _Desk(config, oracle, budgets, thresholds)
    bands = Bands(config.auction.parity_band, config.auction.volatility_band)
    rows: list[tuple[float, ...]] = []
    reasons: list[str] = []
    for t in range(len(prices)):
        exposures = ledger.advance(t)
        reason = Reason.NONE
        if t >= oracle.first:
            ledger.gas[t] += config.costs.gas_per_report
            targets, target_volatility = desk.targets(t, float(exposures.sum()))
            look = desk.look(t, exposures)
            reason = should_rebalance(State(look[1], look[0], target_volatility), bands)
            if reason:
                ledger.gas[t] += config.costs.gas_per_rebalance
                exposures = ledger.trade(t, desk.trades(exposures, targets, ledger.debt[t], ledger.nav[t]))
                look = desk.look(t, exposures)
            health = health_factor(exposures, thresholds, ledger.debt[t])
            rows.append((*look, float(exposures.sum()), float(targets.sum()), health))
        else:
            rows.append((np.nan, 0.0, 0.0, 0.0, np.inf))
        reasons.append(reason.name.lower().replace("_", " "))
        on_day(t, len(prices))
    base = max(oracle.first - 1, 0)
    looks = np.array(rows)
    days = pd.DataFrame(
        {
            "volatility": looks[:, 0],
            "parity_gap": looks[:, 1],
            "leverage": looks[:, 2],
            "target_leverage": looks[:, 3],
            "debt": ledger.debt,
            "interest": ledger.interest,
            "health_factor": looks[:, 4],
            "turnover": ledger.turnover,
            "cost": ledger.cost,
            "gas": ledger.gas,
            "reason": reasons,
        },
        index=prices.index,
    ).iloc[base:]
    rule = "Risk parity at a target volatility, by the vault's own rules; costs and interest included."
    portfolio = ledger.portfolio(VAULT, "Risk parity", rule, oracle.covariances, base)
    return BacktestResult(portfolio, days, oracle, config)


def backtest_oracle(closes: pd.DataFrame, config: BacktestConfig) -> OraclePath:
    """What the oracle has in use on each day; it depends on `budgets`, `estimation`, `correlations_every`."""
    budgets = _vector(config.budgets, closes.shape[1], 1 / closes.shape[1], "budgets")
    estimates = estimate_path(closes, config.estimation)
    return oracle_path(closes, estimates, budgets, config.correlations_every)


class _Desk:
    """Looks at exposures of a day, and plans its trades, with the vault's policy."""

    def __init__(
        self, config: BacktestConfig, oracle: OraclePath, budgets: FloatArray, thresholds: FloatArray
    ) -> None:
        self._config, self._budgets = config, budgets
        self._ratio, self._correlation = oracle.ratio.tolist(), oracle.correlation
        self._vol_ann = oracle.vol_ann
        self._names = [str(i) for i in range(len(budgets))]
        self._targets, self._volatility = _targets(config, oracle, thresholds)
        auction = config.auction
        self._dear = config.levered and config.costs.borrow_rate > auction.max_borrow_rate

    def targets(self, t: int, leverage: float) -> tuple[FloatArray, float]:
        """Target exposures (n,) and their volatility, as `RiskTargets` on chain; `leverage` is today's."""
        targets, volatility = self._targets[t], float(self._volatility[t])
        if self._dear:  # debt is not raised, but need not fall
            scale = min(1.0, max(leverage, 1 - self._config.auction.cash_buffer) / float(targets.sum()))
            return targets * scale, volatility * scale
        return targets, volatility

    def look(self, t: int, exposures: FloatArray) -> tuple[float, float]:
        """Volatility and parity gap."""
        volatility, gap = scaled_risk_state(exposures * self._vol_ann[t], self._correlation[t], self._budgets)
        return volatility * self._ratio[t], gap

    def trades(self, exposures: FloatArray, targets: FloatArray, debt: float, nav: float) -> FloatArray:
        """Trades (n,), fractions of NAV, that a keeper plans, as far as the day's loss budget pays."""
        config = self._config
        toll = config.costs.to_reach(targets, exposures, nav)
        money = 1 - float(exposures.sum()) - toll
        planned = plan_trades(
            dict(zip(self._names, exposures.tolist(), strict=True)),
            max(0.0, money + debt),
            dict(zip(self._names, targets.tolist(), strict=True)),
            config.min_trade,
            max(debt, -money),
            inf if config.levered else 0.0,
        )
        trades = np.zeros(len(exposures))
        for trade in planned:
            sold = trade.buy == CASH
            trades[int(trade.sell if sold else trade.buy)] = -trade.usd if sold else trade.usd
        if not config.levered:  # sales too small to make leave less for purchases and the toll
            buys = np.maximum(trades, 0.0)
            room = max(0.0, money - float(np.minimum(trades, 0.0).sum()))
            trades = trades - buys * max(0.0, 1 - room / (float(buys.sum()) or 1.0))
        cost, budget = config.costs.of(trades, nav), config.auction.loss_budget
        return trades * min(1.0, budget / cost) if cost > 0 else trades


def _targets(
    config: BacktestConfig, oracle: OraclePath, thresholds: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Target exposures (T, n) under the caps that no debt changes, and their volatilities (T,)."""
    auction, first = config.auction, oracle.first
    x, vol_ann = oracle.coordinates[first:], oracle.vol_ann[first:] * oracle.ratio[first:, None]
    targets = np.zeros_like(oracle.vol_ann)
    wanted = target_exposures(x, vol_ann, auction.target_volatility, auction.max_leverage)
    if config.levered:
        cap = health_cap(wanted, thresholds, config.guard.target_health, auction.cash_buffer)
        total = wanted.sum(axis=1)
        scale = np.where(total + auction.cash_buffer > 1, np.minimum(1.0, cap / total), 1.0)
        wanted = wanted * scale[:, None]
    targets[first:] = wanted
    volatility = np.zeros(len(targets))
    # with x' C x = 1 the volatility of k x / sigma is k
    volatility[first:] = wanted[:, 0] * vol_ann[:, 0] / x[:, 0]
    return targets, volatility


def _vector(values: tuple[float, ...] | None, n: int, default: float, name: str) -> FloatArray:
    if values is None:
        return np.full(n, default)
    if len(values) != n:
        raise InputError(f"{len(values)} {name} for {n} assets; give one each")
    return np.array(values, dtype=float)


def _check_moves(prices: pd.DataFrame) -> None:
    still = prices.columns[prices.nunique() == 1]
    if len(still) and len(prices) > 1:
        raise InputError(f"{still[0]} does not move on any day: an asset without risk; leave it out")
