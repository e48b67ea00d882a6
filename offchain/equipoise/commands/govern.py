"""What `ape run propose` and its sisters do: look, ask, send, tell what is next."""

from __future__ import annotations

import click
from rich.console import Console

from equipoise.client.deployment import Deployment
from equipoise.errors import InputError
from equipoise.governance import Draft, Governance, Proposal
from equipoise.governance.simulate import simulate
from equipoise.report.governance import print_draft, print_effect, print_proposal

__all__ = ["propose", "tell"]


def propose(
    deployment: Deployment,
    draft: Draft,
    proposer: str,
    *,
    console: Console,
    yes: bool = False,
    simulate_only: bool = False,
) -> Proposal | None:
    """Show a draft and its effect on a fork, ask, and propose it; None when it is not proposed.

    Raises InputError for a draft that could not be executed, or a proposer without the votes.
    """
    print_draft(console, deployment, draft)
    print_effect(console, simulate(deployment, draft))
    if simulate_only:
        return None
    governance = Governance(deployment)
    governance.check_proposer(proposer)
    if not yes and not _confirmed("propose it?"):
        raise InputError("not confirmed, nothing was sent: answer y, or give --yes")
    proposal = governance.propose(draft, proposer)
    console.print(f"proposed: {proposal.id}", highlight=False, soft_wrap=True)
    console.print(f"next: {governance.next_step(proposal)}", highlight=False)
    return proposal


def tell(deployment: Deployment, which: str, console: Console) -> tuple[Governance, Proposal]:
    """Find a proposal on the chain and print it."""
    governance = Governance(deployment)
    proposal = governance.find(which)
    print_proposal(console, governance, proposal)
    return governance, proposal


def _confirmed(question: str) -> bool:
    try:
        return click.confirm(question, default=False)
    except click.Abort:
        return False  # nobody there to answer
