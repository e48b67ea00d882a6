"""What every rule stands on: the system, the model beside it, and the look around each single transaction.

The clock stands still but in the rules that move it, so that what a transaction does is seen without interest
and fees of a second, and any sequence is what somebody could do in one block.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

from hypothesis.stateful import RuleBasedStateMachine

from equipoise.client.chain import Receipt
from equipoise.client.contract import Contract
from equipoise.errors import ContractRevert
from tests.fixtures.levered import Levered
from tests.stateful.model.books import WAD, YEAR, Books
from tests.stateful.model.prices import Feed, nav, up
from tests.stateful.model.risk import DAY, Guard, Reports, lanes_of
from tests.stateful.steps import DONE
from tests.stateful.view import View, look

USD = "USDC"


class Base(RuleBasedStateMachine):
    """`s` is the system on either engine; `books`, `feeds`, `reports` and `guard` are the model.

    Attributes
    ----------
    market
        The feed of every asset of the world by name, the cash last: what rules about markets choose from.
    basket, realised, shelf
        Names of the oracle's assets, of those whose realised volatility is measured, and of the vault's
        tokens, those that it sells behind the others. The owner sets one after another.
    governed
        Whether the owner is the timelock.
    view, price
        What was seen after the last transaction, and the share price then, exactly; None without prices.
    used_wad, used_at
        The loss bucket {WAD of NAV} after the last bid that gave something away.
    ends_at
        Of the last auction that began in this life.
    steps, digests
        Every rule that ran, and what the chain looked like after it.
    """

    def __init__(self, system: Levered) -> None:
        super().__init__()
        self.s = s = system
        assert s.world
        self.world = s.world
        self.snapshot = self.world.snapshot()
        s.chain.entries.clear()
        s.chain.request("anvil_setBlockTimestampInterval", 0)
        self.steps: list[tuple[str, dict[str, Any]]] = []
        self.digests: list[Any] = []
        self.outcomes: list[str] = []
        self.inside = False
        self.people = {"alice": s.alice, "bob": s.bob, "mallory": s.mallory}
        self.basket, self.realised, self.shelf = (list(s.symbols) for _ in range(3))
        self.governed = False
        self.levered = s.contracts.account is not None
        s.vault.send("accrueFees", sender=s.keeper)
        listed = [*(asset.symbol for asset in self.world.assets), USD]
        self.market = {name: self._feed(name, self.world.tokens[name]) for name in listed}
        self.reports = self._reports()
        self.guard = Guard(*s.guard.call("params"))
        self.losses: list[tuple[int, Fraction]] = []
        self.used_wad, self.used_at = 0, self.now
        self.budgets_seen = [s.auction.call("params").lossBudgetWad]
        self.ends_at = 0
        self.books = self._books()
        self.view: View = self.look()
        self.price: Fraction | None = self._price_of(self.view)

    def teardown(self) -> None:
        self.s.chain.request("anvil_setBlockTimestampInterval", 1)
        self.world.revert(self.snapshot)

    def check_invariants_now(self) -> None:
        """Every invariant once, for a replay outside hypothesis."""
        for invariant in self.invariants:
            invariant.function(self)

    def digest(self) -> Any:
        """What two engines must agree on after a step."""
        return self.view, self.s.chain.timestamp(), len(self.s.chain.entries)

    @property
    def deposits_open(self) -> bool:
        """At the last look: guard and mode allow them, and no NAV of 0 hides a debt that is more."""
        v = self.view
        sunk = v.nav is not None and v.nav.mid == 0 and v.debt
        return not sunk and self.guard.deposits_open(self.reports, v.at, v.live, v.health)

    # -------------------------------------------------------------- the model

    def _feed(self, name: str, token: Contract) -> Feed:
        terms = self.s.price_oracle.call("feedOf", token)
        last = self.world.feeds[name].call("latestRoundData")
        bounds = terms.minPriceWad, terms.maxPriceWad
        spread, decimals = terms.halfSpreadBps, terms.tokenDecimals
        return Feed(last.answer, last.updatedAt, terms.heartbeat, spread, *bounds, decimals)

    def _reports(self) -> Reports:
        """The system comes with one post of volatilities, and has never had another."""
        oracle, n = self.s.volatility_oracle, self.n
        post, p = oracle.call("lastPost"), oracle.call("params")
        return Reports(
            volatilities_at=post.observedAt,
            settles_at=post.settlesAt,
            count=post.reportCount,
            posts=[[0] * n, lanes_of(post.vols, n)],
            max_age=p.maxReportAge,
            settle_period=p.settlePeriod,
            max_fall_wad=p.maxFallPerDayWad,
            correlations_at=oracle.call("reportTimes").correlationsAt,
        )

    def _books(self) -> Books:
        s, fees = self.s, self.s.vault.call("fees")
        known = {*self.people.values(), s.treasury}
        return Books(
            supply=s.vault.call("totalSupply"),
            cash=s.balances()[-1],
            entry=fees.entryFeeWad,
            exit=fees.exitFeeWad,
            management=fees.managementFeeWad,
            performance=fees.performanceFeeWad,
            mark=s.vault.call("highWaterMarkWad"),
            accrued_at=self.now,
            cap=s.vault.call("depositCap"),
            recipient=s.treasury,
            shares={who: s.shares(who) for who in known},
        )

    # ------------------------------------------------------------- the basket

    @property
    def n(self) -> int:
        """Of the reports: how many assets the oracle has."""
        return len(self.basket)

    @property
    def names(self) -> list[str]:
        """Of the vault's book, in its order, the cash last."""
        return [*self.shelf, USD]

    @property
    def all_tokens(self) -> list[Contract]:
        return [self.world.tokens[name] for name in self.names]

    @property
    def feeds(self) -> list[Feed]:
        """Of the vault's book."""
        return [self.market[name] for name in self.names]

    @property
    def listed(self) -> list[str]:
        """Names of the whole market, in an order that never changes."""
        return list(self.market)

    def hold(self, shelf: Sequence[str]) -> None:
        """The vault's tokens are these from now on."""
        self.shelf = list(shelf)
        self.s = replace(self.s, tokens=self.all_tokens[:-1])

    def pool_fee(self, name: str) -> int:
        """Of the asset's pool."""
        return next(asset.pool_fee for asset in self.world.assets if asset.symbol == name)

    @property
    def now(self) -> int:
        return int(self.s.chain.timestamp())

    @property
    def live(self) -> bool:
        """Whether every price counts, by what was pushed."""
        return all(feed.usable(self.now) for feed in self.feeds)

    def look(self) -> View:
        return look(self.s, self.live)

    def bucket(self, now: int) -> int:
        """What is in the loss bucket {WAD of NAV}: it leaks one budget a day."""
        leaked = self.budgets_seen[-1] * (now - self.used_at) // DAY
        return max(0, self.used_wad - leaked)

    # ---------------------------------------------------------- transactions

    def did(self) -> None:
        self.outcomes.append(DONE)

    def attempt(
        self, contract: Contract, function: str, *args: Any, sender: str, unless: Sequence[str] = ()
    ) -> Receipt | None:
        """Send; a refusal whose name begins with one of `unless` is an answer (None), any other a failure."""
        try:
            receipt = contract.send(function, *args, sender=sender)
        except ContractRevert as revert:
            if not any(revert.name.startswith(name) for name in unless):
                raise
            self.outcomes.append(revert.name)
            return None
        self.did()
        return receipt

    def predicted(
        self,
        refusal: str | None,
        contract: Contract,
        function: str,
        *args: Any,
        sender: str,
        unless: Sequence[str] = (),
    ) -> Receipt | None:
        """Send what the model says is refused, by an error whose name begins so, or goes through (None).

        What it cannot say are refusals whose names begin with one of `unless`.
        """
        try:
            receipt = contract.send(function, *args, sender=sender)
        except ContractRevert as revert:
            if not any(revert.name.startswith(name) for name in ((refusal,) if refusal else unless)):
                raise AssertionError(f"expected {refusal or 'success'}, got {revert}") from revert
            self.outcomes.append(revert.name)
            return None
        assert refusal is None, f"{function} went through; expected {refusal}"
        self.did()
        return receipt

    # ------------------------------------------------- around one transaction

    def dust(self) -> int:
        """Aave rounds every balance and the debt by a unit: what two of each are worth, in cash units."""
        if not self.live:
            return 0
        *basket, cash = self.feeds
        worth = sum(up(2 * f.mid, cash.unit, f.unit * cash.mid) for f in basket)
        return worth + 3 if self.levered else 3

    def user_acted(self, balances: Sequence[int] | None = None, debt: int | None = None) -> View:
        """The share price fell by no more than dust, and the books are these, or as they were."""
        old = self._compare(self.dust())
        self._near(self.view.balances, old.balances if balances is None else balances)
        self._near([self.view.debt], [old.debt if debt is None else debt])
        return old

    def gift_arrived(self) -> View:
        """The share price fell by no more than dust; the books may have grown and the debt shrunk."""
        old = self._compare(self.dust())
        assert all(b >= a - 2 for a, b in zip(old.balances, self.view.balances, strict=True))
        assert self.view.debt <= old.debt + 2
        return old

    def prices_moved(self) -> View:
        """The books did not."""
        old = self._compare(None)
        kept = old.balances, old.debt, old.supply
        assert (self.view.balances, self.view.debt, self.view.supply) == kept
        return old

    def bid_settled(self, loss: int) -> View:
        """The share price fell by no more than `loss` {smallest units of cash}, as announced."""
        return self._compare(loss + self.dust())

    def seized(self) -> View:
        """A liquidator took collateral: books may fall, shares stay."""
        return self._compare(None)

    def basket_changed(self, written_off: int) -> View:
        """Other tokens are in the books; the share price fell by what was `written_off` {units of cash}."""
        return self._compare(written_off + self.dust())

    def time_passed(self, rate_wad: int) -> View:
        """Interest is earned, and owed at the rate before; fees fall due by the clock."""
        old, now = self.view, self.now
        growth = math.expm1(rate_wad / WAD * (now - old.at) / YEAR)
        owed = int(old.debt * growth * (1 + 1e-6)) + 2
        kept = (1 - self.books.management_part(now)) / (1 - self.books.management_part(old.at))
        self._compare(owed + self.dust(), kept * (1 - Fraction(1, 10**15)))
        assert self.view.supply == old.supply
        assert old.debt <= self.view.debt <= old.debt + owed
        assert all(b >= a for a, b in zip(old.balances, self.view.balances, strict=True))
        return old

    def _compare(self, loss: int | None, kept: Fraction = Fraction(1)) -> View:
        """Look, hold it against the books, and return what was seen before.

        The share price may fall to `kept` of itself less `loss` {smallest units of cash in all}; it may do
        anything when `loss` is None.
        """
        new, old, before = self.look(), self.view, self.price
        assert new.supply == self.books.supply, "shares that the model does not know"
        assert new.balances[-1] == self.books.cash, "cash that the model does not know"
        self.view, self.price = new, self._price_of(new)
        if new.nav is None:
            return old
        assert new.nav == nav(new.balances, self.feeds, new.debt), "the NAV is not what the books are worth"
        told = self.s.vault.call("sharePriceWad")
        assert told == self.books.price_after_fees_wad(new.nav.mid, new.at)
        if loss is not None and before is not None and self.price is not None:
            with_loss = self.price * Fraction(new.nav.mid + 1 + loss, new.nav.mid + 1)
            fell = f"the share price fell from {float(before)} to {float(self.price)}"
            assert with_loss >= before * kept, f"{fell}, more than {loss} explains"
        return old

    def _price_of(self, view: View) -> Fraction | None:
        return self.books.price(view.nav.mid, view.at) if view.nav else None

    def _near(self, seen: Sequence[int], due: Sequence[int]) -> None:
        """Exactly, or with a lending account within Aave's rounding."""
        slack = 2 if self.levered else 0
        off = [abs(a - b) for a, b in zip(seen, due, strict=True)]
        assert max(off) <= slack, f"the books say {seen}, {due} was due"
