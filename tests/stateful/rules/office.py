"""The owner's pen: an account that acts at once, or shareholders who propose what is done days later."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from equipoise.client.contract import Contract
from equipoise.governance import Draft, Proposal
from equipoise.governance import Governance as Client
from equipoise.governance.draft import Call
from tests.stateful.base import Base
from tests.stateful.model.votes import Ballot, Terms, Votes

POOR = "GovernorInsufficientProposerVotes"


@dataclass(frozen=True)
class Order:
    """A call of the owner's, and what the model says of it at the moment when it is made.

    Attributes
    ----------
    then
        What the model does once it went through.
    refusal
        The error by which it must be refused, None when it must go through.
    unless
        Errors that the model cannot foresee.
    look
        The look around the transaction; by default prices and books are as they were.
    """

    contract: Contract
    function: str
    args: tuple[Any, ...]
    then: Callable[[], object] = lambda: None
    refusal: Callable[[], str | None] = lambda: None
    unless: tuple[str, ...] = ()
    look: Callable[[], object] | None = None


class Office(Base):
    """`decree` is the only way in which rules act as the owner."""

    def __init__(self, system: Any) -> None:
        super().__init__(system)
        self.votes = Votes()
        self.ballots: list[Ballot] = []
        governor = system.governor
        self.terms = Terms(
            voting_delay=governor.call("votingDelay"),
            voting_period=governor.call("votingPeriod"),
            extension=governor.call("lateQuorumVoteExtension"),
            threshold_wad=governor.call("proposalThresholdWad"),
            quorum_wad=governor.call("quorumWad"),
            delay=system.timelock.call("getMinDelay"),
        )

    def decree(self, *orders: Order) -> bool:
        """The owner does these, one after another up to the first that is refused; or they are proposed.

        Returns
        -------
        bool
            Whether all of them were done now.
        """
        if self.governed:
            self.propose(self._richest(), *orders)
            return False
        return all(self._given(order) for order in orders)

    def _given(self, order: Order) -> bool:
        where = order.contract, order.function, *order.args
        went = self.predicted(order.refusal(), *where, sender=self.s.owner, unless=order.unless)
        if went:
            order.then()
        (order.look or self.prices_moved)()
        return went is not None

    # ----------------------------------------------------------------- propose

    def _richest(self) -> str:
        """Of the people, in votes a second ago."""
        return max(self.people, key=lambda who: self.votes.past(self.people[who], self.now - 1))

    def propose(self, who: str, *orders: Order) -> bool:
        """Whether it was taken: whoever has the votes may propose anything."""
        s, person, now, terms = self.s, self.people[who], self.now, self.terms
        need = self.votes.of_supply(terms.threshold_wad, self.books.supply, now)
        refusal = POOR if self.votes.past(person, now - 1) < need else None
        calls = tuple(Call(order.contract, order.function, order.args) for order in orders)
        draft = Draft(f"{calls[-1].function}, the {len(self.ballots)}th", calls)
        text = draft.description(person, now)
        receipt = self.predicted(refusal, s.governor, "propose", *draft.arguments, text, sender=person)
        self.prices_moved()
        if receipt is None:
            return False
        made = s.governor.events(receipt, "ProposalCreated")[0]
        proposal = Proposal(made.proposalId, person, *draft.arguments, text, made.voteStart)
        assert (made.voteStart, made.voteEnd) == (
            now + terms.voting_delay,
            now + terms.voting_delay + terms.voting_period,
        )
        quorum = max(1, self.votes.of_supply(terms.quorum_wad, self.books.supply, now))
        ballot = Ballot(
            id=proposal.id,
            proposer=person,
            arguments=proposal.arguments,
            operation=Client(s.contracts).operation_id(proposal),
            orders=orders,
            proposed_at=now,
            snapshot=made.voteStart,
            deadline=made.voteEnd,
            quorum=quorum,
        )
        # proposals of one second share the least
        for other in self.ballots:
            if other.snapshot == ballot.snapshot:
                other.quorum = ballot.quorum = min(other.quorum, ballot.quorum)
        self.ballots.append(ballot)
        return True
