"""What is worth trading, from numbers alone: the same rules in the replay, in tests and on a live chain."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any

from equipoise.policy.auction import PriceCurve
from equipoise.policy.rebalance import CASH, Reason, Trade, plan_trades
from equipoise.units import LANE_SCALE, from_wad

__all__ = [
    "MODES",
    "Basket",
    "Lot",
    "Opportunity",
    "Pair",
    "Quote",
    "best_basket",
    "curve_of",
    "loss_left",
    "may_help",
    "opportunity",
    "pairs",
    "reward",
    "ripcord_due",
    "targets_of",
]

MODES = ("Normal", "NoIncrease", "DeleverOnly", "InKindOnly")
# The curve falls by less than this factor in a second of any permitted auction; a plan rounds to seconds.
_PRICE_MARGIN = 1e-6
_LANE_BITS = 32
_RETIRED_DUST = 0.00002  # of NAV: well under the 0.0001 that the vault writes off


@dataclass(frozen=True)
class Pair:
    """A trade that the auction's targets ask for, `usd` at mid; token addresses, the pool's fee {1e-6}."""

    sell: str
    buy: str
    fee: int
    usd: float


@dataclass(frozen=True)
class Quote:
    """What the pool pays for `amount` of what is sold; both in the tokens' smallest units."""

    amount: int
    proceeds: int


@dataclass(frozen=True)
class Lot:
    """A pair and what its pool pays for the whole of it and for parts."""

    pair: Pair
    quotes: tuple[Quote, ...]


@dataclass(frozen=True)
class Basket:
    """Amounts of the basket's tokens that the ripcord sells, what it asks for them, what the pools pay."""

    amounts: tuple[int, ...]
    due: int
    proceeds: int


@dataclass(frozen=True)
class Opportunity:
    """A lot that a pool will pay for.

    `sell` and `buy` are tokens' addresses, `sell_amount` in the smallest unit of `sell`; `at` is the first
    second at which the curve is low enough for the pool's price less the gas.
    """

    sell: str
    buy: str
    pool_fee: int
    sell_amount: int
    min_profit: int
    at: int


# ----------------------------------------------------------------------- auction


def targets_of(word: int, count: int) -> list[float]:
    """Target exposures, fractions of NAV, from an auction's snapshot."""
    mask = 2**_LANE_BITS - 1
    return [((word >> (_LANE_BITS * i)) & mask) / LANE_SCALE for i in range(count)]


def curve_of(state: Any, params: Any) -> PriceCurve:
    """Of the auction in course, by a dashboard and the auction's parameters."""
    ends = 1 + from_wad(params.startPremiumWad), 1 - from_wad(params.endDiscountWad)
    return PriceCurve(*ends, state.auction.endsAt - state.auction.startedAt)


def loss_left(state: Any) -> float:
    """USD that bids may still cost the vault, by a dashboard."""
    return from_wad(max(0, state.lossBudgetWad - state.lossUsedWad)) * from_wad(state.navWad)


def may_help(state: Any) -> bool:
    """Outside Normal only what is too much is sold, so only too much risk is worth an auction."""
    too_much = state.risk.reason in (Reason.VOLATILITY_TOO_HIGH.value, Reason.RETIRING_ASSET.value)
    return state.mode == MODES.index("Normal") or (
        too_much and state.debt > 0 and state.mode != MODES.index("InKindOnly")
    )


def pairs(
    state: Any, targets: Sequence[float], fees: Mapping[str, int], cash: str, min_trade: float
) -> list[Pair]:
    """Pairs to trade, by the same policy as the backtest.

    `targets` are fractions of NAV in the order of the dashboard's tokens; `fees` tell of each token the pool
    against `cash`; trades under the fraction `min_trade` of NAV are left out.
    """
    nav = from_wad(state.navWad)
    tokens = state.tokens[:-1]
    values = {
        token: from_wad(weight) * nav for token, weight in zip(tokens, state.weightsWad[:-1], strict=True)
    }
    trades = plan_trades(
        values,
        from_wad(state.weightsWad[-1]) * nav,
        dict(zip(tokens, targets, strict=True)),
        min_usd=min_trade * nav,
        debt=from_wad(state.debtWad),
        borrowable=inf if state.levered else 0.0,
    )
    # a token being retired is to go to the last cent that is worth its gas
    trades += [
        Trade(token, CASH, values[token])
        for token in tokens[len(state.assets) :]
        if _RETIRED_DUST * nav < values[token] < min_trade * nav
    ]
    return [
        Pair(trade.sell, cash, fees[trade.sell], trade.usd)
        if trade.buy == CASH
        else Pair(cash, trade.buy, fees[trade.buy], trade.usd)
        for trade in trades
        if (trade.sell if trade.buy == CASH else trade.buy) in fees
    ]


def opportunity(
    lot: Lot,
    prices: Mapping[str, float],
    units: Mapping[str, int],
    curve: PriceCurve,
    started_at: int,
    floor_usd: float,
    loss_usd: float = inf,
    now: int = 0,
) -> Opportunity | None:
    """The whole lot or the part of it that a pool pays for first: a part moves the pool's price less.

    `prices` {USD per whole token} and `units` {smallest units per whole token} by address; `floor_usd` is the
    least that a fill must leave over, `loss_usd` what it may cost the vault by what is left of its budget.
    Of parts that are worth it already `now` {unix s}, the largest.
    """
    sell, buy = lot.pair.sell, lot.pair.buy
    best: Opportunity | None = None
    for quote in lot.quotes:
        value = quote.amount / units[sell] * prices[sell]
        received = quote.proceeds / units[buy] * prices[buy]
        if quote.amount == 0 or received <= floor_usd or value - (received - floor_usd) > loss_usd:
            continue
        second = curve.earliest((received - floor_usd) / value * (1 - _PRICE_MARGIN))
        if second is not None and (best is None or max(started_at + second, now) < max(best.at, now)):
            profit = int(floor_usd / prices[buy] * units[buy] * (1 - _PRICE_MARGIN))
            best = Opportunity(sell, buy, lot.pair.fee, quote.amount, profit, started_at + second)
    return best


def reward(lot: Lot, prices: Mapping[str, float], units: Mapping[str, int], end: float, gas: float) -> float:
    """USD that the best part of a lot leaves at the curve's `end`, after `gas` {USD}; negative is a loss."""
    sell, buy = lot.pair.sell, lot.pair.buy
    gains = [
        quote.proceeds / units[buy] * prices[buy] - end * quote.amount / units[sell] * prices[sell] - gas
        for quote in lot.quotes
    ]
    return max(gains, default=-gas)


# ----------------------------------------------------------------------- ripcord


def ripcord_due(state: Any, guard: Any) -> bool:
    """Whether the vault's own rule lets anybody pull it, by a dashboard and the guard's parameters."""
    if not state.levered or state.debt == 0 or (state.auctionOpen and state.auction.ripcord):
        return False
    silent = state.volatilitiesAge > guard.deleverAfter and state.healthFactorWad < guard.targetHealthWad
    return bool(silent or state.healthFactorWad < guard.triggerHealthWad)


def best_basket(baskets: Iterable[Basket], floor: int) -> Basket | None:
    """The largest part that leaves `floor` {smallest unit of cash}, None where none does."""
    return next((basket for basket in baskets if basket.proceeds - basket.due >= floor), None)
