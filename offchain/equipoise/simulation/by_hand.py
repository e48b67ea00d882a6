"""The vault's basket held by hand beside it, on the same days and at the same costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from equipoise.client.deployment import Deployment
from equipoise.simulation.peer import PeerConfig, PeerResult, run_peer
from equipoise.units import from_wad
from equipoise.world import World

__all__ = ["peers_by_hand"]

ANY_VOLATILITY = 100.0  # the health factor alone limits that peer


def peers_by_hand(
    world: World,
    deployment: Deployment,
    prices: pd.DataFrame,
    hours: Mapping[pd.Timestamp, np.ndarray],
    covariance: np.ndarray,
    days: pd.DataFrame,
) -> tuple[PeerResult, ...]:
    """One at the vault's target volatility, the other at the vault's limit: its target health factor.

    Parameters
    ----------
    prices
        Shape (T, n), closes in USD from the peers' first day on.
    hours
        Paths between the closes, by day.
    covariance
        Shape (n, n), of a year, as the signers saw it on that day.
    days
        The vault's days, all of them, up to the last of `prices`: what its trades cost on average is what
        theirs cost, and so are the borrow rates of the days that they share.
    """
    params, guard = deployment.auction.call("params"), deployment.guard.call("params")
    config = PeerConfig(
        target_vol=from_wad(params.targetVolatilityWad),
        max_leverage=from_wad(params.maxLeverageWad),
        cost=max(0.0, float(days["trading_cost_usd"].sum() / days["turnover_usd"].sum())),
        borrow_rate=float(days["borrow_rate"].iloc[-len(prices) :].mean()),
    )
    limit = replace(config, target_vol=ANY_VOLATILITY, start_health=from_wad(guard.targetHealthWad))
    specs = {spec.symbol: spec for spec in world.assets}
    return tuple(
        run_peer(
            name,
            prices,
            hours,
            np.sqrt(np.diag(covariance)),
            covariance,
            {symbol: spec.liquidation_threshold for symbol, spec in specs.items()},
            {symbol: spec.liquidation_bonus for symbol, spec in specs.items()},
            settings,
        )
        for name, settings in (("By hand, same target", config), ("By hand, same limit", limit))
    )
