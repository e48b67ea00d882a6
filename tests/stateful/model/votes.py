"""Who may vote how much, and what becomes of a proposal, as contracts/README.md tells it."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from typing import Any

from equipoise.governance import State, Support
from tests.stateful.model.prices import up

WAD = 10**18


@dataclass
class Terms:
    """Settings of governor and timelock: seconds, and WAD fractions of the supply."""

    voting_delay: int
    voting_period: int
    extension: int
    threshold_wad: int
    quorum_wad: int
    delay: int


@dataclass
class History:
    """A number that changes, and what it was at the end of every second."""

    times: list[int] = field(default_factory=list)
    values: list[int] = field(default_factory=list)

    def set(self, value: int, now: int) -> None:
        self.times.append(now)
        self.values.append(value)

    def at(self, time: int) -> int:
        index = bisect_right(self.times, time)
        return self.values[index - 1] if index else 0


@dataclass
class Votes:
    """Wrapped shares by holder, whom each delegates to, and the votes that everybody had."""

    wrapped: dict[str, int] = field(default_factory=dict)
    delegates: dict[str, str] = field(default_factory=dict)
    history: dict[str, History] = field(default_factory=dict)
    supply: History = field(default_factory=History)

    def wrap(self, who: str, shares: int, now: int) -> None:
        """Or unwrap, when negative. Whoever has not delegated yet delegates to itself."""
        self.wrapped[who] = self.wrapped.get(who, 0) + shares
        self.delegate(who, self.delegates.get(who, who), now)

    def delegate(self, who: str, to: str, now: int) -> None:
        self.delegates[who] = to
        for one in {*self.history, to}:
            votes = sum(n for holder, n in self.wrapped.items() if self.delegates[holder] == one)
            self.history.setdefault(one, History()).set(votes, now)
        self.supply.set(sum(self.wrapped.values()), now)

    def past(self, who: str, time: int) -> int:
        return self.history[who].at(time) if who in self.history else 0

    def of_supply(self, fraction_wad: int, supply: int, now: int) -> int:
        """Of all shares, but at least of those that were wrapped a second ago."""
        return up(max(supply, self.supply.at(now - 1)), fraction_wad, WAD)


@dataclass
class Ballot:
    """One proposal: what it does is `orders`, and `tally` counts against, for, abstain."""

    id: int
    proposer: str
    arguments: tuple[Any, ...]
    operation: bytes
    orders: tuple[Any, ...]
    proposed_at: int
    snapshot: int
    deadline: int
    quorum: int
    tally: list[int] = field(default_factory=lambda: [0, 0, 0])
    voted: set[str] = field(default_factory=set)
    reached: bool = False
    ready_at: int = 0
    end: State | None = None

    def state(self, now: int) -> State:
        if self.end is not None:
            return self.end
        if now <= self.snapshot:
            return State.PENDING
        if now <= self.deadline:
            return State.ACTIVE
        against, for_, abstain = self.tally
        if for_ + abstain < self.quorum or for_ <= against:
            return State.DEFEATED
        return State.QUEUED if self.ready_at else State.SUCCEEDED

    def weight(self, votes: Votes, who: str, support: Support) -> int:
        """Shares that came after the proposal can stop it but not carry it."""
        weight = votes.past(who, self.snapshot)
        if support is Support.AGAINST:
            return weight
        return min(weight, votes.past(who, self.proposed_at - 1))

    def vote(self, who: str, support: Support, weight: int, now: int, extension: int) -> None:
        """Count it; a quorum that is reached late leaves time to answer."""
        self.voted.add(who)
        self.tally[support] += weight
        if not self.reached and self.tally[Support.FOR] + self.tally[Support.ABSTAIN] >= self.quorum:
            self.reached = True
            self.deadline = max(self.deadline, now + extension)
