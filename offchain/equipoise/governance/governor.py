"""Propose, vote, queue, execute, veto: everything is found again from the chain, by id or as the latest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import IntEnum
from typing import Any

from eth_utils import keccak

from equipoise.client.chain import Receipt
from equipoise.client.contract import Contract
from equipoise.client.deployment import Deployment
from equipoise.client.logs import read_events
from equipoise.client.words import describe_call
from equipoise.errors import InputError
from equipoise.governance.draft import Draft

__all__ = ["Governance", "Proposal", "State", "Support"]

_NONE = b"\0" * 32


class State(IntEnum):
    """OpenZeppelin's IGovernor.ProposalState."""

    PENDING = 0
    ACTIVE = 1
    CANCELED = 2
    DEFEATED = 3
    SUCCEEDED = 4
    QUEUED = 5
    EXPIRED = 6
    EXECUTED = 7


class Support(IntEnum):
    """OpenZeppelin's GovernorCountingSimple.VoteType."""

    AGAINST = 0
    FOR = 1
    ABSTAIN = 2


@dataclass(frozen=True)
class Proposal:
    """A proposal as its event tells it. `snapshot` in unix seconds."""

    id: int
    proposer: str
    targets: Sequence[str]
    values: Sequence[int]
    calldatas: Sequence[bytes]
    description: str
    snapshot: int

    @property
    def title(self) -> str:
        return (self.description.strip().splitlines() or ["(no description)"])[0]

    @property
    def description_hash(self) -> bytes:
        return bytes(keccak(text=self.description))

    @property
    def arguments(self) -> tuple[Any, ...]:
        """As `queue` and `execute` take them."""
        return self.targets, self.values, self.calldatas, self.description_hash


