"""What is worth trading, from numbers alone: the same rules in the replay, in tests and on a live chain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
    "Sale",
    "baskets",
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
_LEAST_PART = 0.01  # of the most that a ripcord's fill would bring now: less is not worth its gas


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
class Sale:
    """An amount of a token that the ripcord sells, what it asks for it now and what the pool pays {cash}."""

    amount: int = 0
    due: int = 0
    proceeds: int = 0


@dataclass(frozen=True)
class Basket:
    """One sale of each token, of nothing where it is left out."""

    sales: tuple[Sale, ...]

    @property
    def amounts(self) -> tuple[int, ...]:
        return tuple(sale.amount for sale in self.sales)

    @property
    def due(self) -> int:
        return sum(sale.due for sale in self.sales)

    @property
    def proceeds(self) -> int:
        return sum(sale.proceeds for sale in self.sales)

    def split(self, index: int) -> tuple[Basket, Basket]:
        """Without one token, and that token alone."""
        marked = list(enumerate(self.sales))
        return (
            Basket(tuple(Sale() if i == index else sale for i, sale in marked)),
            Basket(tuple(sale if i == index else Sale() for i, sale in marked)),
        )


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


def baskets(tokens: Sequence[Sequence[Sale]], falls: float, floor: int) -> list[Basket]:
    """What a ripcord may be filled with now, the most first; the others are for when the chain refuses that.

    No pool tells whether the vault can part with a token: the venue may have paused it. So beside parts of
    all there are the most without each of its tokens, and each of them alone.

    Parameters
    ----------
    tokens
        Of each, sales of the whole lot and of the same parts of it, the largest first.
    falls
        What will be asked in the end, as a part of what is asked now. A token whose pool does not pay even
        that is left out; for one whose pool does, the others wait, or a ripcord would end in the cheapest
        pools' tokens and not in the same part of each.
    floor
        The least that a fill must leave {smallest unit of cash}.
    """
    parts = range(len(tokens[0]))
    able = [[sale.proceeds >= falls * sale.due for sale in sales] for sales in tokens]
    # of each its largest part that its pool will pay for; none of one that no part of is
    most = [flags.index(True) if True in flags else None for flags in able]
    wanted = [
        Basket(
            tuple(
                Sale() if k is None else sales[max(k, part)] for sales, k in zip(tokens, first, strict=True)
            )
        )
        for first in ([0] * len(tokens), most)
        for part in parts
    ]
    paying = [basket for basket in wanted if basket.due and basket.proceeds - basket.due >= floor]
    if not paying:
        return []
    largest = max(paying, key=lambda basket: basket.due)
    paying += [
        basket
        for index in range(len(tokens))
        for basket in largest.split(index)
        if basket.due >= _LEAST_PART * largest.due and basket.proceeds - basket.due >= floor
    ]
    return sorted(dict.fromkeys(paying), key=lambda basket: -basket.due)
