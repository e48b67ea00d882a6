"""The books of one portfolio through a price table: it drifts, owes interest, trades at a cost.

NAV is 1 on the first row. Exposures are fractions of NAV; what they leave of 1 is cash, what they exceed it
by is debt. `buffer` of NAV stays in cash beside debt, as in the vault.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from equipoise.errors import InputError
from equipoise.simulation.benchmarks import Portfolio
from equipoise.simulation.costs import CostModel
from equipoise.types import FloatArray

__all__ = ["Ledger", "run_targets"]

DUST = 1e-9
"""Fraction of NAV under which a position needs no trade."""

_ROUNDING = 1e-14


class Ledger:
    """The books, row by row.

    Parameters
    ----------
    prices
        Shape (T, n), USD, > 0, no gaps; DatetimeIndex by day.
    costs
        See `CostModel`.
    buffer
        Fraction of NAV kept in cash while there is debt.
    """

    def __init__(self, prices: pd.DataFrame, costs: CostModel, buffer: float = 0.0) -> None:
        _check_prices(prices)
        costs.check_assets(prices.shape[1])
        self._prices = prices
        self._costs = costs
        self._buffer = buffer
        values = prices.to_numpy(dtype=float)
        self._growth = np.vstack([np.ones(values.shape[1]), values[1:] / values[:-1]])
        days = np.diff(prices.index.values) / np.timedelta64(1, "D")
        self._interest = np.concatenate([[0.0], costs.borrow_rate * days / 365.0])
        T, n = values.shape
        self.nav = np.ones(T)
        self.weights = np.zeros((T, n))
        self.turnover, self.cost, self.gas, self.debt, self.interest = np.zeros((5, T))
        self._values, self._debt, self._cash = np.zeros(n), 0.0, 1.0

    def advance(self, t: int) -> FloatArray:
        """Bring the books to the close of row t before any trade; the exposures there, (n,)."""
        self._values = self._values * self._growth[t]
        owed = self._debt * self._interest[t]
        self._debt += owed
        nav = float(self._values.sum()) + self._cash - self._debt
        if not nav > 0:
            raise InputError(
                f"the portfolio lost everything by {self._prices.index[t]:%Y-%m-%d}; lower the target "
                "volatility or the leverage"
            )
        self.nav[t], self.interest[t] = nav, owed / nav
        return self._write(t)

    def trade(self, t: int, trades: FloatArray) -> FloatArray:
        """Buy and sell `trades` (n,), fractions of NAV, against cash and debt; the exposures after it."""
        nav = self.nav[t]
        cost = self._costs.of(trades, nav)
        if not cost < 1:
            raise InputError(
                f"trades on {self._prices.index[t]:%Y-%m-%d} would cost more than the portfolio is worth; a "
                f"NAV of {nav * self._costs.nav_usd:,.0f} USD is too large for depth_usd, or the fee too high"
            )
        values = self._values + trades * nav
        # what is sold out leaves a rounding error, which is no position
        self._values = np.where(np.abs(values) < _ROUNDING * nav, 0.0, values)
        money = self._cash - self._debt - (float(trades.sum()) + cost) * nav
        after = nav * (1 - cost)
        # cash beside debt is the buffer; without debt there is whatever there is
        self._debt = max(0.0, self._buffer * after - money)
        self._cash = money + self._debt
        self.nav[t] = after
        self.turnover[t] += float(np.abs(trades).sum())
        self.cost[t] += cost
        fills = int((np.abs(trades) > DUST).sum())
        self.gas[t] += self._costs.gas_per_fill * fills
        return self._write(t)

    def move_to(self, t: int, targets: FloatArray) -> FloatArray:
        """Trade so that `targets` (n,) are the exposures after the costs, which are paid from the sales."""
        exposures = self.weights[t]
        cost = self._costs.to_reach(targets, exposures, self.nav[t])
        return self.trade(t, targets * (1 - cost) - exposures)

    def _write(self, t: int) -> FloatArray:
        exposures = np.asarray(self._values / self.nav[t])
        self.weights[t] = exposures
        self.debt[t] = self._debt / self.nav[t]
        return exposures

    def portfolio(self, key: str, name: str, rule: str, covariances: FloatArray, base: int = 0) -> Portfolio:
        """The path from row `base` on, where NAV is 1; `covariances` (T, n, n) are for shares of variance."""
        index = self._prices.index
        start = self.nav[base]
        by_day = pd.DataFrame(
            {"nav": self.nav / start, "turnover": self.turnover, "cost": self.cost, "gas": self.gas},
            index=index,
        ).iloc[base:]
        dollars = by_day["cost"] * by_day["nav"] / (1 - by_day["cost"]) * self._costs.nav_usd
        return Portfolio(
            key=key,
            name=name,
            rule=rule,
            nav=by_day["nav"],
            weights=pd.DataFrame(self.weights, index=index, columns=self._prices.columns).iloc[base:],
            turnover=by_day["turnover"],
            cost=by_day["cost"],
            cost_usd=dollars,
            gas=by_day["gas"],
            gas_usd=by_day["gas"].map(self._costs.gas_usd),
            prices=self._prices.iloc[base:],
            covariances=covariances[base:],
        )


def run_targets(
    prices: pd.DataFrame,
    targets: Mapping[int, FloatArray],
    costs: CostModel,
    covariances: FloatArray,
    *,
    key: str,
    name: str,
    rule: str,
    base: int = 0,
) -> Portfolio:
    """A portfolio that trades to `targets[t]` (n,), fractions of NAV, at the close of row t, and holds."""
    ledger = Ledger(prices, costs)
    for t in range(len(prices)):
        ledger.advance(t)
        if t in targets:
            ledger.move_to(t, targets[t])
    return ledger.portfolio(key, name, rule, covariances, base)


def _check_prices(prices: pd.DataFrame) -> None:
    if prices.empty or not isinstance(prices.index, pd.DatetimeIndex):
        raise InputError("prices must be a table indexed by day with at least one row; use load_prices")
    if prices.index.tz is not None:
        raise InputError(f"the days have the time zone {prices.index.tz}; drop it: prices.tz_localize(None)")
    if not prices.index.is_monotonic_increasing or prices.index.normalize().has_duplicates:
        raise InputError(
            "prices must have ascending, unique days; sort them by prices.sort_index(), and keep the last of "
            "each day"
        )
    if prices.columns.has_duplicates:
        name = prices.columns[prices.columns.duplicated()][0]
        raise InputError(f"two columns are named {name}; give each asset a name of its own")
    for column, kind in prices.dtypes.items():
        if not pd.api.types.is_numeric_dtype(kind):
            raise InputError(f"{column} holds {kind}, not numbers; convert it: prices.astype(float)")
    values = prices.to_numpy(dtype=float)
    wrong = ~(np.isfinite(values) & (values > 0))
    if wrong.any():
        t, j = map(int, np.argwhere(wrong)[0])
        raise InputError(
            f"{prices.columns[j]} is {values[t, j]:g} on {prices.index[t]:%Y-%m-%d}; prices are > 0 and "
            "without gaps here: fill closed days with the last close"
        )
