"""Assets come and go by the owner's three calls, and leave the vault once they are sold."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st

from equipoise.units import DAY
from tests.stateful.model.books import WAD
from tests.stateful.rules.auctions import Auctions
from tests.stateful.rules.market import Market
from tests.stateful.rules.office import Office, Order
from tests.stateful.rules.signers import Signers
from tests.stateful.steps import action

DUST = WAD // 10_000
"""Of the NAV: what may be left of an asset that is dropped."""
PRICELESS = "PriceOracle__"


class Baskets(Auctions, Signers, Office, Market):
    """`basket`, `realised` and `shelf` are the model's; what is dropped is in no book any more."""

    @action(
        order=st.permutations(range(4)),
        count=st.sampled_from([3, 3, 2, 4]),
        leave=st.sampled_from(["none", "sold", "all"]),
        settle=st.sampled_from([True, True, False]),
    )
    def the_basket_changes(self, order: list[int], count: int, leave: str, settle: bool) -> None:
        """To the first `count` of the market; of what else is held `leave` says what is dropped.

        With `settle` signers and keepers follow.
        """
        basket = [self.listed[i] for i in order[:count]]
        others = [name for name in self.shelf if name not in basket]
        if leave == "sold":
            others = [name for name in others if self._unsold(name)]
        if self.change_basket(basket, [] if leave == "all" else others) and settle:
            self.settle_in(0.5)

    @action()
    def what_is_sold_is_dropped(self) -> None:
        """The vault's call alone: the oracle's assets stay."""
        rest = [name for name in self.shelf if name in self.basket or self._unsold(name)]
        self.decree(self._shelve([*self.basket, *(name for name in rest if name not in self.basket)]))

    @action(out=st.integers(0, 3), moment=st.sampled_from([0.4, 0.4, 0.5, 1.0]))
    def an_asset_is_replaced(self, out: int, moment: float) -> None:
        """By one that is not there: signers report, auctions sell and buy, the old one leaves."""
        away = [name for name in self.listed[:-1] if name not in self.basket]
        gone = self.basket[out % self.n]
        basket = [name for name in self.basket if name != gone] + away[:1]
        if len(basket) < 2:
            return
        kept = [name for name in self.shelf if name not in basket]
        if not self.change_basket(basket, kept):
            return
        self.settle_in(moment)
        self.what_is_sold_is_dropped()

    def settle_in(self, moment: float) -> None:
        """A day later, at working feeds: reports of the new assets, in use, and one auction."""
        self.wait(DAY)
        self.feeds_recover()
        self.signers_cosign_correlations(pairs=[0.3] * 6, few=False, solved_here=False)
        self.honest_signers_report(level=1.0, noise=[1.0] * 5, age=0, absent=0)
        self.wait(self.reports.settle_period)
        self.keepers_rebalance(moment=moment, lots=8)

    # ------------------------------------------------------------- the calls

    def change_basket(self, basket: Sequence[str], retiring: Sequence[str]) -> bool:
        """Whether it is done now."""
        tokens = [self.world.tokens[name].address for name in basket]
        share, oracle = 10**8 // len(basket), self.s.volatility_oracle
        budgets = [10**8 - share * (len(basket) - 1)] + [share] * (len(basket) - 1)
        word = sum(lane << (32 * i) for i, lane in enumerate(budgets))

        def reported() -> None:
            self.basket = list(basket)
            self.reports.forget(len(basket))

        def realised() -> None:
            self.realised = list(basket)

        return self.decree(
            Order(oracle, "setBasket", (tokens, word), reported),
            Order(
                self.s.contracts.realized_volatility,
                "setBasket",
                (tokens,),
                realised,
                lambda: self._unpriced([name for name in basket if name not in self.realised]),
            ),
            self._shelve([*basket, *retiring]),
        )

    def _shelve(self, shelf: list[str]) -> Order:
        left = lambda: [name for name in self.shelf if name not in shelf]  # noqa: E731
        written: list[int] = []

        def refusal() -> str | None:
            """Every token of the new book has a price; what is dropped needs one if some of it is left."""
            held = [name for name in left() if self._held_of(name)]
            if priceless := self._unpriced([*shelf, self.names[-1]]):
                return priceless
            # the NAV is of the new book
            rest = sum(self._usd(name) for name in shelf if name in self.shelf) + self._usd(self.names[-1])
            back = self._back(shelf)
            debt, cash = self.view.debt, self.feeds[-1]
            limit = max(0, rest + back - debt * cash.mid // cash.unit) * DUST // WAD
            for name in held:
                if priceless := self._unpriced([name]):
                    return priceless
                if self._usd(name) > limit:
                    return "RiskParityVault__NotSold"
            return None

        def then() -> None:
            cash = self.feeds[-1]
            usd = sum(self._usd(name) for name in left() if self._held_of(name))
            written[:] = [-(-usd * cash.unit // max(1, cash.mid))]
            self.hold(shelf)

        def look() -> None:
            if written:
                self.basket_changed(written.pop() + len(shelf))
            else:
                self.prices_moved()

        args = ([self.world.tokens[name].address for name in shelf],)
        return Order(self.s.vault, "setBasket", args, then, refusal, look=look)

    # ------------------------------------------------------------------ facts

    def _unpriced(self, names: Sequence[str]) -> str | None:
        return None if all(self.market[name].usable(self.now) for name in names) else PRICELESS

    def _held_of(self, name: str) -> int:
        """In the books."""
        return self.view.balances[self.names.index(name)]

    def _usd(self, name: str) -> int:
        """{WAD} of it in the books."""
        feed = self.market[name]
        return self._held_of(name) * feed.mid // feed.unit

    def _back(self, shelf: Sequence[str]) -> int:
        """{WAD USD} of tokens that return and were left at the lending venue, or were given there."""
        if not self.levered:
            return 0
        account, total = self.s.account, 0
        for name in (name for name in shelf if name not in self.shelf):
            token, feed = self.world.tokens[name], self.market[name]
            if account.call("lists", token):
                held = account.call("position", [token, self.s.cash]).balances[0]
            else:
                held = self.s.aave.a_tokens[name].call("balanceOf", account)
            total += held * feed.mid // feed.unit
        return total

    def _unsold(self, name: str) -> bool:
        """Whether the vault may not forget it yet."""
        book = self.s.vault.call("portfolio") if self.live else None
        return book is None or bool(self._usd(name) * WAD > book.navWad * DUST * 9 // 10)
