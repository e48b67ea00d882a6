"""Owner and guardian, within their bounds and beyond; and a thief who tries their levers."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from equipoise.units import DAY
from tests.fixtures.governance import PROPOSER
from tests.stateful.model.books import WAD
from tests.stateful.model.risk import Guard
from tests.stateful.rules.market import Market
from tests.stateful.rules.office import Office, Order
from tests.stateful.rules.signers import Signers
from tests.stateful.steps import action

HARD_CAPS = (WAD // 100, WAD // 100, 2 * WAD // 100, 20 * WAD // 100)
FRACTION = st.floats(0, 1)
SIGNER = st.integers(0, 4)


class Governance(Signers, Office, Market):
    """Whatever they do, exits stay open and fees stay small: the invariants see to it."""

    # ------------------------------------------------------------- guardian

    @action(what=st.sampled_from(["pauseIncreases", "pauseDeposits", "unpause", "unpause"]))
    def the_guardian_pauses_or_the_owner_unpauses(self, what: str) -> None:
        def then() -> None:
            g = self.guard
            g.increases_paused = what == "pauseIncreases" or (g.increases_paused and what != "unpause")
            g.deposits_paused = what == "pauseDeposits" or (g.deposits_paused and what != "unpause")

        if what == "unpause":
            self.decree(Order(self.s.guard, what, (), then))
            return
        self.s.guard.send(what, sender=self.s.guardian)
        then()
        self.prices_moved()
        self.did()

    @action(cap=st.sampled_from([0, 10**12, 10**13, 9 * 10**13, 10**14]), by_guardian=st.booleans())
    def the_deposit_cap_changes(self, cap: int, by_guardian: bool) -> None:
        """The guardian may lower it only."""

        def then() -> None:
            self.books.cap = cap

        if not by_guardian:
            self.decree(Order(self.s.vault, "setDepositCap", (cap,), then))
            return
        refusal = "OwnableUnauthorizedAccount" if cap >= self.books.cap else None
        if self.predicted(refusal, self.s.vault, "setDepositCap", cap, sender=self.s.guardian):
            then()
        self.prices_moved()

    @action(index=SIGNER)
    def the_guardian_removes_a_signer(self, index: int) -> None:
        """Down to the threshold less one: then no report passes until governance acts."""
        signers = self.signers
        if len(signers) < self.threshold or index >= len(signers):
            return
        self._remove(signers[index].address)
        self.prices_moved()

    def _remove(self, signer: str) -> None:
        self.attempt(self.s.volatility_oracle, "removeSigner", signer, sender=self.s.guardian)
        self.reports.count = 0  # any quorum replaces what has not settled

    @action(index=SIGNER, patient=st.booleans())
    def a_signer_is_proposed_and_activated(self, index: int, patient: bool) -> None:
        """By the owner, and by anybody after the delay; not before."""
        oracle, signer = self.s.volatility_oracle, self._missing(index)
        if not oracle.call("proposalOf", signer).readyAt:
            if oracle.call("isSigner", signer):
                self._remove(signer)
            args = (signer, "0x" + "00" * 20, self.threshold)
            if not self.decree(Order(oracle, "proposeSigner", args, unless=CHANGED)):
                return
            assert oracle.call("proposalOf", signer).readyAt >= self.now + DAY
        ready = oracle.call("proposalOf", signer).readyAt
        if patient:
            self.wait(max(0, ready - self.now))
        early = None if self.now >= ready else "VolatilityOracle__ProposalNotReady"
        where = oracle, "activateSigner", signer
        if not self.predicted(early, *where, sender=self.s.mallory, unless=CHANGED):
            self.attempt(oracle, "cancelProposal", signer, sender=self.s.guardian)
        self.prices_moved()

    def _missing(self, index: int) -> str:
        """A signer that was removed, if there is one."""
        here = {s.address for s in self.signers}
        gone = [s.address for s in self.s.signers if s.address not in here]
        return gone[index % len(gone)] if gone else self.s.signers[index].address

    # ------------------------------------------------------------ parameters

    @action(parts=st.lists(FRACTION, min_size=4, max_size=4), beyond=st.booleans())
    def fees_change(self, parts: list[float], beyond: bool) -> None:
        """Up to the hard caps, and not a unit beyond."""
        fees = [int(cap * part) for cap, part in zip(HARD_CAPS, parts, strict=True)]
        if beyond:
            fees[int(parts[0] * 3.99)] = HARD_CAPS[int(parts[0] * 3.99)] + 1

        def refusal() -> str | None:
            return BEYOND if beyond else None if self.view.nav else "PriceOracle__"

        def then() -> None:
            v = self.view
            assert v.nav
            self.books.set_fees((fees[0], fees[1], fees[2], fees[3]), self.s.treasury, v.nav.mid, v.at)

        args = (tuple(fees), self.s.treasury)
        self.decree(Order(self.s.vault, "setFees", args, then, refusal, look=self.user_acted))

    @action()
    def anybody_accrues_fees(self) -> None:
        v = self.view
        refusal = None if v.nav else "PriceOracle__"
        if self.predicted(refusal, self.s.vault, "accrueFees", sender=self.s.mallory):
            assert v.nav
            self.books.accrue(v.nav.mid, v.at)
        self.user_acted()

    @action(parts=st.lists(FRACTION, min_size=3, max_size=3), ages=st.sampled_from([0.5, 1.0, 2.0]))
    def the_guards_terms_change(self, parts: list[float], ages: float) -> None:
        trigger = WAD * 105 // 100 + int(WAD * 0.4 * parts[0])
        increase = trigger + int(WAD * 0.3 * parts[1])
        target = increase + int(WAD * 0.4 * parts[2])
        fresh, delever = int(36 * 3600 * ages), int(96 * 3600 * ages)
        terms = (fresh, delever, 21 * DAY, 45 * DAY, trigger, increase, target)

        def then() -> None:
            self.guard = Guard(*terms, self.guard.increases_paused, self.guard.deposits_paused)

        self.decree(Order(self.s.guard, "setParams", (terms,), then))

    @action(
        risk=st.floats(0.05, 0.6),
        leverage=st.floats(0.5, 3.5),
        budget=st.sampled_from([0.0001, 0.005, 0.02]),
        curve=st.tuples(st.floats(0, 0.05), st.floats(0, 0.02)),
        duration=st.sampled_from([60, 1800, 7200]),
    )
    def the_auctions_terms_change(
        self, risk: float, leverage: float, budget: float, curve: tuple[float, float], duration: int
    ) -> None:
        p = self.s.auction.call("params")
        changed = p._replace(
            targetVolatilityWad=int(risk * WAD),
            maxLeverageWad=int((leverage if self.levered else min(1.0, leverage)) * WAD),
            lossBudgetWad=int(budget * WAD),
            startPremiumWad=int(curve[0] * WAD),
            endDiscountWad=int(curve[1] * WAD),
            duration=duration,
        )

        def then() -> None:
            self.budgets_seen.append(changed.lossBudgetWad)

        self.decree(Order(self.s.auction, "setParams", (changed,), then))

    @action(settle=st.sampled_from([0, 600, 3600]), fall=st.floats(0.01, 1.0))
    def the_oracles_terms_change(self, settle: int, fall: float) -> None:
        oracle, p = self.s.volatility_oracle, self.s.volatility_oracle.call("params")
        fall_wad = int(fall * 10**7) * 10**11
        changed = p._replace(settlePeriod=settle, maxFallPerDayWad=fall_wad)

        def then() -> None:
            self.reports.settle_period, self.reports.max_fall_wad = settle, fall_wad

        self.decree(Order(oracle, "setParams", (changed,), then))

    @action(parts=st.lists(st.floats(0.05, 1), min_size=4, max_size=4))
    def budgets_change(self, parts: list[float]) -> None:
        """The coordinates are gone until anybody brings or solves them."""
        parts, n = (parts * 2)[: self.n], self.n
        shares = [int(p / sum(parts) * 10**8) for p in parts]
        shares[0] += 10**8 - sum(shares)
        word = sum(share << (32 * i) for i, share in enumerate(shares))
        oracle = self.s.volatility_oracle

        def then() -> None:
            self.reports.has_coordinates = False

        def refusal() -> str | None:
            """Lanes are of the basket of that time."""
            return None if self.n == n else "VolatilityOracle__"

        self.decree(Order(oracle, "setBudgets", (word,), then, refusal))

    @action(asset=st.integers(0, 4), spread=st.integers(0, 500))
    def a_feeds_spread_changes(self, asset: int, spread: int) -> None:
        """Bid and ask move, mid does not; a feed without a price is not listed."""
        name, oracle = self.listed[asset], self.s.price_oracle
        feed, token = self.market[name], self.world.tokens[name]
        args = (
            token.address,
            self.world.feeds[name].address,
            feed.heartbeat,
            spread,
            feed.least_wad,
            feed.most_wad,
        )

        def refusal() -> str | None:
            return None if feed.usable(self.now) else "PriceOracle__"

        def then() -> None:
            feed.half_spread_bps = spread
            terms = oracle.call("feedOf", token)
            feed.least_wad, feed.most_wad = terms.minPriceWad, terms.maxPriceWad

        self.decree(Order(oracle, "setFeed", (args,), then, refusal))

    # ----------------------------------------------------------------- thief

    @action(choice=st.integers(0, 99), who=st.sampled_from(["mallory", "keeper", "guardian", "owner"]))
    def a_thief_tries_a_lever(self, choice: int, who: str) -> None:
        """Every privileged function refuses everybody else, the guardian where it loosens."""
        levers = self._levers()
        contract, function, args, guardian_may = levers[choice % len(levers)]
        if (who == "guardian" and guardian_may) or (who == "owner" and not self.governed):
            who = "mallory"
        sender = getattr(self.s, who)
        refused = self.attempt(contract, function, *args, sender=sender, unless=THIEF)
        assert refused is None, f"{who} may call {function}"
        self.prices_moved()

    def _levers(self) -> list[tuple[Any, str, tuple[Any, ...], bool]]:
        s = self.s
        me, n, realized = s.mallory, [0] * len(self.names), s.contracts.realized_volatility
        terms = s.auction.call("params")
        # the guardian may lower four of them: anything else is the owner's
        looser = terms._replace(parityBandWad=terms.parityBandWad + 1)
        basket = [token.address for token in s.tokens]
        levers = [
            (s.vault, "setAuction", (me,), False),
            (s.vault, "setFees", ((0, 0, 0, 0), me), False),
            (s.vault, "setDepositCap", (2**96 - 1,), False),
            (s.vault, "exchange", (s.alice, me, [*n[:-1], 1], 0, 0, 0), False),
            (s.vault, "transferOwnership", (me,), False),
            (s.vault, "acceptOwnership", (), False),
            (s.guard, "unpause", (), False),
            (s.guard, "setParams", (s.guard.call("params"),), False),
            (s.guard, "setGuardian", (me,), False),
            (s.guard, "pauseDeposits", (), True),
            (s.guard, "pauseIncreases", (), True),
            (s.auction, "setParams", (looser,), False),
            (s.auction, "transferOwnership", (me,), False),
            (s.volatility_oracle, "setParams", (s.volatility_oracle.call("params"),), False),
            (s.volatility_oracle, "setBudgets", (s.volatility_oracle.call("budgets"),), False),
            (s.volatility_oracle, "removeSigner", (s.signers[0].address,), True),
            (s.volatility_oracle, "proposeSigner", (me, "0x" + "00" * 20, 3), False),
            (s.volatility_oracle, "raiseThreshold", (5,), False),
            (s.price_oracle, "transferOwnership", (me,), False),
            (realized, "setParams", (realized.call("params"),), False),
            (s.vault, "setBasket", (basket[::-1],), False),
            (s.volatility_oracle, "setBasket", (basket[::-1], s.volatility_oracle.call("budgets")), False),
            (realized, "setBasket", (basket[::-1],), False),
        ]
        if self.governed:
            call = (s.guard, 0, s.guard.encode("unpause"), b"\0" * 32, b"\0" * 32)
            levers += [
                (s.timelock, "schedule", (*call, 30 * DAY), False),
                (s.timelock, "execute", call, False),
                (s.timelock, "updateDelay", (DAY,), False),
                (s.timelock, "grantRole", (PROPOSER, me), False),
                (s.timelock, "abdicate", (s.vault, b"\1\2\3\4"), False),
                (s.governor, "setQuorum", (WAD // 50,), False),
                (s.governor, "relay", (s.guard, 0, call[2]), False),
            ]
        if self.levered:
            levers += [
                (s.account, "borrow", (1,), False),
                (s.account, "repay", (1,), False),
                (s.account, "withdraw", (s.tokens[0].address, 1, me), False),
                (s.account, "release", (s.tokens[0].address, 1, me), False),
                (s.account, "supply", (s.tokens[0].address, 0), False),
                (s.account, "bind", (), False),
                (s.account, "list", (s.tokens[0].address,), False),
            ]
        return levers


BEYOND = "ParameterOutOfRange"
THIEF = (
    "OwnableUnauthorizedAccount",
    "RiskParityVault__OnlyAuction",
    "RiskGuard__NotGuardian",
    "VolatilityOracle__NotOwnerOrGuardian",
    "LendingAccount__OnlyVault",
    "LendingAccount__AlreadyBound",
    "AccessControlUnauthorizedAccount",
    "TimelockUnauthorizedCaller",
    "TimelockUnexpectedOperationState",
    "GovernorOnlyExecutor",
)
CHANGED = (
    "VolatilityOracle__ProposalPending",
    "VolatilityOracle__Threshold",
    "VolatilityOracle__DuplicateSigner",
)
