"""Depositors: every entrance and exit, each predicted by the books to the last unit."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition

from tests.stateful.base import Base
from tests.stateful.model.books import VIRTUAL, WAD
from tests.stateful.model.prices import Nav, portion
from tests.stateful.steps import action
from tests.stateful.view import MUTE

WHO = st.sampled_from(["alice", "bob", "mallory"])
AMOUNT = st.one_of(st.integers(0, 3), st.integers(1, 10**6), st.integers(10**6, 2 * 10**12))
"""Smallest units of cash: dust, cents, up to two millions."""
PART = st.one_of(st.just(1.0), st.floats(0.01, 1), st.floats(0, 1e-9))
SKIP = st.lists(st.integers(0, 4), max_size=2, unique=True)
MOVES = ("deposit", "mint", "withdraw", "redeem", "redeem in kind")
DEADLINE = 2**63
ZERO, POOR = "RiskParityVault__ZeroAmount", "ERC20InsufficientBalance"


def somebody_holds(machine: Base) -> bool:
    return any(machine.books.shares[person] for person in machine.people.values())


class People(Base):
    """`preview*` is asked in the block of the action, so that they must agree."""

    def holder(self, who: str) -> str:
        """That person, or the first that holds shares if it does not."""
        holders = [name for name, person in self.people.items() if self.books.shares[person]]
        return who if who in holders or not holders else holders[0]

    # ------------------------------------------------------------- entrances

    @action(who=WHO, assets=AMOUNT)
    def deposit(self, who: str, assets: int) -> None:
        v, shares = self.view, 0
        if v.nav and assets:
            shares = self.books.quote_deposit(assets, v.nav, v.at)
        refusal = None if assets else ZERO
        refusal = refusal or self._priceless()
        refusal = refusal or (None if shares else "RiskParityVault__ZeroShares")
        self._enter(who, "deposit", assets, assets, shares, refusal or self._closed(who, assets))

    @action(who=WHO, assets=AMOUNT, dust=st.integers(0, VIRTUAL))
    def mint(self, who: str, assets: int, dust: int) -> None:
        v, shares, due = self.view, assets * VIRTUAL + dust, 0
        if v.nav and shares:
            due = self.books.quote_mint(shares, v.nav, v.at)
        refusal = (None if shares else ZERO) or self._priceless() or self._closed(who, due)
        self._enter(who, "mint", shares, due, shares, refusal)

    def _enter(
        self, who: str, function: str, amount: int, assets: int, shares: int, refusal: str | None
    ) -> None:
        person, v = self.people[who], self.view
        preview = self._preview(function, amount)
        cash = self.s.cash_of(person)
        receipt = self.predicted(refusal, self.s.vault, function, amount, person, sender=person)
        if receipt is None or v.nav is None:
            return
        self.books.enter(person, assets, shares, v.nav, v.at)
        assert preview == (shares if function == "deposit" else assets)
        assert cash - self.s.cash_of(person) == assets
        self._fair(assets, shares, v.nav, entered=True)
        self.user_acted([*v.balances[:-1], self.books.cash])

    def _closed(self, who: str, assets: int) -> str | None:
        v = self.view
        assert v.nav
        if v.health is None:
            return MUTE
        if not self.deposits_open:
            return "RiskParityVault__DepositsClosed"
        if assets > max(0, self.books.cap - v.nav.mid):
            return "RiskParityVault__DepositCapExceeded"
        return POOR if assets > self.s.cash_of(self.people[who]) else None

    # ------------------------------------------------------------ cash exits

    @action(who=WHO, assets=AMOUNT)
    def withdraw(self, who: str, assets: int) -> None:
        v, shares, who = self.view, 0, self.holder(who)
        if v.nav:
            shares = self.books.quote_withdraw(assets, v.nav, v.at)
        refusal = (None if assets else ZERO) or self._priceless()
        self._leave(who, "withdraw", assets, assets, shares, refusal)

    @precondition(somebody_holds)
    @action(who=WHO, part=PART)
    def redeem(self, who: str, part: float) -> None:
        who = self.holder(who)
        self._redeem(who, portion(self.books.shares[self.people[who]], part))

    @precondition(somebody_holds)
    @action(who=WHO, part=st.sampled_from([1.0, 1.0, 0.5]))
    def redeem_what_is_allowed(self, who: str, part: float) -> None:
        """Of `maxRedeem`: without prices none, else never refused for cash or for shares."""
        who = self.holder(who)
        most = self.s.vault.call("maxRedeem", self.people[who])
        assert most <= self.books.shares[self.people[who]]
        if self.view.nav is None:
            assert most == 0
        elif most:
            self._redeem(who, portion(most, part))
            assert self.outcomes[-1] == "done" or part < 1

    def _redeem(self, who: str, shares: int) -> None:
        v, assets = self.view, 0
        if v.nav:
            assets = self.books.quote_redeem(shares, v.nav, v.at)
        refusal = (None if shares else ZERO) or self._priceless()
        refusal = refusal or (None if assets else "RiskParityVault__ZeroAssets")
        self._leave(who, "redeem", shares, assets, shares, refusal)

    def _leave(
        self, who: str, function: str, amount: int, assets: int, shares: int, refusal: str | None
    ) -> None:
        person, v = self.people[who], self.view
        if refusal is None and assets > self.books.cash:
            refusal = "RiskParityVault__InsufficientCash"
        if refusal is None and shares > self.books.shares[person]:
            refusal = POOR
        preview = self._preview(function, amount)
        cash = self.s.cash_of(person)
        receipt = self.predicted(refusal, self.s.vault, function, amount, person, person, sender=person)
        if receipt is None or v.nav is None:
            return
        self.books.leave(person, assets, shares, v.nav, v.at)
        assert preview == (shares if function == "withdraw" else assets)
        assert self.s.cash_of(person) - cash == assets
        self._fair(assets, shares, v.nav, entered=False)
        self.user_acted([*v.balances[:-1], self.books.cash])

    def _fair(self, assets: int, shares: int, value: Nav, entered: bool) -> None:
        """Nobody gets more than the share's worth at ask, or at bid, after the fee; by less than a unit."""
        whole = self.books.supply + (-shares if entered else shares) + VIRTUAL
        if entered:
            net = assets * (WAD - self.books.entry)
            assert shares * (value.ask + 1) * WAD <= net * whole
            assert (shares + 1) * (value.ask + 1) * WAD >= (net - 3 * WAD) * whole
        else:
            gross = shares * (value.bid + 1) * (WAD - self.books.exit)
            assert assets * WAD * whole <= gross
            assert (assets + 2) * WAD * whole + 2 * (value.bid + 1) * WAD >= gross

    # --------------------------------------------------------------- in kind

    @precondition(somebody_holds)
    @action(who=WHO, part=PART, skip=SKIP)
    def redeem_in_kind(self, who: str, part: float, skip: list[int]) -> None:
        who, skip = self.holder(who), sorted({i % len(self.names) for i in skip})
        person = self.people[who]
        shares = portion(self.books.shares[person], part)
        left = [self.all_tokens[i] for i in skip]
        preview = self._preview("redeemInKind", shares) if shares and not skip else None
        held = self._held(person)
        args = (shares, person, person, left)
        unless = [] if self.exit_is_promised(shares, skip) else ["LendingAccount__Refused", "NoReason"]
        receipt = self.attempt(
            self.s.vault, "redeemInKind", *args, sender=person, unless=[*unless, *([] if shares else [ZERO])]
        )
        if receipt is None:
            return
        amounts, repaid = self._left_in_kind(person, shares, skip)
        assert preview is None or (list(preview.amounts), preview.debtRepaid) == (amounts, repaid)
        got = [after - before for before, after in zip(held, self._held(person), strict=True)]
        assert got[-1] == amounts[-1] - repaid
        # receipts of a dry reserve are rounded by Aave
        assert all(abs(g - a) <= 2 for g, a in zip(got[:-1], amounts[:-1], strict=True))

    def _left_in_kind(self, owner: str, shares: int, skip: list[int]) -> tuple[list[int], int]:
        v = self.view
        kept = set(skip)
        amounts, repaid = self.books.leave_in_kind(owner, shares, list(v.balances), v.debt, kept, v.at)
        rest = [b - a for b, a in zip(v.balances, amounts, strict=True)]
        self.user_acted(rest, max(0, v.debt - repaid))
        return amounts, repaid

    def _held(self, who: str) -> list[int]:
        """Tokens, each with its receipts at Aave, the cash last."""
        held = [int(token.call("balanceOf", who)) for token in self.all_tokens]
        if self.levered:
            receipts = [self.s.aave.a_tokens[name] for name in self.names[:-1]]
            held = [h + r.call("balanceOf", who) for h, r in zip(held, receipts, strict=False)] + held[-1:]
        return held

    def exit_is_promised(self, shares: int, skip: list[int]) -> bool:
        """Whether an exit in kind must go through: always, but for what Aave itself forbids a debtor.

        With debt it asks for a health factor of 1 by its own prices. Skipping tokens only helps the others.
        """
        v = self.view
        return v.debt == 0 or (v.health is not None and v.health >= WAD + WAD // 10**6)

    @precondition(somebody_holds)
    @action(who=WHO, part=PART, fee=st.sampled_from([0, 1]))
    def zap(self, who: str, part: float, fee: int) -> None:
        """Shares to cash through the exchange, or with `fee` 0 the last token handed over as it is."""
        person = self.people[self.holder(who)]
        shares = portion(self.books.shares[person], part)
        fees = [self.pool_fee(name) for name in self.names[:-1]]
        fees[-1] *= fee
        refusals = ["ExitZap__", "LendingAccount__Refused", "ERC20", "NoReason", "Error", "UnknownError"]
        args = (shares, 0, fees, [], person, DEADLINE)
        held = self._held(person)
        if self.attempt(self.s.zap, "exit", *args, sender=person, unless=refusals):
            self._left_in_kind(person, shares, [])
            assert self._held(person)[-1] >= held[-1]

    @action(moves=st.lists(st.tuples(st.sampled_from(MOVES), WHO, AMOUNT, PART), min_size=2, max_size=6))
    def a_busy_block(self, moves: list[tuple[str, str, int, float]]) -> None:
        """Users come and go in one block, each transaction looked at by itself."""
        for move, who, assets, part in moves:
            if move == "deposit":
                self.deposit(who=who, assets=assets)
            elif move == "mint":
                self.mint(who=who, assets=assets, dust=0)
            elif move == "withdraw":
                allowed = self.s.vault.call("maxWithdraw", self.people[self.holder(who)])
                self.withdraw(who=who, assets=min(assets, allowed))
            elif move == "redeem":
                self.redeem_what_is_allowed(who=who, part=part)
            elif somebody_holds(self):
                self.redeem_in_kind(who=who, part=part, skip=[])

    # ------------------------------------------------------------------ both

    def _priceless(self) -> str | None:
        return None if self.view.nav else "PriceOracle__"

    def _preview(self, function: str, amount: int) -> Any:
        if self.view.nav is None and function != "redeemInKind":
            return None
        return self.s.vault.call(f"preview{function[0].upper()}{function[1:]}", amount)
