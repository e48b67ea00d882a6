"""What waits for its time: signers' proposals, the timelock's operations, the governor's proposals."""

from __future__ import annotations

from typing import Any

from equipoise.client.deployment import Deployment
from equipoise.client.logs import read_events
from equipoise.client.words import describe_call

__all__ = ["PROPOSAL_STATES", "governance_proposals", "signer_proposals", "timelock_operations"]

PROPOSAL_STATES = (
    "Pending",
    "Active",
    "Canceled",
    "Defeated",
    "Succeeded",
    "Queued",
    "Expired",
    "Executed",
)
"""OpenZeppelin's IGovernor.ProposalState, in its order."""
_IN_COURSE = ("Pending", "Active", "Succeeded", "Queued")
_NOBODY = "0x" + "0" * 40
_DONE = 1  # TimelockController's timestamp of an executed operation


def signer_proposals(deployment: Deployment, now: int, since: int = 0) -> list[dict[str, Any]]:
    """Changes of signers that wait to be activated: who comes, who leaves, the threshold, from when."""
    oracle = deployment.volatility_oracle
    proposed = dict.fromkeys(event.signer for _, event in read_events(oracle, "SignerProposed", since=since))
    found = []
    for signer in proposed:
        pending = oracle.call("proposalOf", signer)
        if pending.readyAt:
            found.append(
                {
                    "signer": None if signer == _NOBODY else signer,
                    "replaces": None if pending.replaces == _NOBODY else pending.replaces,
                    "threshold": pending.threshold,
                    "ready_at": pending.readyAt,
                    "ready_in_s": max(0, pending.readyAt - now),
                }
            )
    return found


def timelock_operations(deployment: Deployment, now: int, since: int = 0) -> list[dict[str, Any]]:
    """Operations that are scheduled and neither executed nor cancelled, with their calls in words."""
    timelock = deployment.timelock
    if timelock is None:
        return []
    calls: dict[str, list[str]] = {}
    for _, event in read_events(timelock, "CallScheduled", since=since):
        words = describe_call(deployment, event.target, event.data)
        # what was cancelled may be scheduled again: its calls are the same
        known = calls.setdefault("0x" + event.id.hex(), [])
        if event.index >= len(known):
            known.append(words)
    found = []
    for operation, described in calls.items():
        ready_at = timelock.call("getTimestamp", bytes.fromhex(operation[2:]))
        if ready_at > _DONE:
            times = {"ready_at": ready_at, "ready_in_s": max(0, ready_at - now)}
            found.append({"id": operation, "calls": described, **times})
    return found


def governance_proposals(deployment: Deployment, now: int, since: int = 0) -> list[dict[str, Any]]:
    """Proposals that are neither over nor defeated, with votes as fractions of the quorum's unit."""
    governor = deployment.governor
    if governor is None:
        return []
    found = []
    for _, event in read_events(governor, "ProposalCreated", since=since):
        state = PROPOSAL_STATES[governor.call("state", event.proposalId)]
        if state not in _IN_COURSE:
            continue
        against, in_favour, abstain = governor.call("proposalVotes", event.proposalId)
        found.append(
            {
                "id": str(event.proposalId),
                "title": (event.description.strip().splitlines() or ["(no description)"])[0],
                "state": state,
                "calls": [
                    describe_call(deployment, target, data)
                    for target, data in zip(event.targets, event.calldatas, strict=True)
                ],
                "for_votes": in_favour / 1e18,
                "against_votes": against / 1e18,
                "abstain_votes": abstain / 1e18,
                "starts_in_s": max(0, event.voteStart - now),
                "ends_in_s": max(0, governor.call("proposalDeadline", event.proposalId) - now),
            }
        )
    return found
