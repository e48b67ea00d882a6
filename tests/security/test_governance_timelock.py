"""Attacks on the execution: veto and its abuse, re-entrance, hostile contracts, powers given up for ever."""

from __future__ import annotations

from typing import Any

import pytest

from equipoise.client.contract import Contract
from equipoise.errors import ContractRevert
from equipoise.governance import Call, Draft, State, templates
from equipoise.units import DAY, WAD
from tests.fixtures.attacks import Ledger
from tests.fixtures.governance import CANCELLER, CONFIG, NONE, PROPOSER, Governed
from tests.fixtures.system import artifact_contract


@pytest.fixture
def hostile(governed: Governed) -> Contract:
    return artifact_contract(governed.chain, "Hostile", sender=governed.mallory)


def revoke(g: Governed, account: str) -> Draft:
    return g.call(g.timelock, "revokeRole", CANCELLER, account)


# ------------------------------------------------------------------------ veto


def test_captured_vote__within_the_delay__is_vetoed(governed: Governed, attack: Ledger) -> None:
    """EQ-157: the guardian's answer to a proposal that passed; it cannot be queued again."""
    g = governed
    before = g.vault.call("fees")
    proposal = g.queue(g.greedy())
    g.governance.veto(proposal, g.guardian)
    assert g.state(proposal) is State.CANCELED
    g.wait()
    for step in ("execute", "queue"):
        args = proposal.arguments
        g.system.refuses("GovernorUnexpectedProposalState", g.governor, step, *args, sender=g.mallory)
    assert g.vault.call("fees") == before
    attack("governance: captured vote", *g.outcome(), why="vetoed within the delay")


def test_guardian__beyond_its_veto__can_do_nothing(governed: Governed) -> None:
    """EQ-157: neither propose, nor schedule, nor hurry, nor appoint, nor give up powers."""
    g = governed
    proposal = g.queue(templates.target_volatility(g.contracts, 0.2))
    data = g.timelock.encode("updateDelay", DAY)
    unauthorised = "AccessControlUnauthorizedAccount"
    for function, args, error in (
        ("schedule", (g.timelock, 0, data, NONE, NONE, CONFIG.delay), unauthorised),
        ("scheduleBatch", ([g.timelock], [0], [data], NONE, NONE, CONFIG.delay), unauthorised),
        ("grantRole", (CANCELLER, g.mallory), unauthorised),
        ("grantRole", (PROPOSER, g.guardian), unauthorised),
        ("revokeRole", (PROPOSER, g.governor), unauthorised),
        ("updateDelay", (DAY,), "TimelockUnauthorizedCaller"),
        ("abdicate", (g.vault, b"\1\2\3\4"), "TimelockUnauthorizedCaller"),
    ):
        g.system.refuses(error, g.timelock, function, *args, sender=g.guardian)
    args = ([g.vault], [0], [b""], "x")
    g.system.refuses("GovernorInsufficientProposerVotes", g.governor, "propose", *args, sender=g.guardian)
    g.system.refuses(
        "TimelockUnexpectedOperationState",
        *(g.governor, "execute", *proposal.arguments),
        sender=g.guardian,
    )


def test_veto__of_its_own_removal__is_refused(governed: Governed, attack: Ledger) -> None:
    """EQ-157: a guardian that vetoes everything loses its office, and then vetoes nothing."""
    g = governed
    for value in (0.2, 0.25):
        proposal = g.queue(templates.target_volatility(g.contracts, value))
        g.governance.veto(proposal, g.guardian)
    removal = g.queue(revoke(g, g.guardian))
    operation = g.governance.operation_id(removal)
    assert g.timelock.call("beyondVeto", operation)
    revert = g.system.refuses("RiskTimelock__BeyondVeto", g.timelock, "cancel", operation, sender=g.guardian)
    assert revert.arguments == (operation,)
    g.wait()
    g.governance.execute(removal, g.keeper)
    proposal = g.queue(templates.target_volatility(g.contracts, 0.2))
    args = (g.governance.operation_id(proposal),)
    g.system.refuses("AccessControlUnauthorizedAccount", g.timelock, "cancel", *args, sender=g.guardian)
    g.wait()
    g.governance.execute(proposal, g.keeper)
    assert g.auction.call("params").targetVolatilityWad == WAD // 5
    attack("governance: guardian clings to its veto", *g.outcome(), why="its removal is beyond veto")


