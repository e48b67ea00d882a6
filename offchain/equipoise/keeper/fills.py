"""The orders that a keeper sends to the filler, and what a receipt says that they did."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from equipoise.client.chain import Receipt
from equipoise.client.deployment import Deployment
from equipoise.keeper.lots import Basket, Opportunity
from equipoise.units import WAD

__all__ = ["Fill", "RipcordFill", "basket_order", "fill_of", "fill_order", "ripcord_fill_of"]


@dataclass(frozen=True)
class Fill:
    """What a fill did: values at the oracle's mid in USD, so cost = sold - bought (negative is a gain)."""

    sell: str
    buy: str
    sold_usd: float
    bought_usd: float
    profit: int
    gas_used: int
    timestamp: int

    @property
    def cost_usd(self) -> float:
        return self.sold_usd - self.bought_usd


@dataclass(frozen=True)
class RipcordFill:
    """Several assets sold for debt at once, at the oracle's mid in USD."""

    sold_usd: float
    bought_usd: float
    gas_used: int
    timestamp: int

    @property
    def cost_usd(self) -> float:
        return self.sold_usd - self.bought_usd


def fill_order(auction: int, lot: Opportunity, receiver: str) -> tuple[Any, ...]:
    """IUniswapV3Filler.Fill."""
    return auction, lot.sell, lot.buy, lot.pool_fee, lot.sell_amount, lot.min_profit, receiver


def basket_order(
    auction: int, basket: Basket, pool_fees: tuple[int, ...], min_profit: int, receiver: str
) -> tuple[Any, ...]:
    """IUniswapV3Filler.BasketFill; `min_profit` in the smallest unit of cash."""
    return auction, list(basket.amounts), list(pool_fees), min_profit, receiver


def fill_of(deployment: Deployment, receipt: Receipt) -> Fill:
    """What the mined `fill` did."""
    (bid,) = deployment.auction.events(receipt, "Bid")
    (filled,) = deployment.filler.events(receipt, "Filled")
    return Fill(
        sell=filled.sell,
        buy=filled.buy,
        sold_usd=bid.sellValueWad / WAD,
        bought_usd=bid.buyValueWad / WAD,
        profit=filled.profit,
        gas_used=receipt.gas_used,
        timestamp=receipt.timestamp,
    )


def ripcord_fill_of(deployment: Deployment, receipt: Receipt) -> RipcordFill:
    """What the mined `fillBasket` did."""
    bids = deployment.auction.events(receipt, "Bid")
    return RipcordFill(
        sum(bid.sellValueWad for bid in bids) / WAD,
        sum(bid.buyValueWad for bid in bids) / WAD,
        receipt.gas_used,
        receipt.timestamp,
    )
