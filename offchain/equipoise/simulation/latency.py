"""The trader who knows tomorrow's feed: may it profit from depositing or redeeming at today's?

A Chainlink feed follows its market within a deviation threshold. Somebody who watches the market knows,
before the feed answers, that every price has moved by up to that threshold. Each attempt runs on a side
branch of the chain (a snapshot) and is undone: the replay itself goes on as if nothing had happened.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from equipoise.client.contract import Contract
from equipoise.client.deployment import Deployment
from equipoise.units import from_token, to_token

__all__ = ["LatencyAttempt", "round_trips"]


@dataclass(frozen=True)
class LatencyAttempt:
    """One round trip: the feeds' move as a fraction, and what it earned in USD and in 1e-4 of the stake."""

    date: pd.Timestamp
    move: float
    profit_usd: float
    profit_bps: float


def round_trips(
    world: Any,
    deployment: Deployment,
    trader: str,
    date: pd.Timestamp,
    prices: Mapping[str, float],
    deviation: float,
    stake_usd: float,
) -> list[LatencyAttempt]:
    """Try both directions with all feeds about to move by `deviation`.

    Up: deposit at the old price, redeem for cash at the new one. Down: a holder redeems at the old price and
    deposits again at the new one; its gain is what its shares are then worth more.
    """
    return [
        _attempt(world, deployment, trader, date, prices, deviation, stake_usd, _buy_the_rise),
        _attempt(world, deployment, trader, date, prices, -deviation, stake_usd, _dodge_the_fall),
    ]


def _attempt(
    world: Any,
    deployment: Deployment,
    trader: str,
    date: pd.Timestamp,
    prices: Mapping[str, float],
    move: float,
    stake_usd: float,
    strategy: Callable[[Deployment, str, int, Callable[[], None]], int],
) -> LatencyAttempt:
    snapshot = world.snapshot()
    try:
        stake = to_token(stake_usd)
        world.fund("USDC", trader, stake)
        deployment.cash.send("approve", deployment.vault.address, 2**256 - 1, sender=trader)

        def feeds_answer() -> None:
            world.set_prices({symbol: price * (1 + move) for symbol, price in prices.items()})

        profit = strategy(deployment, trader, stake, feeds_answer)
    finally:
        world.revert(snapshot)
    usd = from_token(abs(profit)) * (1 if profit >= 0 else -1)
    return LatencyAttempt(date, move, usd, usd / stake_usd * 1e4)


def _buy_the_rise(deployment: Deployment, trader: str, stake: int, feeds_answer: Callable[[], None]) -> int:
    vault = deployment.vault
    before = deployment.cash.call("balanceOf", trader)
    vault.send("deposit", stake, trader, sender=trader)
    feeds_answer()
    shares = min(_redeemable(vault, trader), vault.call("balanceOf", trader))
    left = vault.call("balanceOf", trader) - shares
    vault.send("redeem", shares, trader, trader, sender=trader)
    # what idle cash could not pay at once is valued at mid: the most that it can be worth
    return deployment.cash.call("balanceOf", trader) + vault.call("convertToAssets", left) - before


def _redeemable(vault: Contract, trader: str) -> int:
    """A millionth less than `maxRedeem`: interest until the transaction makes a share worth more cash."""
    most = int(vault.call("maxRedeem", trader))
    return most - most // 10**6


def _dodge_the_fall(deployment: Deployment, trader: str, stake: int, feeds_answer: Callable[[], None]) -> int:
    vault = deployment.vault
    vault.send("deposit", stake, trader, sender=trader)
    shares = vault.call("balanceOf", trader)
    out = _redeemable(vault, trader)
    before = deployment.cash.call("balanceOf", trader)
    vault.send("redeem", out, trader, trader, sender=trader)
    proceeds = deployment.cash.call("balanceOf", trader) - before
    feeds_answer()
    vault.send("deposit", proceeds, trader, sender=trader)
    gained = vault.call("balanceOf", trader) - shares
    return vault.call("convertToAssets", gained) if gained >= 0 else -vault.call("convertToAssets", -gained)
