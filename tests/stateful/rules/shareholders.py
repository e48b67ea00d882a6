"""Holders wrap, delegate, vote; proposals are queued, executed, vetoed; nobody else moves anything."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition

from equipoise.governance import State, Support
from tests.fixtures.governance import hand_over
from tests.stateful.model.prices import portion
from tests.stateful.model.votes import Ballot
from tests.stateful.rules.market import Market
from tests.stateful.rules.office import Office
from tests.stateful.rules.people import PART, WHO
from tests.stateful.steps import action

WHICH = st.integers(0, 2)
SUPPORT = st.sampled_from(["FOR", "FOR", "AGAINST", "ABSTAIN"])
NOT_NOW = "GovernorUnexpectedProposalState"
NOT_READY = "TimelockUnexpectedOperationState"


def by_vote(machine: Any) -> bool:
    return bool(machine.governed)


def in_course(machine: Any) -> bool:
    return machine.governed and any(ballot.end is None for ballot in machine.ballots)


class Shareholders(Office, Market):
    """After the hand-over. `which` counts proposals from the latest back, those that are over left out."""

    def shareholders_take_over(self) -> None:
        """The owner hands everything to the timelock; who holds shares has votes from the next second on."""
        hand_over(self.s)
        self.governed = True
        self.books.shares[self.s.votes.address] = 0
        for who, person in self.people.items():
            if self.books.shares[person]:
                self.wrap(who, 0.9)
        self.wait(1)

    def ballot(self, which: int) -> Ballot | None:
        left = [ballot for ballot in reversed(self.ballots) if ballot.end is None]
        living = [ballot for ballot in left if ballot.state(self.now) is not State.DEFEATED] or left
        return living[which % len(living)] if living else None

    # ------------------------------------------------------------------ votes

    def wrap(self, who: str, part: float) -> None:
        s, person = self.s, self.people[who]
        shares = portion(self.books.shares[person], part)
        s.votes.send("depositFor", person, shares, sender=person)
        if person not in self.votes.delegates:
            s.votes.send("delegate", person, sender=person)
        self._wrapped(person, shares)

    def _wrapped(self, person: str, shares: int) -> None:
        self.books.shares[person] -= shares
        self.books.shares[self.s.votes.address] += shares
        self.votes.wrap(person, shares, self.now)
        self.prices_moved()
        self.did()

    @precondition(by_vote)
    @action(who=WHO, part=PART)
    def a_holder_wraps(self, who: str, part: float) -> None:
        self.wrap(who, part)

    @precondition(by_vote)
    @action(who=WHO, part=PART)
    def a_holder_unwraps(self, who: str, part: float) -> None:
        """At any time, whatever was voted."""
        person = self.people[who]
        if not (wrapped := self.votes.wrapped.get(person)):
            return
        shares = portion(wrapped, part)
        self.s.votes.send("withdrawTo", person, shares, sender=person)
        self._wrapped(person, -shares)

    @precondition(by_vote)
    @action(who=WHO, to=WHO)
    def a_holder_delegates(self, who: str, to: str) -> None:
        person, other = self.people[who], self.people[to]
        self.s.votes.send("delegate", other, sender=person)
        self.votes.wrapped.setdefault(person, 0)
        self.votes.delegate(person, other, self.now)
        self.prices_moved()
        self.did()

    @precondition(in_course)
    @action(who=WHO, which=WHICH, support=SUPPORT)
    def a_holder_votes(self, who: str, which: int, support: str) -> None:
        """Once, in time, and with what was held in the past."""
        if ballot := self.ballot(which):
            self.vote(who, ballot, Support[support])

    def vote(self, who: str, ballot: Ballot, support: Support) -> None:
        person, refusal = self.people[who], None
        if ballot.state(self.now) is not State.ACTIVE:
            refusal = NOT_NOW
        elif person in ballot.voted:
            refusal = "GovernorAlreadyCastVote"
        args = ballot.id, int(support)
        receipt = self.predicted(refusal, self.s.governor, "castVote", *args, sender=person)
        if receipt:
            weight = ballot.weight(self.votes, person, support)
            assert self.s.governor.events(receipt, "VoteCast")[0].weight == weight
            ballot.vote(person, support, weight, self.now, self.terms.extension)
        self.prices_moved()

    # --------------------------------------------------------------- its course

    @precondition(in_course)
    @action(which=WHICH, late=st.booleans())
    def a_vote_draws_on(self, which: int, late: bool) -> None:
        """To the last second of a stage, or the first of the next."""
        if ballot := self.ballot(which):
            stages = [t for t in (ballot.snapshot, ballot.deadline, ballot.ready_at - 1) if t >= self.now]
            if stages:
                self.wait(stages[0] + late - self.now)
                self.did()

    @precondition(in_course)
    @action(which=WHICH)
    def anybody_queues(self, which: int) -> None:
        if ballot := self.ballot(which):
            self.queue(ballot)

    def queue(self, ballot: Ballot) -> None:
        refusal = None if ballot.state(self.now) is State.SUCCEEDED else NOT_NOW
        receipt = self.predicted(refusal, self.s.governor, "queue", *ballot.arguments, sender=self.s.mallory)
        if receipt:
            ballot.ready_at = self.now + self.terms.delay
            assert self.s.governor.events(receipt, "ProposalQueued")[0].etaSeconds == ballot.ready_at
        self.prices_moved()

    @precondition(in_course)
    @action(which=WHICH)
    def anybody_executes(self, which: int) -> None:
        if ballot := self.ballot(which):
            self.execute(ballot)

    def execute(self, ballot: Ballot) -> None:
        """What passed and waited, once; as a whole or not at all, and no further than the owner's bounds."""
        unless = [error for order in ballot.orders for error in order.unless]
        where = self.s.governor, "execute", *ballot.arguments
        went = self.predicted(self._in_the_way(ballot), *where, sender=self.s.mallory, unless=unless)
        if not went:
            self.prices_moved()
            return
        ballot.end = State.EXECUTED
        for order in ballot.orders:
            order.then()
        (ballot.orders[-1].look or self.prices_moved)()

    def _in_the_way(self, ballot: Ballot) -> str | None:
        state = ballot.state(self.now)
        if state not in (State.SUCCEEDED, State.QUEUED):
            return NOT_NOW
        if state is State.SUCCEEDED or self.now < ballot.ready_at:
            return NOT_READY
        for order in ballot.orders:
            if (order.contract.address, order.function) in self.abdicated:
                return "RiskTimelock__PowerAbdicated"
            if refusal := order.refusal():
                return refusal
        return None

    @property
    def abdicated(self) -> set[tuple[str, str]]:
        """Powers that the owner gave up for ever: contract and function."""
        return self.__dict__.setdefault("_abdicated", set())

    @precondition(in_course)
    @action(which=WHICH)
    def the_guardian_vetoes(self, which: int) -> None:
        """What is queued, but not what only takes the veto away; and not once that is done."""
        ballot = self.ballot(which)
        if ballot is None:
            return
        refusal = None if ballot.state(self.now) is State.QUEUED else NOT_READY
        if ballot.ready_at and [order.function for order in ballot.orders] == ["revokeRole"]:
            refusal = "RiskTimelock__BeyondVeto"
        elif not self.vetoes:
            refusal = "AccessControlUnauthorizedAccount"
        args = (ballot.operation,)
        if self.predicted(refusal, self.s.timelock, "cancel", *args, sender=self.s.guardian):
            ballot.end = State.CANCELED
        self.prices_moved()

    @property
    def vetoes(self) -> bool:
        """Whether the guardian still may."""
        return bool(self.__dict__.get("_vetoes", True))

    @vetoes.setter
    def vetoes(self, may: bool) -> None:
        self.__dict__["_vetoes"] = may

    @precondition(in_course)
    @action(who=WHO, which=WHICH)
    def somebody_cancels(self, who: str, which: int) -> None:
        """The proposer, before the vote; nobody else, and not later."""
        ballot = self.ballot(which)
        if ballot is None:
            return
        person = self.people[who]
        its_own = person == ballot.proposer and ballot.state(self.now) is State.PENDING
        refusal = None if its_own else "GovernorUnableToCancel"
        if self.predicted(refusal, self.s.governor, "cancel", *ballot.arguments, sender=person):
            ballot.end = State.CANCELED
        self.prices_moved()

    @precondition(by_vote)
    @action(which=WHICH, to=st.sampled_from(["the end", "the end", "the timelock", "the vote"]))
    def a_proposal_goes_its_way(self, which: int, to: str) -> None:
        """Everybody is for it, every step is taken in time, feeds work; without one, for a pause's end."""
        if self.ballot(which) is None:
            for who, person in self.people.items():
                self.wrap(who, 1.0 if self.books.shares[person] else 0.0)
            self.wait(1)
            self.the_guardian_pauses_or_the_owner_unpauses(what="unpause")
        ballot = self.ballot(which)
        if ballot is None:
            return
        self.wait(max(0, ballot.snapshot + 1 - self.now))
        for who in self.people if ballot.state(self.now) is State.ACTIVE else []:
            self.vote(who, ballot, Support.FOR)
        if to == "the vote":
            return
        self.wait(max(0, ballot.deadline + 1 - self.now))
        if ballot.state(self.now) is State.SUCCEEDED:
            self.queue(ballot)
        if to == "the timelock":
            return
        self.wait(max(0, ballot.ready_at - self.now))
        self.feeds_beat()
        self.outcomes.clear()
        self.execute(ballot)
