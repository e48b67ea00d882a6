"""Aave's public and its governors: liquidity leaves, gifts come, reserves freeze, liquidators wait."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import precondition

from equipoise.errors import ContractRevert, InputError
from tests.stateful.base import Base
from tests.stateful.model.books import WAD
from tests.stateful.rules.market import Market, can_crash
from tests.stateful.steps import action

VARIABLE = 2
RESERVE = st.integers(0, 4)
GIFT = st.integers(1, 10**13)


def with_account(machine: Base) -> bool:
    return machine.levered


class Lending(Market):
    """Books at Aave are Aave's own: what strangers do there moves nothing but what is written here."""

    @action(token=RESERVE, amount=GIFT, to=st.sampled_from(["vault", "account", "zap", "filler"]))
    def tokens_are_donated(self, token: int, amount: int, to: str) -> None:
        """Never counted, wherever they go."""
        name = self.listed[token]
        where = getattr(self.s.contracts, to) or self.s.vault
        self.world.fund(name, self.s.mallory, amount)
        self.world.tokens[name].send("transfer", where, amount, sender=self.s.mallory)
        self.donated.add(to)
        self.prices_moved()
        self.did()

    @property
    def donated(self) -> set[str]:
        """Where gifts of tokens lie."""
        return self.__dict__.setdefault("_donated", set())

    @precondition(with_account)
    @action(token=RESERVE, amount=GIFT)
    def receipts_are_donated(self, token: int, amount: int) -> None:
        """aTokens of the basket count as what they are worth; those of the cash only make Aave easier."""
        s, name = self.s, self.listed[token]
        self.world.fund(name, s.mallory, amount)
        args = (s.aave.tokens[name], amount, s.account, 0)
        unless = ["Error", "UnknownError", "NoReason"]
        if self.attempt(s.aave.pool, "supply", *args, sender=s.mallory, unless=unless):
            old = self.gift_arrived()
            for here, before, after in zip(self.names, old.balances, self.view.balances, strict=True):
                assert after - before <= (amount + 2 if here == name else 2)

    @precondition(lambda self: self.view.debt > 0)
    @action(amount=GIFT)
    def somebody_repays(self, amount: int) -> None:
        s = self.s
        args = (s.cash, min(amount, self.view.debt), VARIABLE, s.account)
        unless = ["Error", "UnknownError", "NoReason"]
        if self.attempt(s.aave.pool, "repay", *args, sender=s.mallory, unless=unless):
            self.gift_arrived()

    @precondition(with_account)
    @action(token=RESERVE, utilisation=st.sampled_from([0.2, 0.5, 0.75, 0.97, 1.0]))
    def liquidity_leaves_or_returns(self, token: int, utilisation: float) -> None:
        try:
            self.s.aave.set_utilisation(self.listed[token], utilisation)
        except (InputError, ContractRevert) as refusal:
            # others owe what would have to be repaid, or Aave's oracle is dead
            self.outcomes.append(type(refusal).__name__)
            return
        self.prices_moved()
        self.did()

    @precondition(with_account)
    @action(token=RESERVE, on=st.booleans())
    def a_reserve_freezes_or_thaws(self, token: int, on: bool) -> None:
        self.s.aave.freeze(self.listed[token], on)
        self.prices_moved()
        self.did()

    @precondition(can_crash)
    @action(to=st.floats(0.8, 0.999))
    def a_liquidator_comes(self, to: float) -> None:
        """The real one, for as long as Aave lets it; shares and idle cash are not touched."""
        assert self.view.health is not None
        if self.view.health >= WAD:
            self.a_crash_comes(to=to)
        owed = self.view.debt
        if self.s.aave.liquidate(self.s.account.address):
            self.did()
            self.seized()
            assert self.view.debt < owed

    @precondition(with_account)
    @action(token=st.integers(0, 3), drop=st.booleans())
    def a_stranger_switches_collateral(self, token: int, drop: bool) -> None:
        """Anybody may drop what is none of the vault's, and use again what is; no LTV here is 0."""
        function = "dropCollateral" if drop else "useAsCollateral"
        name = self.listed[token]
        barred = drop == (name in self.shelf)
        refusal = ("NotZeroLtv" if drop else "NotHeld") if barred else "Refused"
        args, unless = (self.world.tokens[name],), [f"LendingAccount__{refusal}"]
        went = self.attempt(self.s.account, function, *args, sender=self.s.mallory, unless=unless)
        assert not (went and barred)
        self.user_acted()
