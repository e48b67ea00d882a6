"""What it costs to vote and to be heard: the steps of a proposal that changes one parameter."""

from __future__ import annotations

from equipoise.governance import Support, templates
from tests.fixtures.governance import STAKE_USD, govern
from tests.fixtures.system import System
from tests.gas.measure import total

__all__ = ["gas_of_governance"]


def gas_of_governance(system: System) -> dict[str, dict[str, int]]:
    """Name to gas, as `gas_of_everything` has it; all of it first votes and first proposals."""
    g = govern(system)
    shares = g.deposit(g.alice, STAKE_USD)
    g.vault.send("approve", g.votes, shares, sender=g.alice)
    found = {"wrap": g.votes.send("depositFor", g.alice, shares, sender=g.alice)}
    found["delegate"] = g.votes.send("delegate", g.alice, sender=g.alice)
    g.warp(60)
    draft = templates.target_volatility(g.contracts, 0.2)
    args = (*draft.arguments, draft.description(g.alice, 1_700_000_000))
    found["propose"] = g.governor.send("propose", *args, sender=g.alice)
    proposal = g.governance.find("latest")
    g.to_vote(proposal)
    found["vote"] = g.governor.send("castVote", proposal.id, int(Support.FOR), sender=g.alice)
    g.after_vote(proposal)
    found["queue"] = g.governor.send("queue", *proposal.arguments, sender=g.keeper)
    g.wait()
    found["execute"] = g.governor.send("execute", *proposal.arguments, sender=g.keeper)
    found["unwrap"] = g.votes.send("withdrawTo", g.alice, shares, sender=g.alice)
    return {name: total(receipt.gas_used) for name, receipt in found.items()}