def test_removal_of_the_veto__with_anything_else__can_be_vetoed(governed: Governed) -> None:
    """EQ-157: no change rides along past the guardian."""
    g = governed
    take = revoke(g, g.guardian).calls[0]
    smuggled = [
        Draft("both", (take, *g.greedy().calls)),
        Draft("other order", (*g.greedy().calls, take)),
        Draft("own successor", (take, Call(g.timelock, "grantRole", (CANCELLER, g.mallory)))),
        g.call(g.timelock, "revokeRole", PROPOSER, g.guardian),
        g.call(g.timelock, "grantRole", CANCELLER, g.mallory),
    ]
    for draft in smuggled:
        proposal = g.queue(draft)
        assert not g.timelock.call("beyondVeto", g.governance.operation_id(proposal))
        g.governance.veto(proposal, g.guardian)
        assert g.state(proposal) is State.CANCELED


def test_schedule__single_operation_of_another_proposer__is_recognised_too(governed: Governed) -> None:
    """EQ-157: whichever of the timelock's two forms is used."""
    g = governed
    g.enact(g.call(g.timelock, "grantRole", PROPOSER, g.keeper))
    data = g.timelock.encode("revokeRole", CANCELLER, g.guardian)
    args = (g.timelock, 0, data, NONE, NONE)
    g.timelock.send("schedule", *args, CONFIG.delay, sender=g.keeper)
    operation = g.timelock.call("hashOperation", *args)
    g.system.refuses("RiskTimelock__BeyondVeto", g.timelock, "cancel", operation, sender=g.guardian)
    other = (g.timelock, 0, g.timelock.encode("updateDelay", DAY), NONE, NONE)
    g.timelock.send("schedule", *other, CONFIG.delay, sender=g.keeper)
    g.timelock.send("cancel", g.timelock.call("hashOperation", *other), sender=g.guardian)


@pytest.mark.parametrize("length", [0, 4, 35])
def test_schedule__of_a_truncated_removal__can_be_vetoed(governed: Governed, length: int) -> None:
    """EQ-157: beyond the veto is a call that takes one away; cut short it would take nothing."""
    g = governed
    g.enact(g.call(g.timelock, "grantRole", PROPOSER, g.keeper))
    data = g.timelock.encode("revokeRole", CANCELLER, g.guardian)[:length]
    args = (g.timelock, 0, data, NONE, NONE)
    g.timelock.send("schedule", *args, CONFIG.delay, sender=g.keeper)
    operation = g.timelock.call("hashOperation", *args)
    assert not g.timelock.call("beyondVeto", operation)
    g.timelock.send("cancel", operation, sender=g.guardian)


# ----------------------------------------------------------------- re-entrance


@pytest.mark.parametrize("through", ["governor", "timelock"])
def test_execute__that_calls_back_into_itself__happens_once(
    governed: Governed, hostile: Contract, attack: Ledger, through: str
) -> None:
    """EQ-152: neither by the governor's door nor by the timelock's."""
    g = governed
    proposal = g.queue(g.call(hostile, "touch"))
    g.wait()
    again = {
        "governor": (g.governor, g.governor.encode("execute", *proposal.arguments)),
        "timelock": (g.timelock, g.timelock.encode("executeBatch", *g.governance.operation(proposal))),
    }[through]
    hostile.send("arm", *again, sender=g.mallory)
    if through == "governor":
        g.governance.execute(proposal, g.keeper)
        assert not hostile.call("succeeded")
        assert hostile.call("touched") == 1
    else:  # the inner execution would make the outer one the second: the whole is undone
        args = proposal.arguments
        g.system.refuses("TimelockUnexpectedOperationState", g.governor, "execute", *args, sender=g.keeper)
        assert hostile.call("touched") == 0
    attack(f"governance: re-entrance through the {through}", *g.outcome(), why="an operation happens once")


def test_execute__past_the_governor__cannot_change_the_governor(governed: Governed) -> None:
    """EQ-155: the timelock alone is not governance; the same operation through the governor is."""
    g = governed
    proposal = g.queue(templates.change(g.contracts, {"governor.votingDelay": 7_200}))
    g.wait()
    with pytest.raises(ContractRevert):
        g.timelock.send("executeBatch", *g.governance.operation(proposal), sender=g.mallory)
    assert g.governor.call("votingDelay") == CONFIG.voting_delay
    g.governance.execute(proposal, g.keeper)
    assert g.governor.call("votingDelay") == 7_200


# ------------------------------------------------------------------- ownership


