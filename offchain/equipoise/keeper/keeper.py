"""Opens an auction and fills it from Uniswap V3 pools, each lot as soon as the pool pays for it and the gas.

Below the trigger health factor it pulls the ripcord and fills that, all assets at once, as soon as the
pools pay.

The keeper decides nothing about weights: what may be sold and bought, and at which price, is the contract's.
It knows no clock either: `wait_until` sleeps on a live chain and warps on a local one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any

from equipoise.client.chain import Receipt
from equipoise.client.contract import Contract
from equipoise.client.deployment import Deployment
from equipoise.errors import ContractRevert
from equipoise.policy.auction import PriceCurve
from equipoise.policy.rebalance import CASH, Trade, plan_trades
from equipoise.units import WAD, from_wad

__all__ = ["Fill", "Keeper", "Opportunity", "RipcordFill"]

_WHOLE_LOT = 2**256 - 1
# The curve falls by less than this factor in a second of any permitted auction; a plan rounds to seconds.
_PRICE_MARGIN = 1e-6
_PARTS = (1, 2, 4, 8)
_RETIRED_DUST = 0.00002  # of NAV: well under the 0.0001 that the vault writes off
_RIPCORD_STEP = 30  # seconds between two looks at a discount that does not pay yet
_ROUNDING = 1_000_000  # of a quoted amount, left out: prices move between the quote and the block


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
        self._units: dict[str, int] = {}
        self._learn_units()

    def _learn_units(self) -> None:
        for token in (*self.deployment.tokens, self.deployment.cash):
            if token.address not in self._units:
                self._units[token.address] = 10 ** token.call("decimals")

    def _follow(self, tokens: Sequence[str]) -> None:
        """Read the basket anew when the vault's `tokens` are no longer those that this keeper knows."""
        if [token.address for token in self.deployment.tokens] != list(tokens[:-1]):
            self.deployment = self.deployment.refreshed()
            self._learn_units()

    def poke(self) -> list[Receipt]:
        """Have the chain look at prices, and at the parity portfolio, where it is time; what was sent."""
        realized, sent = self.deployment.realized_volatility, []
        for function, due in zip(("poke", "pokeParity"), realized.call("dueAt"), strict=True):
            if self.deployment.chain.timestamp() < due:
                continue
            try:
                realized.call(function, sender=self.account)
                sent.append(realized.send(function, sender=self.account))
            except ContractRevert:
                continue  # the portfolio is not known yet, or its prices have not settled
        return sent

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
        self._follow(state.tokens)
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
        trades = plan_trades(
            values,
            cash,
            targets,
            min_usd=self._min_trade * nav,
            debt=from_wad(state.debtWad),
            borrowable=inf if state.levered else 0.0,
        )
        # a token being retired is to go to the last cent that is worth its gas
        trades += [
            Trade(symbol, CASH, values[symbol])
            for symbol in deployment.symbols[len(state.assets) :]
            if _RETIRED_DUST * nav < values[symbol] < self._min_trade * nav
        ]
        for trade in trades:
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

    # ---------------------------------------------------------------- ripcord

    def ripcord_due(self, state: Any) -> bool:
        """Whether the vault's own rule lets anybody pull it, by a dashboard."""
        if not state.levered or state.debt == 0 or (state.auctionOpen and state.auction.ripcord):
            return False
        params = self.deployment.guard.call("params")
        silent = (
            state.volatilitiesAge > params.deleverAfter and state.healthFactorWad < params.targetHealthWad
        )
        return bool(silent or state.healthFactorWad < params.triggerHealthWad)

    def pull_ripcord(self) -> Any:
        """Start it; ContractRevert when it is not due."""
        return self.deployment.auction.send("ripcord", sender=self.account)

    def fill_ripcord(self) -> Iterator[RipcordFill]:
        """Fill the ripcord in course, the largest part that the pools pay for first, until all is done."""
        while True:
            auction = self.deployment.auction.call("current")
            if not auction.ripcord or self.deployment.chain.timestamp() >= auction.endsAt:
                return
            self._follow(self.deployment.vault.call("holdings").tokens)
            try:
                yield from self._ripcord_now(auction.id)
            except ContractRevert as revert:
                if revert.name == "RebalanceAuction__RipcordNotDue":
                    return  # the target health factor stands
            self._wait_until(self.deployment.chain.timestamp() + _RIPCORD_STEP)

    def _ripcord_now(self, auction: int) -> Iterator[RipcordFill]:
        """One fill at this second's discount, or none that pays."""
        n = self.deployment.n
        lots = self.deployment.auction.call("quoteBasket", [_WHOLE_LOT] * n).sold[:n]
        cash = self.deployment.cash.address
        cash_unit = self._units[cash]
        for part in _PARTS:
            amounts = [lot // part - lot // _ROUNDING for lot in lots]
            due = self.deployment.auction.call("quoteBasket", amounts).bought
            proceeds = sum(
                self._proceeds(token.address, cash, fee, amount)
                for token, fee, amount in zip(
                    self.deployment.tokens, self.deployment.pool_fees, amounts, strict=True
                )
                if amount
            )
            profit = int(self.gas_usd * cash_unit)
            if proceeds - due < profit:
                continue
            order = auction, amounts, list(self.deployment.pool_fees), profit, self.account
            receipt = self.deployment.filler.send("fillBasket", order, sender=self.account)
            bids = self.deployment.auction.events(receipt, "Bid")
            yield RipcordFill(
                sum(bid.sellValueWad for bid in bids) / WAD,
                sum(bid.buyValueWad for bid in bids) / WAD,
                receipt.gas_used,
                receipt.timestamp,
            )
            return
