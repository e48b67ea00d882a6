"""The vault beside portfolios that anybody could hold, on the same days, prices and costs.

Every portfolio starts in cash on the day before the vault's first investment and invests on that day at its
close. A benchmark pays for each dollar that it trades what the vault paid (its cost over its turnover), and
for each fill the gas of one fill of the vault. Gas is paid by keepers in ether, not by the vault: it is
reported beside the path, never taken from it. Benchmarks are not scaled to the vault's volatility, hold no
cash, and pay no management, performance, entry or exit fee.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
import pandas as pd
from scipy.optimize import nnls

from equipoise.errors import InputError
from equipoise.simulation.metrics import (
    Statistics,
    annual_return,
    annual_volatility,
    ex_ante_risk_shares,
    ex_post_risk_shares,
    max_drawdown,
    sharpe,
    years,
)
from equipoise.simulation.result import ReplayResult
from equipoise.types import FloatArray

__all__ = ["VAULT", "Portfolio", "compare", "minimum_variance_weights", "spans_year"]

VAULT = "vault"
_GWEI_PER_ETHER = 1e9
_DUST = 1e-9  # fraction of NAV under which a position needs no trade


@dataclass(frozen=True, eq=False)
class Portfolio:
    """One portfolio on the days from the base day on.

    Attributes
    ----------
    key, name, rule
        For JSON, for people, and one sentence on what it does.
    nav
        Value by day, 1 on the base day, after trading costs.
    weights
        Date x asset at the end of the day; the rest is cash.
    turnover, cost
        Fraction of NAV traded (assets bought plus sold, each against cash) and given away, by day.
    cost_usd, gas, gas_usd
        Totals by day; a benchmark's dollars are for the vault's NAV on the base day.
    prices, covariances
        Those of the replay, on the same days.
    """

    key: str
    name: str
    rule: str
    nav: pd.Series
    weights: pd.DataFrame
    turnover: pd.Series
    cost: pd.Series
    cost_usd: pd.Series
    gas: pd.Series
    gas_usd: pd.Series
    prices: pd.DataFrame
    covariances: FloatArray

    @cached_property
    def statistics(self) -> Statistics:
        """Figures from the base day to the last."""
        span = years(pd.DatetimeIndex(self.nav.index))
        return Statistics(
            total_return=float(self.nav.iloc[-1] / self.nav.iloc[0] - 1),
            annual_return=annual_return(self.nav),
            volatility=annual_volatility(self.nav),
            max_drawdown=max_drawdown(self.nav),
            sharpe=sharpe(self.nav),
            turnover=float(self.turnover.sum() / span),
            gas=int(self.gas.sum()),
            gas_usd=float(self.gas_usd.sum()),
            trading_cost=float(self.cost.sum() / span),
            trading_cost_usd=float(self.cost_usd.sum()),
        )

    @cached_property
    def ex_post_shares(self) -> pd.Series:
        """Share of the realised variance by asset."""
        return ex_post_risk_shares(self.weights, self.prices)

    @cached_property
    def ex_ante_shares(self) -> pd.Series:
        """Average over invested days of the share of variance by the signers' estimate."""
        held = self.weights.abs().sum(axis=1).to_numpy() > _DUST
        held &= np.isfinite(self.covariances).all(axis=(1, 2))
        shares = ex_ante_risk_shares(self.weights[held], self.covariances[held])
        return shares.mean()


def minimum_variance_weights(covariance: FloatArray) -> FloatArray:
    """Long-only weights, shape (n,), sum 1, of least variance.

    The minimiser of y'Sy / 2 - sum(y) over y >= 0, divided by its sum, satisfies the same optimality
    conditions; with S = L L' it is the non-negative least-squares solution of L'y = L^-1 1, exact in
    finitely many steps (Lawson and Hanson 1974).
    """
    try:
        lower = np.linalg.cholesky(covariance)
    except np.linalg.LinAlgError as error:
        raise InputError("the covariance is not positive definite; shrink or repair it first") from error
    y, _ = nnls(lower.T, np.linalg.solve(lower, np.ones(len(lower))))
    return np.asarray(y / y.sum())


