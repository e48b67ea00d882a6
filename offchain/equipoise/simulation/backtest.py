"""The vault's own policy over any price table, thousands of days in seconds: no chain, the same rules.

A day is its close: the oracle's reports of that close are in use, the rule of `policy.rebalance` looks at the
drifted exposures, and trades of `policy.rebalance.plan_trades` are made at the close for what `CostModel`
says, as far as the day's loss budget goes. Left out beside the replay on the real contracts: users' flows and
their entry fees, the minutes of an auction, guard modes other than Normal, hours between closes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from equipoise.client.config import AuctionConfig, GuardConfig
from equipoise.errors import InputError
from equipoise.estimation.ewma import EstimationConfig, estimate_path
from equipoise.policy.leverage import health_cap, health_factor
from equipoise.policy.parity import parity_gap, portfolio_volatility, target_exposures
from equipoise.policy.rebalance import Bands, Reason, State, should_rebalance
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
    costs
        See `CostModel`.
    """

    auction: AuctionConfig = field(default_factory=lambda: AuctionConfig(max_leverage=3.0))
    guard: GuardConfig = field(default_factory=GuardConfig)
    estimation: EstimationConfig = field(default_factory=EstimationConfig)
    budgets: tuple[float, ...] | None = None
    thresholds: tuple[float, ...] | None = None
    correlations_every: int = 7
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

    @property
    def levered(self) -> bool:
        """Whether it may borrow."""
        return self.auction.max_leverage > 1


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
    prices = closes.ffill().bfill()
    ledger = Ledger(prices, config.costs, config.auction.cash_buffer)
    oracle = oracle or backtest_oracle(closes, config)
    desk = _Desk(config, oracle, budgets, thresholds)
    rows: list[tuple[float, ...]] = []
    reasons: list[str] = []
    for t in range(len(prices)):
        exposures = ledger.advance(t)
        reason = Reason.NONE
        if t >= oracle.first:
            ledger.gas[t] += config.costs.gas_per_report
            targets = desk.targets(t)
            look = desk.look(t, exposures)
            reason = desk.reason(t, look, targets)
            if reason:
                ledger.gas[t] += config.costs.gas_per_rebalance
                exposures = ledger.trade(t, desk.affordable(targets - exposures, ledger.nav[t]))
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
    """Looks at exposures of a day, and decides, with the vault's policy."""

    def __init__(
        self, config: BacktestConfig, oracle: OraclePath, budgets: FloatArray, thresholds: FloatArray
    ) -> None:
        self._config, self._oracle = config, oracle
        self._budgets, self._thresholds = budgets, thresholds
        self._bands = Bands(config.auction.parity_band, config.auction.volatility_band)

    def targets(self, t: int) -> FloatArray:
        """Target exposures (n,)."""
        auction, oracle = self._config.auction, self._oracle
        vol_ann = oracle.vol_ann[t] * oracle.ratio[t]
        wanted = target_exposures(
            oracle.coordinates[t], vol_ann, auction.target_volatility, auction.max_leverage
        )
        if not self._config.levered:
            return wanted
        health = self._config.guard.target_health
        cap = health_cap(wanted, self._thresholds, health, auction.cash_buffer)
        return wanted * min(1.0, cap / float(wanted.sum()))

    def look(self, t: int, exposures: FloatArray) -> tuple[float, float]:
        """Volatility and parity gap."""
        used = self._oracle.vol_ann[t], self._oracle.correlation[t]
        return self._volatility(t, exposures), parity_gap(exposures, *used, self._budgets)

    def reason(self, t: int, look: tuple[float, float], targets: FloatArray) -> Reason:
        """Why to trade, if at all."""
        volatility, gap = look
        return should_rebalance(State(gap, volatility, self._volatility(t, targets)), self._bands)

    def affordable(self, trades: FloatArray, nav: float) -> FloatArray:
        """As much of `trades` (n,), fractions of NAV, as the day's loss budget pays for."""
        cost, budget = self._config.costs.of(trades, nav), self._config.auction.loss_budget
        return trades * min(1.0, budget / cost) if cost > 0 else trades

    def _volatility(self, t: int, exposures: FloatArray) -> float:
        used = portfolio_volatility(exposures, self._oracle.vol_ann[t], self._oracle.correlation[t])
        return used * float(self._oracle.ratio[t])


def _vector(values: tuple[float, ...] | None, n: int, default: float, name: str) -> FloatArray:
    if values is None:
        return np.full(n, default)
    if len(values) != n:
        raise InputError(f"{len(values)} {name} for {n} assets; give one each")
    return np.array(values, dtype=float)
