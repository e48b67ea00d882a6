"""A keeper for a chain whose accounts are unlocked and whose clock obeys: replays, stories and tests.

It opens an auction and fills it from Uniswap V3 pools, each lot as soon as the pool pays for it and the gas.
Below the trigger health factor it pulls the ripcord and fills that, all assets at once. What is worth it is
for `lots` to say, as it is for the keeper of a live chain (`service`); what may be sold and bought, and at
which price, is the contract's. `wait_until` warps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from equipoise.client.chain import Receipt
from equipoise.client.contract import Contract
from equipoise.client.deployment import Deployment
from equipoise.errors import ContractRevert
from equipoise.keeper.fills import Fill, RipcordFill, basket_order, fill_of, fill_order, ripcord_fill_of
from equipoise.keeper.lots import Opportunity, curve_of, loss_left, opportunity, ripcord_due
from equipoise.keeper.market import Market

__all__ = ["Keeper"]

_RIPCORD_STEP = 30  # seconds between two looks at a discount that does not pay yet


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
        self.account = account
        self.gas_usd = gas_usd
        self._market = Market(deployment, quoter, min_trade)
        self._wait_until = wait_until

    @property
    def deployment(self) -> Deployment:
        """With the basket that was last looked at."""
        return self._market.deployment

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
        curve = curve_of(state, self.deployment.auction.call("params"))
        facts = self._market.prices(state), self._market.units, curve, state.auction.startedAt
        found = (opportunity(lot, *facts, self.gas_usd, loss_left(state)) for lot in self._market.lots(state))
        return [lot for lot in found if lot is not None]

    def fill(self, lot: Opportunity) -> Fill:
        """Fill one lot through the filler contract; ContractRevert when the pool no longer pays for it."""
        order = fill_order(self.deployment.auction.call("current").id, lot, self.account)
        return fill_of(self.deployment, self.deployment.filler.send("fill", order, sender=self.account))

    # ---------------------------------------------------------------- ripcord

    def ripcord_due(self, state: Any) -> bool:
        """Whether the vault's own rule lets anybody pull it, by a dashboard."""
        return ripcord_due(state, self.deployment.guard.call("params"))

    def pull_ripcord(self) -> Any:
        """Start it; ContractRevert when it is not due."""
        return self.deployment.auction.send("ripcord", sender=self.account)

    def fill_ripcord(self) -> Iterator[RipcordFill]:
        """Fill the ripcord in course, each time with the most that pools pay for and the chain lets pass."""
        while True:
            auction = self.deployment.auction.call("current")
            if not auction.ripcord or self.deployment.chain.timestamp() >= auction.endsAt:
                return
            try:
                yield from self._ripcord_now(auction.id)
            except ContractRevert as revert:
                if revert.name == "RebalanceAuction__RipcordNotDue":
                    return  # the target health factor stands
            self._wait_until(self.deployment.chain.timestamp() + _RIPCORD_STEP)

    def _ripcord_now(self, auction: int) -> Iterator[RipcordFill]:
        """One fill at this second's discount, or none that pays."""
        floor = int(self.gas_usd * self._market.units[self.deployment.cash.address])
        for basket in self._market.baskets(floor):
            order = basket_order(auction, basket, self.deployment.pool_fees, floor, self.account)
            try:
                receipt = self.deployment.filler.send("fillBasket", order, sender=self.account)
            except ContractRevert:
                continue
            yield ripcord_fill_of(self.deployment, receipt)
            return
