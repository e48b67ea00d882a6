"""From facts to actions, in the order in which they are worth doing. Pure: no chain, no clock, no file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from equipoise.client.dispatch import CLEARING
from equipoise.errors import EquipoiseError, InputError
from equipoise.keeper import coordinates
from equipoise.keeper.facts import Facts
from equipoise.keeper.fills import basket_order, fill_order
from equipoise.keeper.lots import Basket, curve_of, loss_left, may_help, opportunity, reward, ripcord_due
from equipoise.keeper.market import Market
from equipoise.units import from_wad

__all__ = ["PROTECTION", "Action", "Policy", "gas_of", "plan"]

PROTECTION = frozenset({"ripcord", "basket", "corrections", CLEARING})
"""Kinds that protect the vault, and what makes way for them; they have a purse of their own."""

_SPENT = 0.9  # of the loss budget: what is left of it is not worth an auction


@dataclass(frozen=True)
class Policy:
    """What a keeper does.

    Attributes
    ----------
    open
        "profitable": when the pools would pay for its lots and all gas; "always": whenever the vault's rule
        allows it; "never".
    min_profit_usd
        What a fill must leave over beyond its gas.
    fill, poke, coordinates, ripcord
        Whether it does these at all.
    """

    open: Literal["profitable", "always", "never"] = "profitable"
    min_profit_usd: float = 1.0
    fill: bool = True
    poke: bool = True
    coordinates: bool = True
    ripcord: bool = True

    def __post_init__(self) -> None:
        if self.open not in ("profitable", "always", "never"):
            raise InputError(f"policy: open is {self.open!r}; choose profitable, always or never")
        if not 0 <= self.min_profit_usd < 1e9:
            raise InputError(f"policy: min_profit_usd is {self.min_profit_usd}; give 0 to 1e9 dollars")


@dataclass(frozen=True)
class Action:
    """One transaction.

    `contract` is the deployment's attribute; `key` makes it the only one of its kind; `expected_usd` is what
    it leaves after its `gas`, an estimate, negative for a service to others.
    """

    kind: str
    key: str
    contract: str
    function: str
    args: tuple[Any, ...]
    gas: int
    expected_usd: float

    @property
    def urgent(self) -> bool:
        return self.kind in PROTECTION


def gas_of(kind: str, n: int, levered: bool) -> int:
    """About what it takes, from the measured snapshot (tests/gas); the chain is asked before sending."""
    table = {
        "open": 130_000 + 20_000 * n + 60_000 * levered,
        "fill": 560_000 + 66_000 * n if levered else 200_000 + 20_000 * n,
        "ripcord": 125_000 + 32_000 * n,
        "basket": 150_000 + 280_000 * n,
        "poke": 60_000 + 12_000 * n,
        "parity": 70_000,
        "coordinates": 100_000,
        "solve": 300_000,
        "activate": 80_000,
    }
    return table[kind]


def plan(
    facts: Facts,
    policy: Policy,
    account: str,
    pool_fees: tuple[int, ...],
    dearer: Mapping[str, float] | None = None,
) -> list[Action]:
    """What to do now, the most urgent first; `account` gets what fills leave over.

    `dearer` tells of a kind by how much the chain asks more gas than `gas_of`.
    """
    maker = _Planner(facts, policy, account, pool_fees, dearer or {})
    return [
        *maker.ripcord(),
        *maker.coordinates(),
        *maker.pokes(),
        *maker.signers(),
        *maker.opening(),
        *maker.fills(),
    ]


class _Planner:
    def __init__(
        self,
        facts: Facts,
        policy: Policy,
        account: str,
        pool_fees: tuple[int, ...],
        dearer: Mapping[str, float],
    ) -> None:
        self.facts, self.policy, self.dearer = facts, policy, dearer
        self.account, self.pool_fees = account, pool_fees
        self.n, self.levered = len(pool_fees), bool(facts.state.levered)

    def _gas(self, kind: str) -> int:
        return int(gas_of(kind, self.n, self.levered) * self.dearer.get(kind, 1.0))

    def _action(
        self, kind: str, key: str, contract: str, function: str, *args: Any, gain: float = 0.0
    ) -> Action:
        gas = self._gas(kind)
        return Action(kind, key, contract, function, args, gas, gain - self.facts.usd(gas))

    def ripcord(self) -> list[Action]:
        """Pulled when due; filled as soon as the pools pay what it asks: its own purse pays the gas.

        Of the fills one is meant: the first that the chain does not refuse.
        """
        facts, state = self.facts, self.facts.state
        if not self.policy.ripcord:
            return []
        if ripcord_due(state, facts.guard):
            return [self._action("ripcord", str(state.auction.id + 1), "auction", "ripcord")]
        return [self._basket(basket) for basket in facts.baskets] if facts.ripcord_open else []

    def _basket(self, basket: Basket) -> Action:
        facts, state = self.facts, self.facts.state
        order = basket_order(state.auction.id, basket, self.pool_fees, 0, self.account)
        cash = state.tokens[-1]
        gain = (basket.proceeds - basket.due) / facts.units[cash] * from_wad(state.pricesWad[-1])
        key = f"{state.auction.id}:{'-'.join(map(str, basket.amounts))}"
        return self._action("basket", key, "filler", "fillBasket", order, gain=gain)

    def coordinates(self) -> list[Action]:
        """Solved here; where that fails, or the chain refuses them, the chain may solve for itself."""
        risk = self.facts.risk
        if not self.policy.coordinates or not coordinates.missing(risk):
            return []
        key = f"{risk.correlationsAt}:{risk.budgets:x}:{self.facts.now}"
        onchain = self._action("solve", key, "volatility_oracle", "solveCoordinates")
        try:
            word = coordinates.solve(risk)
        except EquipoiseError:
            return [onchain]
        return [self._action("coordinates", key, "volatility_oracle", "postCoordinates", word), onchain]

    def pokes(self) -> list[Action]:
        facts = self.facts
        due = ("poke", "poke", facts.poke_due), ("parity", "pokeParity", facts.parity_due)
        return [
            self._action(kind, str(at), "realized_volatility", function)
            for kind, function, at in due
            if self.policy.poke and facts.now >= at
        ]

    def signers(self) -> list[Action]:
        return [
            self._action(
                "activate", f"{signer}:{self.facts.now}", "volatility_oracle", "activateSigner", signer
            )
            for signer in self.facts.ready
        ]

    def opening(self) -> list[Action]:
        """When the vault's rule says so and it is expected to be filled: the pools are asked beforehand."""
        facts, state = self.facts, self.facts.state
        if self.policy.open == "never" or not facts.may_open or not may_help(state):
            return []
        gain = self._prospect()
        action = self._action("open", str(state.auction.id + 1), "auction", "open", gain=gain)
        worth = action.expected_usd > 0 and state.lossUsedWad < _SPENT * state.lossBudgetWad
        return [action] if worth or self.policy.open == "always" else []

    def _prospect(self) -> float:
        """USD that the lots that pay at all would leave at the curve's end."""
        facts = self.facts
        end, prices = 1 - from_wad(facts.auction.endDiscountWad), Market.prices(facts.state)
        rewards = [reward(lot, prices, facts.units, end, self._floor()) for lot in facts.prospects]
        return sum(usd for usd in rewards if usd > 0)

    def _floor(self) -> float:
        return self.facts.usd(self._gas("fill")) + self.policy.min_profit_usd

    def fills(self) -> list[Action]:
        """Lots whose second has come, the soonest first."""
        facts, state = self.facts, self.facts.state
        if not self.policy.fill or not facts.lots:
            return []
        known = Market.prices(state), facts.units, curve_of(state, facts.auction), state.auction.startedAt
        bounds = self._floor(), loss_left(state), facts.now
        found = [opportunity(lot, *known, *bounds) for lot in facts.lots]
        # what the vault holds of the asset tells a part of the lot from the next one
        held, cash = dict(zip(state.tokens, state.balances, strict=True)), state.tokens[-1]
        due = sorted((lot for lot in found if lot and lot.at <= facts.now), key=lambda lot: lot.at)
        return [
            self._action(
                "fill",
                f"{state.auction.id}:{lot.sell}>{lot.buy}:{held[lot.sell if lot.buy == cash else lot.buy]}",
                "filler",
                "fill",
                fill_order(state.auction.id, lot, self.account),
                gain=self._floor(),
            )
            for lot in due
        ]
