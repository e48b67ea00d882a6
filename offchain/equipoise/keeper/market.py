"""Reads what the auction would sell and what the pools would pay for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

from equipoise.client.contract import Contract
from equipoise.client.deployment import Deployment
from equipoise.errors import ContractRevert
from equipoise.keeper.lots import Basket, Lot, Pair, Quote, Sale, baskets, pairs, targets_of
from equipoise.units import from_wad

__all__ = ["Market"]

_WHOLE_LOT = 2**256 - 1
_PARTS = (1, 2, 4, 8)
_ROUNDING = 1_000_000  # of a quoted whole, left out: interest lets it shrink between the quote and the block


class Market:
    """A vault's auction beside its pools.

    Parameters
    ----------
    deployment
        The vault and its satellites.
    quoter
        Uniswap's QuoterV2.
    min_trade
        Lots under this fraction of NAV are left alone.
    """

    def __init__(self, deployment: Deployment, quoter: Contract, min_trade: float = 0.001) -> None:
        self.deployment = deployment
        self._quoter = quoter
        self._min_trade = min_trade

    def follow(self, tokens: Sequence[str]) -> None:
        """Read the basket anew when the vault's `tokens`, the cash last, are no longer those known here."""
        if [token.address for token in self.deployment.tokens] != list(tokens[:-1]):
            self.deployment = self.deployment.refreshed()
            self.__dict__.pop("units", None)

    @cached_property
    def units(self) -> dict[str, int]:
        """Smallest units per whole token, by address."""
        deployment = self.deployment
        return {
            token.address: 10 ** token.call("decimals") for token in (*deployment.tokens, deployment.cash)
        }

    @property
    def _fees(self) -> dict[str, int]:
        tokens = (token.address for token in self.deployment.tokens)
        return dict(zip(tokens, self.deployment.pool_fees, strict=True))

    @staticmethod
    def prices(state: Any) -> dict[str, float]:
        """USD per whole token by address, as the vault's oracle has them."""
        return {token: from_wad(price) for token, price in zip(state.tokens, state.pricesWad, strict=True)}

    def lots(self, state: Any) -> list[Lot]:
        """Of the auction in course, with what the pools pay now."""
        if not state.auctionOpen or state.auction.ripcord:
            return []
        self.follow(state.tokens)
        targets = targets_of(state.auction.targets, len(state.tokens) - 1)
        return list(self._quoted(self._pairs(state, targets), self.prices(state)))

    def prospects(self, state: Any) -> list[Lot]:
        """Of the auction that would open now; what the mode forbids is left out."""
        self.follow(state.tokens)
        targets = [from_wad(target) for target in state.risk.targetsWad]
        targets += [0.0] * (len(state.tokens) - 1 - len(targets))
        wanted = self._pairs(state, targets)
        if state.mode:
            wanted = [pair for pair in wanted if pair.buy == self.deployment.cash.address]
        prices = self.prices(state)
        return [Lot(pair, tuple(self._parts(pair, self._amount(pair, prices)))) for pair in wanted]

    def _amount(self, pair: Pair, prices: dict[str, float]) -> int:
        return int(pair.usd / prices[pair.sell] * self.units[pair.sell])

    def _pairs(self, state: Any, targets: Sequence[float]) -> list[Pair]:
        return pairs(state, targets, self._fees, self.deployment.cash.address, self._min_trade)

    def _quoted(self, wanted: Sequence[Pair], prices: dict[str, float]) -> Iterator[Lot]:
        for pair in wanted:
            try:
                amount, _ = self.deployment.auction.call("quoteBid", pair.sell, pair.buy, _WHOLE_LOT)
            except ContractRevert as revert:
                if revert.name != "RebalanceAuction__LossBudgetExceeded":
                    continue  # nothing to sell there now, or the mode does not allow it
                # the whole of it costs too much today; a part may not
                amount = self._amount(pair, prices)
            yield Lot(pair, tuple(self._parts(pair, amount)))

    def _parts(self, pair: Pair, amount: int) -> Iterator[Quote]:
        for part in _PARTS:
            sold = amount // part if part > 1 else amount - amount // _ROUNDING
            if sold:
                yield Quote(sold, self._proceeds(pair.sell, pair.buy, pair.fee, sold))

    def _proceeds(self, sell: str, buy: str, fee: int, amount: int) -> int:
        """What the pool pays for `amount` now {smallest unit of buy}; 0 when it cannot."""
        try:
            return int(self._quoter.call("quoteExactInputSingle", (sell, buy, amount, fee, 0))[0])
        except ContractRevert:
            return 0

    def baskets(self, floor: int = 0) -> list[Basket]:
        """Of the ripcord in course, those that leave `floor` {smallest unit of cash}, in the order to try.

        Raises ContractRevert when its work is done.
        """
        self.follow(self.deployment.vault.call("holdings").tokens)
        deployment, auction = self.deployment, self.deployment.auction
        lots = auction.call("quoteBasket", [_WHOLE_LOT] * deployment.n).sold[: deployment.n]
        ends = 1 - from_wad(auction.call("params").ripcordDiscountWad)
        falls = ends / from_wad(auction.call("curveWad", deployment.chain.timestamp()))
        tokens = zip(deployment.tokens, deployment.pool_fees, lots, strict=True)
        return baskets([self._sales(token.address, fee, lot) for token, fee, lot in tokens], falls, floor)

    def _sales(self, token: str, fee: int, lot: int) -> list[Sale]:
        """The whole lot and parts of it; the price is the same for all, so that it is asked for once."""
        cash = self.deployment.cash.address
        due = self.deployment.auction.call("quoteBid", token, cash, lot).bought if lot else 0
        amounts = [lot // part - lot // _ROUNDING for part in _PARTS]
        return [
            Sale(amount, -(-due * amount // lot), self._proceeds(token, cash, fee, amount))
            if amount
            else Sale()
            for amount in amounts
        ]
