"""The mixes of traditional allocations at the vault's target volatility: a comparison at equal risk.

Each mix is levered or delevered as the vault is: from the volatilities and correlations that the oracle has
in use, back to the target when the vault's own rule finds the volatility outside its band, under the same
caps of leverage and of the health factor, with debt at the same rate. What differs is the mix alone.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from equipoise.policy.leverage import health_cap
from equipoise.policy.parity import scaled_risk_state
from equipoise.policy.rebalance import Bands, State, should_rebalance
from equipoise.simulation.backtest import DEFAULT_THRESHOLD, BacktestResult
from equipoise.simulation.benchmarks import Portfolio
from equipoise.simulation.ledger import Ledger
from equipoise.types import FloatArray

__all__ = ["run_at_volatility"]


def run_at_volatility(
    prices: pd.DataFrame,
    mixes: Mapping[int, FloatArray],
    result: BacktestResult,
    *,
    key: str,
    name: str,
    rule: str,
) -> Portfolio:
    """Hold `mixes[t]`, scaled to the target volatility of `result`, from the close of row t on.

    Parameters
    ----------
    prices
        Shape (T, n), USD, without gaps: the filled closes that `result` is the backtest of.
    mixes
        Row -> weights (n,), >= 0, sum 1. Between them the mix drifts and only its size is steered.
    key, name, rule
        As `Portfolio`.
    """
    config, oracle = result.config, result.oracle
    claimed = oracle.vol_ann * oracle.ratio[:, None]
    uncapped = min(config.auction.max_leverage, 1 - config.auction.cash_buffer)  # no mix has a lower cap
    nobody = np.zeros(prices.shape[1])  # the parity gap is the vault's own concern

    def volatility(exposures: FloatArray, t: int) -> float:
        return scaled_risk_state(exposures * claimed[t], oracle.correlation[t], nobody)[0]

    ledger = Ledger(prices, config.costs, config.auction.cash_buffer)
    bands = Bands(config.auction.parity_band, config.auction.volatility_band)
    for t in range(len(prices)):
        exposures = np.maximum(ledger.advance(t), 0.0)  # what was sold out leaves a rounding error
        if t not in mixes and not exposures.any():
            continue
        mix = mixes[t] if t in mixes else exposures / exposures.sum()
        a_unit = volatility(mix, t)
        size = config.auction.target_volatility / a_unit
        if size > uncapped:
            size = min(size, _cap(mix, result))
        # between turns the exposures are the mix, so that their volatility is their sum times the mix's
        held = State(0.0, a_unit * float(exposures.sum()), size * a_unit)
        if t in mixes or should_rebalance(held, bands):
            ledger.trade(t, size * mix - exposures)
    return ledger.portfolio(key, name, rule, oracle.covariances, max(oracle.first - 1, 0))


def _cap(mix: FloatArray, result: BacktestResult) -> float:
    """Largest leverage of a mix."""
    config = result.config
    if not config.levered:
        return config.auction.max_leverage
    thresholds = np.array(config.thresholds or [DEFAULT_THRESHOLD] * len(mix))
    safe = float(health_cap(mix, thresholds, config.guard.target_health, config.auction.cash_buffer))
    return min(config.auction.max_leverage, safe)