def test_accept_ownership__of_a_hostile_contract__gains_nothing(
    governed: Governed, hostile: Contract, attack: Ledger
) -> None:
    """EQ-156: anyone may call it, and the timelock does no more than accept."""
    g = governed
    owned = [g.vault, g.auction, g.guard]
    wanted = [
        (g.vault, g.vault.encode("setFees", (0, 0, 0, WAD // 5), g.mallory)),
        (g.timelock, g.timelock.encode("grantRole", PROPOSER, g.mallory)),
        (g.timelock, g.timelock.encode("updateDelay", DAY)),
        (g.timelock, g.timelock.encode("abdicate", g.vault.address, b"\1\2\3\4")),
        (g.timelock, g.timelock.encode("acceptOwnership", [g.vault.address])),
    ]
    before = g.system.fingerprint()
    for target, data in wanted:
        hostile.send("arm", target, data, sender=g.mallory)
        g.timelock.send("acceptOwnership", [hostile], sender=g.mallory)
        assert not hostile.call("succeeded")
    assert hostile.call("touched") == len(wanted)
    assert g.system.fingerprint() == before
    for contract in owned:  # what is not on offer
        args = ([contract],)
        g.system.refuses("OwnableUnauthorizedAccount", g.timelock, "acceptOwnership", *args, sender=g.mallory)
    attack("governance: acceptOwnership of a hostile contract", *g.outcome(), why="the call carries no power")


def test_transfer_of_ownership__by_a_proposal__takes_vote_delay_and_acceptance(governed: Governed) -> None:
    """EQ-156: possible, as a migration needs it, and never at once."""
    g = governed
    g.enact(g.call(g.vault, "transferOwnership", g.bob))
    assert g.vault.call("owner") == g.timelock.address
    g.system.refuses("OwnableUnauthorizedAccount", g.vault, "acceptOwnership", sender=g.mallory)
    g.vault.send("acceptOwnership", sender=g.bob)
    assert g.vault.call("owner").lower() == g.bob


# ----------------------------------------------------------------------- delay


@pytest.mark.parametrize("delay", [0, DAY - 1, 30 * DAY + 1, 2**255])
def test_delay__outside_a_day_to_a_month__cannot_be_set(governed: Governed, delay: int) -> None:
    """EQ-155: not at construction and not by a proposal."""
    g = governed
    with pytest.raises(ContractRevert) as caught:
        artifact_contract(g.chain, "RiskTimelock", delay, g.guardian, g.owner, sender=g.owner)
    assert caught.value.arguments[1:] == (delay, DAY, 30 * DAY)
    revert = g.refused(g.call(g.timelock, "updateDelay", delay), "ParameterOutOfRange")
    assert revert.arguments == (b"delay".ljust(32, b"\0"), delay, DAY, 30 * DAY)


def test_delay__shortened__counts_for_later_proposals_only(governed: Governed) -> None:
    """EQ-152: what is queued keeps the delay that it was queued with."""
    g = governed
    waiting = g.propose(g.greedy())
    shorten = g.propose(templates.change(g.contracts, {"timelock.delay": DAY}))
    g.to_vote(shorten)
    for proposal in (waiting, shorten):
        g.governor.send("castVote", proposal.id, 1, sender=g.alice)
    g.after_vote(shorten)
    g.governance.queue(shorten, g.keeper)
    eta = g.governance.queue(waiting, g.keeper)
    g.warp(CONFIG.delay - 1)
    g.governance.execute(shorten, g.keeper)
    assert g.timelock.call("getMinDelay") == DAY
    assert g.timelock.call("getTimestamp", g.governance.operation_id(waiting)) == eta
    assert g.governance.queue(_passed(g), g.keeper) == g.now() + DAY


def _passed(g: Governed) -> Any:
    proposal = g.propose(templates.target_volatility(g.contracts, 0.2))
    g.pass_vote(proposal)
    return proposal


def test_timelock__without_an_administrator__is_not_built(governed: Governed) -> None:
    """EQ-156: nobody could ever let a governor in."""
    g = governed
    with pytest.raises(ContractRevert) as caught:
        artifact_contract(g.chain, "RiskTimelock", DAY, g.guardian, "0x" + "0" * 40, sender=g.owner)
    assert caught.value.name == "RiskTimelock__ZeroAddress"
    bare = artifact_contract(g.chain, "RiskTimelock", DAY, "0x" + "0" * 40, g.owner, sender=g.owner)
    assert not bare.call("hasRole", CANCELLER, "0x" + "0" * 40)
