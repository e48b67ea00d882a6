"""A vault lived in: people, keepers, prices, guardians and thieves in any order, on the real contracts."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from equipoise.units import DAY, WAD
from tests.fixtures.system import MAX, System

PEOPLE = st.sampled_from(["alice", "bob", "mallory"])
CENTS = st.one_of(st.integers(1, 10**6), st.integers(10**6, 10**11))
REFUSALS = [
    "RiskParityVault__ZeroShares",
    "RiskParityVault__ZeroAssets",
    "RiskParityVault__ZeroAmount",
    "RiskParityVault__InsufficientCash",
    "RiskParityVault__DepositsClosed",
    "RiskParityVault__DepositCapExceeded",
    "ERC20InsufficientBalance",
    "PriceOracle__FeedFailed",
]
BID_REFUSALS = [
    "RebalanceAuction__NotOpen",
    "RebalanceAuction__ZeroAmount",
    "RebalanceAuction__LotExceeded",
    "RebalanceAuction__OnlyCashBought",
    "RebalanceAuction__LossBudgetExceeded",
    "PriceOracle__FeedFailed",
]
OPEN_REFUSALS = [
    "RebalanceAuction__WithinBands",
    "RebalanceAuction__AlreadyOpen",
    "RebalanceAuction__EmptyVault",
    "PriceOracle__FeedFailed",
]


class VaultMachine(RuleBasedStateMachine):
    """Rules act; `price` and `mark` are the model: what the share price may do next."""

    def __init__(self, system: System) -> None:
        super().__init__()
        self.s = system
        self.snapshot = system.chain.request("evm_snapshot")
        self.losses: list[tuple[int, float]] = []
        self.dead = False
        self.remember()

    def teardown(self) -> None:
        assert self.s.chain.request("evm_revert", self.snapshot)

    def remember(self) -> None:
        self.price = 0 if self.dead else self.s.share_price()
        self.at = self.s.now()
        self.mark = self.s.vault.call("highWaterMarkWad")

    def least_price(self) -> int:
        """The share price less the management fee of the seconds since it was remembered, and one more."""
        seconds = self.s.now() - self.at + 1
        return self.price - self.price * 2 * seconds // (100 * 365 * DAY) - 1

    def act(self, function: str, *args: Any, sender: str) -> bool:
        """A user's action never lowers the share price, management fees of its seconds aside."""
        receipt = self.s.attempt(self.s.vault, function, *args, sender=sender, unless=REFUSALS)
        if not self.dead:
            assert self.s.share_price() >= self.least_price(), function
        self.remember()
        return receipt is not None

    # ---------------------------------------------------------------- people

    @rule(who=PEOPLE, amount=CENTS)
    def deposit(self, who: str, amount: int) -> None:
        person = getattr(self.s, who)
        self.act("deposit", amount, person, sender=person)

    @rule(who=PEOPLE, amount=CENTS, dust=st.integers(0, 10**12))
    def mint(self, who: str, amount: int, dust: int) -> None:
        person = getattr(self.s, who)
        self.act("mint", amount * 10**12 + dust, person, sender=person)

    @rule(who=PEOPLE, amount=CENTS)
    def withdraw(self, who: str, amount: int) -> None:
        person = getattr(self.s, who)
        self.act("withdraw", amount, person, person, sender=person)

    @rule(who=PEOPLE, part=st.floats(0, 1))
    def redeem_as_much_as_allowed(self, who: str, part: float) -> None:
        person = getattr(self.s, who)
        most = self.s.vault.call("maxRedeem", person)
        shares = int(most * part) if part < 1 else most
        done = self.act("redeem", shares, person, person, sender=person)
        assert done or part < 1 or most == 0

    @rule(who=PEOPLE, part=st.floats(0, 1), skip=st.sets(st.integers(0, 3), max_size=2))
    def redeem_in_kind(self, who: str, part: float, skip: set[int]) -> None:
        person = getattr(self.s, who)
        shares = self.s.shares(person)
        shares = shares if part == 1 else int(shares * part)
        left = [[*self.s.tokens, self.s.cash][i] for i in skip]
        done = self.act("redeemInKind", shares, person, person, left, sender=person)
        assert done or shares == 0

    @rule(token=st.integers(0, 3), amount=st.integers(1, 10**20))
    def donate(self, token: int, amount: int) -> None:
        [*self.s.tokens, self.s.cash][token].send("mint", self.s.vault, amount, sender=self.s.mallory)
        if not self.dead:
            assert self.s.share_price() >= self.least_price()
        self.remember()

    @rule()
    def accrue(self) -> None:
        self.s.attempt(self.s.vault, "accrueFees", sender=self.s.mallory, unless=REFUSALS)
        self.remember()

    # -------------------------------------------------------------- auctions

    @rule()
    def open(self) -> None:
        self.s.attempt(self.s.auction, "open", sender=self.s.keeper, unless=OPEN_REFUSALS)
        self.remember()

    @rule(sell=st.integers(0, 3), buy=st.integers(0, 3), part=st.integers(1, 100))
    def bid(self, sell: int, buy: int, part: int) -> None:
        s, tokens = self.s, [*self.s.tokens, self.s.cash]
        unit = [10**d for d in (*s.decimals, s.cash_decimals)][sell]
        amount = MAX if part == 100 else unit * part
        args = (s.auction.call("current").id, tokens[sell], tokens[buy], amount, MAX, s.keeper)
        unless = [*BID_REFUSALS, "RebalanceAuction__SameToken"]
        receipt = s.attempt(s.auction, "bid", *args, sender=s.keeper, unless=unless)
        if receipt:
            event = s.auction.events(receipt, "Bid")[0]
            nav = s.vault.call("portfolio").navWad
            self.losses.append((s.now(), max(0, event.sellValueWad - event.buyValueWad) / nav))
        self.remember()

    # ------------------------------------------------------------- the world

    @rule(moves=st.lists(st.floats(-0.2, 0.25), min_size=3, max_size=3))
    def prices_move(self, moves: list[float]) -> None:
        self.s.move(moves)
        self.remember()

    @rule(seconds=st.sampled_from([60, 1_200, 7_200, DAY, 3 * DAY]))
    def time_passes(self, seconds: int) -> None:
        self.s.warp(seconds)
        self.remember()

    @rule(factor=st.floats(0.7, 1.4))
    def signers_report(self, factor: float) -> None:
        self.s.post_volatilities([v * factor for v in self.s.vols])
        self.remember()

    @rule()
    def correlations_are_reported(self) -> None:
        self.s.post_correlations()

    @precondition(lambda self: not self.dead)
    @rule(feed=st.integers(0, 2))
    def a_feed_dies(self, feed: int) -> None:
        self.s.feeds[feed].send("setBehaviour", 1, b"", sender=self.s.mallory)
        self.dead = True

    @precondition(lambda self: self.dead)
    @rule()
    def feeds_revive(self) -> None:
        for feed in self.s.feeds:
            feed.send("setBehaviour", 0, b"", sender=self.s.mallory)
        self.dead = False
        self.remember()

    @rule(function=st.sampled_from(["pauseIncreases", "pauseDeposits"]))
    def guardian_tightens(self, function: str) -> None:
        self.s.guard.send(function, sender=self.s.guardian)

    @rule()
    def owner_unpauses(self) -> None:
        self.s.guard.send("unpause", sender=self.s.owner)

    # ------------------------------------------------------------ invariants

    @invariant()
    def books_are_backed(self) -> None:
        for token, book in zip([*self.s.tokens, self.s.cash], self.s.balances(), strict=True):
            assert book <= token.call("balanceOf", self.s.vault)

    @invariant()
    def every_share_has_an_owner(self) -> None:
        people = (self.s.alice, self.s.bob, self.s.mallory, self.s.treasury)
        assert sum(map(self.s.shares, people)) == self.s.vault.call("totalSupply")

    @invariant()
    def the_mark_never_falls(self) -> None:
        mark = self.s.vault.call("highWaterMarkWad")
        assert mark >= self.mark >= WAD
        self.mark = mark

    @invariant()
    def anyone_can_exit_in_kind(self) -> None:
        for person in (self.s.alice, self.s.bob, self.s.mallory):
            shares = self.s.shares(person)
            if shares:
                self.s.vault.call("redeemInKind", shares, person, person, [], sender=person)

    @invariant()
    def a_days_loss_stays_under_two_budgets(self) -> None:
        budget = self.s.auction.call("params").lossBudgetWad / WAD
        for end, _ in self.losses:
            assert sum(loss for at, loss in self.losses if end - DAY < at <= end) <= 2 * budget

    @invariant()
    def the_dashboard_answers(self) -> None:
        assert (self.s.lens.call("dashboard", self.s.auction).mode == 3) == self.dead

    @invariant()
    def max_deposit_tells_the_truth(self) -> None:
        most = self.s.vault.call("maxDeposit", self.s.bob)
        if most:
            amount = min(most, self.s.cash_of(self.s.bob))
            if amount == most:
                self.s.vault.call("deposit", amount, self.s.bob, sender=self.s.bob)
