"""Terms that rise after an auction has opened: its targets are of the old ones, its bids must not be."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition

from tests.stateful.model.books import WAD
from tests.stateful.model.prices import portion
from tests.stateful.model.risk import NORMAL, Guard
from tests.stateful.rules.auctions import Auctions
from tests.stateful.rules.market import Market
from tests.stateful.rules.office import Office, Order
from tests.stateful.rules.people import People
from tests.stateful.steps import action
from tests.stateful.view import NO_DEBT

LEAST, MOST = WAD * 105 // 100, 4 * WAD


def borrows_by_decree(machine: Any) -> bool:
    return bool(machine.levered and not machine.governed and machine.view.debt)


class Bars(Auctions, People, Office, Market):
    """Rules for a vault that borrows and whose owner acts at once."""

    @precondition(borrows_by_decree)
    @action(fresh=st.floats(0.2, 1), margin=st.floats(0, 0.01))
    def purchases_meet_a_rising_bar(self, fresh: float, margin: float) -> None:
        """Fresh cash, a part of the NAV; an auction; and before each purchase the owner asks for nearly the
        health there is.

        The first ones spend idle cash and strengthen it, the last borrow: whether they pass is decided by the
        health that they would leave (`Auctions._leverage_kept`), of which the opening's targets know nothing.
        """
        if self.view.nav is None:
            return
        self.deposit(who="bob", assets=portion(self.view.nav.mid, fresh))
        self.opened()
        self.to_moment(0.4)  # above mid: no budget for losses is in the way
        cash = len(self.names) - 1
        for asset in range(self.n):
            health = self.view.health
            if self.view.mode != NORMAL or health is None or health == NO_DEBT:
                return
            self._raise_bar(portion(health, 1 - margin))
            self.bid(cash, asset)

    def _raise_bar(self, increase_wad: int) -> None:
        """Of the health factor for increases, and of the others so that they stay in their order."""
        g, bar = self.guard, max(LEAST, min(MOST, increase_wad))
        ages = g.volatilities_fresh_for, g.delever_after
        older = g.correlations_fresh_for, g.correlations_delever_after
        terms = (*ages, *older, min(g.trigger, bar), bar, max(g.target, bar))

        def then() -> None:
            self.guard = Guard(*terms, g.increases_paused, g.deposits_paused)

        self.decree(Order(self.s.guard, "setParams", (terms,), then))