class Governance:
    """The governor of one deployment, its timelock and its votes.

    Raises InputError for a deployment that a plain address owns.
    """

    def __init__(self, deployment: Deployment, since: int = 0) -> None:
        self.deployment = deployment
        self._since = since
        self.governor = self._part("governor")
        self.timelock = self._part("timelock")
        self.votes = self._part("votes")

    def _part(self, name: str) -> Contract:
        contract = getattr(self.deployment, name)
        if contract is None:
            owner = self.deployment.vault.call("owner")
            raise InputError(
                f"this vault has no {name}: its owner is {owner}, who acts directly; deploy with a "
                "`governance` section to let the shareholders decide"
            )
        return contract

    # ------------------------------------------------------------------ votes

    def wrap(self, holder: str, shares: int) -> None:
        """Turn vault shares into votes, and delegate to oneself unless it was done.

        Raises InputError when `holder` has fewer shares.
        """
        held = self.deployment.vault.call("balanceOf", holder)
        if not 0 < shares <= held:
            raise InputError(f"{holder} holds {held / 1e18:g} shares; give more than 0 and at most that")
        self.deployment.vault.send("approve", self.votes, shares, sender=holder)
        self.votes.send("depositFor", holder, shares, sender=holder)
        if int(self.votes.call("delegates", holder), 16) == 0:
            self.votes.send("delegate", holder, sender=holder)

    def unwrap(self, holder: str, shares: int) -> None:
        """Take vault shares back; votes that were counted stay counted."""
        held = self.votes.call("balanceOf", holder)
        if not 0 < shares <= held:
            raise InputError(
                f"{holder} has {held / 1e18:g} wrapped shares; give more than 0 and at most that"
            )
        self.votes.send("withdrawTo", holder, shares, sender=holder)

    # ---------------------------------------------------------------- propose

    def propose(self, draft: Draft, proposer: str) -> Proposal:
        """Make a proposal. Raises InputError when the proposer lacks the votes, ContractRevert."""
        self.check_proposer(proposer)
        description = draft.description(proposer, self.deployment.chain.timestamp())
        receipt = self.governor.send("propose", *draft.arguments, description, sender=proposer)
        return _proposal(self.governor.events(receipt, "ProposalCreated")[0])

    def check_proposer(self, proposer: str) -> None:
        """Raises InputError unless `proposer` has had the votes that a proposal takes for a second."""
        need = self.governor.call("proposalThreshold")
        if self.votes.call("getPastVotes", proposer, self.deployment.chain.timestamp() - 1) >= need:
            return
        have = self.votes.call("getVotes", proposer)
        if have >= need:
            raise InputError(f"the votes of {proposer} came in the latest block: try again after the next")
        raise InputError(
            f"{proposer} has {have / 1e18:,.6g} votes, a proposal takes {need / 1e18:,.6g}: wrap vault "
            "shares (`ape run wrap`), or have a holder delegate"
        )

    def proposals(self) -> list[Proposal]:
        """All of them, oldest first."""
        return [_proposal(e) for _, e in read_events(self.governor, "ProposalCreated", since=self._since)]

    def find(self, which: str) -> Proposal:
        """By id, decimal or 0x, by the first digits of either (at least 4), or "latest".

        Raises InputError when there is none, or more than one.
        """
        everything = self.proposals()
        if not everything:
            raise InputError("nothing was proposed yet: `ape run propose` makes a proposal")
        if which == "latest":
            return everything[-1]
        found = [p for p in everything if which in (str(p.id), hex(p.id))]
        if not found and len(which) >= 4:
            found = [p for p in everything if str(p.id).startswith(which) or hex(p.id).startswith(which)]
        if len(found) != 1:
            known = ", ".join(f"{str(p.id)[:12]}… ({p.title})" for p in everything[-5:])
            raise InputError(f"{len(found)} proposals are {which!r}; the last ones are {known}")
        return found[0]

    # ---------------------------------------------------------------- in course

    def state(self, proposal: Proposal) -> State:
        return State(self.governor.call("state", proposal.id))

    def vote(self, proposal: Proposal, voter: str, support: Support, reason: str = "") -> int:
        """Cast all votes of `voter`; how many counted.

        Raises InputError when it is not the time, or the voter has none that count.
        """
        self._needs(proposal, State.ACTIVE)
        if self.governor.call("hasVoted", proposal.id, voter):
            raise InputError(f"{voter} has voted on {proposal.title!r} already; a vote is final")
        if not self.weight(proposal, voter, support):
            at = self._when(self.governor.call("proposedAt", proposal.id))
            raise InputError(
                f"{voter} has no vote that counts {support.name.lower()}: for and abstaining votes count "
                f"what was wrapped and delegated before the proposal was made ({at}), against votes what was "
                f"at the snapshot ({self._when(proposal.snapshot)})"
            )
        receipt = self.governor.send("castVoteWithReason", proposal.id, int(support), reason, sender=voter)
        return int(self.governor.events(receipt, "VoteCast")[0].weight)

    def weight(self, proposal: Proposal, voter: str, support: Support) -> int:
        """What a vote would count."""
        at_snapshot = int(self.votes.call("getPastVotes", voter, proposal.snapshot))
        if support is Support.AGAINST:
            return at_snapshot
        before = self.governor.call("proposedAt", proposal.id) - 1
        return min(at_snapshot, int(self.votes.call("getPastVotes", voter, before)))

    def queue(self, proposal: Proposal, sender: str) -> int:
        """Hand a proposal that passed to the timelock; from when it can be executed {unix s}."""
        self._needs(proposal, State.SUCCEEDED)
        receipt = self.governor.send("queue", *proposal.arguments, sender=sender)
        return int(self.governor.events(receipt, "ProposalQueued")[0].etaSeconds)

    def execute(self, proposal: Proposal, sender: str) -> Receipt:
        """Raises InputError before its time, ContractRevert when one of its calls is refused."""
        self._needs(proposal, State.QUEUED)
        eta, now = self.governor.call("proposalEta", proposal.id), self.deployment.chain.timestamp()
        if now < eta:
            raise InputError(f"{proposal.title!r} waits until {self._when(eta)}, {_span(eta - now)} from now")
        return self.governor.send("execute", *proposal.arguments, sender=sender)

    def veto(self, proposal: Proposal, guardian: str) -> Receipt:
        """Cancel a queued proposal. Raises InputError for an account without that office, ContractRevert."""
        self._needs(proposal, State.QUEUED)
        if not self.timelock.call("hasRole", self.timelock.call("CANCELLER_ROLE"), guardian):
            raise InputError(f"{guardian} holds no veto; only the timelock's guardian may cancel")
        return self.timelock.send("cancel", self.operation_id(proposal), sender=guardian)

    def operation(self, proposal: Proposal) -> tuple[Any, ...]:
        """As the timelock's `executeBatch` takes it, salted as GovernorTimelockControl does."""
        governor = bytes.fromhex(self.governor.address[2:]).ljust(32, b"\0")
        salt = bytes(a ^ b for a, b in zip(governor, proposal.description_hash, strict=True))
        return proposal.targets, proposal.values, proposal.calldatas, _NONE, salt

    def operation_id(self, proposal: Proposal) -> bytes:
        """Under which the timelock knows it."""
        return bytes(self.timelock.call("hashOperationBatch", *self.operation(proposal)))

    def next_step(self, proposal: Proposal) -> str:
        """What anybody can do now, in one sentence."""
        state, now = self.state(proposal), self.deployment.chain.timestamp()
        if state is State.PENDING:
            return (
                f"votes count from {self._when(proposal.snapshot)}, {_span(proposal.snapshot - now)} from now"
            )
        if state is State.ACTIVE:
            end = self.governor.call("proposalDeadline", proposal.id)
            return f"vote with `ape run vote` until {self._when(end)}, for {_span(end - now)} more"
        if state is State.SUCCEEDED:
            return "it passed: hand it to the timelock with `ape run queue`"
        if state is State.QUEUED:
            eta = self.governor.call("proposalEta", proposal.id)
            if now < eta:
                words = f"execute it from {self._when(eta)}, {_span(eta - now)} from now"
                return f"{words}; until it is executed, the guardian may veto it (`ape run veto`)"
            return "execute it with `ape run execute`: anybody may"
        return f"nothing: it was {state.name.lower()}"

    def words(self, proposal: Proposal) -> list[str]:
        """Its calls as people read them."""
        return [
            describe_call(self.deployment, target, data)
            for target, data in zip(proposal.targets, proposal.calldatas, strict=True)
        ]

    def _needs(self, proposal: Proposal, wanted: State) -> None:
        if (state := self.state(proposal)) is not wanted:
            raise InputError(
                f"{proposal.title!r} is {state.name.lower()}, not {wanted.name.lower()}: "
                f"{self.next_step(proposal)}"
            )

    @staticmethod
    def _when(timestamp: int) -> str:
        return datetime.fromtimestamp(timestamp, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _span(seconds: int) -> str:
    hours = seconds / 3_600
    return f"{hours / 24:.1f} days" if hours > 48 else f"{hours:.1f} hours" if hours > 1 else f"{seconds} s"


def _proposal(event: Any) -> Proposal:
    return Proposal(
        event.proposalId,
        event.proposer,
        event.targets,
        event.values,
        event.calldatas,
        event.description,
        event.voteStart,
    )