def compare(result: ReplayResult) -> tuple[Portfolio, ...]:
    """The vault first, then its benchmarks, all on the days of `result` from its base day on."""
    n = len(result.assets)
    equal = np.full(n, 1 / n)
    bitcoin = next((i for i, name in enumerate(result.assets) if "BTC" in name.upper()), 0)
    first = result.start - result.base
    months = pd.DatetimeIndex(result.days.index[result.base :]).to_period("M")
    turns = [first, *(day for day in range(first + 1, len(months)) if months[day] != months[day - 1])]
    covariances = result.covariances[result.base :]
    benchmark = _Benchmarks(result)
    return (
        _vault(result),
        benchmark.run(
            "buy_and_hold",
            "Buy and hold",
            "Equal dollars of each asset on the first day, never traded again.",
            [first],
            lambda day: equal,
        ),
        benchmark.run(
            "equal_dollars",
            "Equal dollars",
            "Equal dollars of each asset, restored on the first day of each month.",
            turns,
            lambda day: equal,
        ),
        benchmark.run(
            "minimum_variance",
            "Min. variance",
            "Long-only weights of least variance, solved anew on the first day of each month from the "
            "signers' covariances of that day.",
            turns,
            lambda day: minimum_variance_weights(covariances[day]),
        ),
        benchmark.run(
            "single_asset",
            f"100 % {result.assets[bitcoin]}",
            f"All dollars in {result.assets[bitcoin]} on the first day, never traded again.",
            [first],
            lambda day: np.eye(n)[bitcoin],
        ),
    )


def spans_year(portfolios: Sequence[Portfolio]) -> bool:
    """Whether the days make at least one year, so that figures a year extrapolate nothing."""
    return years(pd.DatetimeIndex(portfolios[0].nav.index)) >= 1


def _vault(result: ReplayResult) -> Portfolio:
    days = result.days.iloc[result.base :]
    return Portfolio(
        key=VAULT,
        name="Vault",
        rule="Risk parity at a target volatility, as the contracts did it; fees and costs included.",
        nav=days["share_price"] / days["share_price"].iloc[0],
        weights=result.weights.iloc[result.base :],
        turnover=days["turnover_usd"] / days["nav_usd"],
        cost=days["trading_cost_usd"] / days["nav_usd"],
        cost_usd=days["trading_cost_usd"],
        gas=days["gas_used"],
        gas_usd=days["gas_usd"],
        prices=result.prices.iloc[result.base :],
        covariances=result.covariances[result.base :],
    )


class _Benchmarks:
    """Runs trading rules at the cost rate and the gas per fill that the vault realised."""

    def __init__(self, result: ReplayResult) -> None:
        days = result.days.iloc[result.base :]
        turnover = float(days["turnover_usd"].sum())
        fills = float(result.rebalances["fills"].sum())
        self.cost_rate = max(0.0, float(days["trading_cost_usd"].sum()) / turnover) if turnover > 0 else 0.0
        self.gas_per_fill = float(result.rebalances["gas"].sum()) / fills if fills > 0 else 0.0
        self.prices = result.prices.iloc[result.base :]
        self.covariances = result.covariances[result.base :]
        self.usd_per_gas = result.gas_price_gwei * result.eth_price.iloc[result.base :] / _GWEI_PER_ETHER
        self.capital = float(days["nav_usd"].iloc[0])

    def run(
        self, key: str, name: str, rule: str, turns: Iterable[int], target: Callable[[int], FloatArray]
    ) -> Portfolio:
        """Trade to `target(day)` at the close of each day (row number) in `turns`, hold in between."""
        index = self.prices.index
        prices = self.prices.to_numpy(dtype=float)
        nav = np.ones(len(prices))
        weights = np.zeros_like(prices)
        turnover, cost, gas = np.zeros(len(prices)), np.zeros(len(prices)), np.zeros(len(prices))
        boundaries = [*turns, len(prices)]
        units, cash = np.zeros(prices.shape[1]), 1.0
        for day, until in pairwise(boundaries):
            value = units * prices[day]
            before = cash + value.sum()
            goal = target(day)
            trades = goal - value / before
            turnover[day] = np.abs(trades).sum()
            cost[day] = self.cost_rate * turnover[day]
            gas[day] = self.gas_per_fill * _fills(trades)
            after = before * (1 - cost[day])
            units, cash = after * goal / prices[day], after * (1 - goal.sum())
            values = units * prices[day:until]
            nav[day:until] = cash + values.sum(axis=1)
            weights[day:until] = values / nav[day:until, None]
        by_day = pd.DataFrame({"nav": nav, "turnover": turnover, "cost": cost, "gas": gas}, index=index)
        return Portfolio(
            key=key,
            name=name,
            rule=rule,
            nav=by_day["nav"],
            weights=pd.DataFrame(weights, index=index, columns=self.prices.columns),
            turnover=by_day["turnover"],
            cost=by_day["cost"],
            # NAV after the trade / (1 - cost) is NAV before it, on which the cost was charged
            cost_usd=by_day["cost"] * by_day["nav"] / (1 - by_day["cost"]) * self.capital,
            gas=by_day["gas"],
            gas_usd=by_day["gas"] * self.usd_per_gas,
            prices=self.prices,
            covariances=self.covariances,
        )


def _fills(trades: FloatArray) -> int:
    """One for each asset that is traded: against cash, as the vault's keeper does."""
    return int((np.abs(trades) > _DUST).sum())
