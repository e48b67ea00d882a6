"""Opens an auction and fills it from Uniswap V3 pools, each lot as soon as the pool pays for it and the gas.

The keeper decides nothing about weights: what may be sold and bought, and at which price, is the contract's.
It knows no clock either: `wait_until` sleeps on a live chain and warps on a local one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from equipoise.client.contract import Contract
from equipoise.client.deployment import Deployment
from equipoise.errors import ContractRevert
from equipoise.policy.auction import PriceCurve
from equipoise.policy.rebalance import CASH, plan_trades
from equipoise.units import WAD, from_wad

__all__ = ["Fill", "Keeper", "Opportunity"]

_WHOLE_LOT = 2**256 - 1
# The curve falls by less than this factor in a second of any permitted auction; a plan rounds to seconds.
_PRICE_MARGIN = 1e-6
_PARTS = (1, 2, 4, 8)


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


class Keeper:
    """One account that relays nothing of value and owns nothing: it needs gas only.

    Parameters
    ----------
    deployment
        The vault and its satellites.
    account
        Sender, unlocked or signing, of the chain behind `deployment`.
    quoter
        Uniswap's QuoterV2.
    wait_until
        Called with a unix time before a transaction that must not be mined earlier.
    gas_usd
        What a fill's gas costs {USD}; a fill must leave at least that.
    min_trade
        Lots under this fraction of NAV are left alone.
    """

    def __init__(
        self,
        deployment: Deployment,
        account: str,
        quoter: Contract,
        wait_until: Callable[[int], None],
        *,
        gas_usd: float = 0.0,
        min_trade: float = 0.001,
    ) -> None:
        self.deployment = deployment
        self.account = account
        self.gas_usd = gas_usd
        self._quoter = quoter
        self._wait_until = wait_until
        self._min_trade = min_trade
        self._units = {token.address: 10 ** token.call("decimals") for token in self._tokens}

    @property
    def _tokens(self) -> tuple[Contract, ...]:
        return (*self.deployment.tokens, self.deployment.cash)

    def open(self) -> Any:
        """Open an auction; ContractRevert names the reason when the vault's rule forbids it, at no gas."""
        self.deployment.auction.call("open", sender=self.account)
        return self.deployment.auction.send("open", sender=self.account)

    def fill_all(self) -> Iterator[Fill]:
        """Fill the auction in course, soonest lot first, until no pool pays for what is left of it."""
        refused: set[tuple[str, str]] = set()
        while lots := [lot for lot in self.opportunities() if (lot.sell, lot.buy) not in refused]:
            lot = min(lots, key=lambda lot: lot.at)
            self._wait_until(lot.at)
            try:
                yield self.fill(lot)
            except ContractRevert:
                # somebody was faster, or the pool moved: the other pairs are looked at anew
                refused.add((lot.sell, lot.buy))

    def opportunities(self) -> list[Opportunity]:
        """Lots of the auction in course that a pool, at its price now, pays for before the end."""
        state = self.deployment.dashboard()
        if not state.auctionOpen:
            return []
        prices = {token: from_wad(price) for token, price in zip(state.tokens, state.pricesWad, strict=True)}
        params = self.deployment.auction.call("params")
        curve = PriceCurve(
            1 + from_wad(params.startPremiumWad),
            1 - from_wad(params.endDiscountWad),
            state.auction.endsAt - state.auction.startedAt,
        )
        found = (
            self._opportunity(sell, buy, fee, prices, curve, state.auction.startedAt)
            for sell, buy, fee in self._wanted(state)
        )
        return [opportunity for opportunity in found if opportunity is not None]

    def _wanted(self, state: Any) -> Iterator[tuple[str, str, int]]:
        """Pairs to trade, by the same policy as the backtest, against the auction's own target snapshot."""
        deployment = self.deployment
        nav = from_wad(state.navWad)
        values = {
            symbol: from_wad(weight) * nav
            for symbol, weight in zip(deployment.symbols, state.weightsWad[:-1], strict=True)
        }
        word = state.auction.targets
        targets = {
            symbol: ((word >> (32 * i)) & 0xFFFFFFFF) / 1e8 for i, symbol in enumerate(deployment.symbols)
        }
        cash = from_wad(state.weightsWad[-1]) * nav
        address = dict(zip(deployment.symbols, (token.address for token in deployment.tokens), strict=True))
        fees = dict(zip(deployment.symbols, deployment.pool_fees, strict=True))
        for trade in plan_trades(values, cash, targets, min_usd=self._min_trade * nav):
            if trade.buy == CASH:
                yield address[trade.sell], deployment.cash.address, fees[trade.sell]
            else:
                yield deployment.cash.address, address[trade.buy], fees[trade.buy]

    def _opportunity(
        self, sell: str, buy: str, fee: int, prices: dict[str, float], curve: PriceCurve, started_at: int
    ) -> Opportunity | None:
        """The whole lot or the part of it that a pool pays for first: a part moves the pool's price less."""
        try:
            lot, _ = self.deployment.auction.call("quoteBid", sell, buy, _WHOLE_LOT)
        except ContractRevert:
            return None  # nothing to sell there now, or the mode does not allow it
        best: Opportunity | None = None
        for part in _PARTS:
            amount = lot // part
            value = amount / self._units[sell] * prices[sell]
            received = self._proceeds(sell, buy, fee, amount) / self._units[buy] * prices[buy]
            if amount == 0 or received <= self.gas_usd:
                continue
            second = curve.earliest((received - self.gas_usd) / value * (1 - _PRICE_MARGIN))
            if second is not None and (best is None or started_at + second < best.at):
                profit = int(self.gas_usd / prices[buy] * self._units[buy] * (1 - _PRICE_MARGIN))
                best = Opportunity(sell, buy, fee, amount, profit, started_at + second)
        return best

    def _proceeds(self, sell: str, buy: str, fee: int, amount: int) -> int:
        """What the pool pays for `amount` now {smallest unit of buy}; 0 when it cannot."""
        try:
            return int(self._quoter.call("quoteExactInputSingle", (sell, buy, amount, fee, 0))[0])
        except ContractRevert:
            return 0

    def fill(self, lot: Opportunity) -> Fill:
        """Fill one lot through the filler contract; ContractRevert when the pool no longer pays for it."""
        auction = self.deployment.auction
        order = (
            auction.call("current").id,
            lot.sell,
            lot.buy,
            lot.pool_fee,
            lot.sell_amount,
            lot.min_profit,
            self.account,
        )
        receipt = self.deployment.filler.send("fill", order, sender=self.account)
        (bid,) = auction.events(receipt, "Bid")
        (filled,) = self.deployment.filler.events(receipt, "Filled")
        return Fill(
            sell=lot.sell,
            buy=lot.buy,
            sold_usd=bid.sellValueWad / WAD,
            bought_usd=bid.buyValueWad / WAD,
            profit=filled.profit,
            gas_used=receipt.gas_used,
            timestamp=receipt.timestamp,
        )
