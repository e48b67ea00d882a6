"""All that a keeper decides from: one look at the chain."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from equipoise.client.deployment import Deployment
from equipoise.errors import ContractRevert
from equipoise.keeper.lots import Basket, Lot
from equipoise.keeper.market import Market

__all__ = ["Facts", "read_facts"]


@dataclass(frozen=True)
class Facts:
    """The vault at a block.

    Attributes
    ----------
    state
        IVaultLens.Dashboard.
    auction, guard
        Parameters of the auction and of the guard.
    risk
        IVolatilityOracle.RiskData.
    poke_due, parity_due
        When realised volatility and the parity ratio may be poked next {unix s}.
    lots
        Of the auction in course.
    prospects
        Of the auction that would open now; empty while none may.
    baskets
        Of the ripcord in course, that the pools pay for; empty when its work is done.
    units
        Smallest units per whole token, by address.
    ready
        Proposed signers whose delay is over.
    gas_price, eth_usd
        Wei per gas that would be paid, USD per ether.
    """

    state: Any
    auction: Any
    guard: Any
    risk: Any
    poke_due: int
    parity_due: int
    lots: tuple[Lot, ...]
    prospects: tuple[Lot, ...]
    baskets: tuple[Basket, ...]
    units: dict[str, int]
    ready: tuple[str, ...]
    gas_price: int
    eth_usd: float

    @property
    def now(self) -> int:
        """Time of the block {unix s}."""
        return int(self.state.timestamp)

    @property
    def ripcord_open(self) -> bool:
        return bool(self.state.auctionOpen and self.state.auction.ripcord)

    @property
    def may_open(self) -> bool:
        """Whether the vault's own rule lets anybody open an auction."""
        state = self.state
        done = self.ripcord_open and state.healthFactorWad >= self.guard.targetHealthWad
        return bool(state.hasRisk and state.risk.reason and state.navWad and (done or not state.auctionOpen))

    def usd(self, gas: int) -> float:
        """What so much gas costs."""
        return gas * self.gas_price / 1e18 * self.eth_usd


def read_facts(
    deployment: Deployment, market: Market, gas_price: int, eth_usd: float, watched: tuple[str, ...] = ()
) -> Facts:
    """One look; `watched` are proposed signers. Raises RpcError when the node does not answer."""
    state = deployment.dashboard()
    oracle = deployment.volatility_oracle
    due = deployment.realized_volatility.call("dueAt")
    ready = []
    for signer in watched:
        proposal = oracle.call("proposalOf", signer)
        if 0 < proposal.readyAt <= state.timestamp:
            ready.append(signer)
    facts = Facts(
        state=state,
        auction=deployment.auction.call("params"),
        guard=deployment.guard.call("params"),
        risk=oracle.call("riskData"),
        poke_due=due[0],
        parity_due=due[1],
        lots=tuple(market.lots(state)) if state.pricesWad else (),
        prospects=(),
        baskets=(),
        units=market.units,
        ready=tuple(ready),
        gas_price=gas_price,
        eth_usd=eth_usd,
    )
    if facts.may_open:
        facts = replace(facts, prospects=tuple(market.prospects(state)))
    if facts.ripcord_open:
        # a revert: the target health factor stands, or nothing is left
        with suppress(ContractRevert):
            facts = replace(facts, baskets=tuple(market.baskets()))
    return facts
