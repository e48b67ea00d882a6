"""A power given up is gone for ever, whatever route a call takes (EQ-154)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from equipoise.client.contract import Contract
from equipoise.errors import ContractRevert, InputError
from equipoise.governance import Call, Draft, State, templates
from equipoise.units import DAY
from tests.fixtures.attacks import Ledger
from tests.fixtures.governance import NONE, PROPOSER, Governed, selector
from tests.fixtures.system import artifact_contract


@pytest.fixture
def without_fees(governed: Governed) -> Governed:
    """Governance has given up the power to set fees."""
    governed.enact(templates.abdicate(governed.contracts, "vault", "setFees"))
    return governed


def nested(g: Governed, draft: Draft) -> Call:
    """The timelock executes on itself what a proposer of its own has scheduled there."""
    call = draft.calls[0]
    args = (call.target.address, 0, call.data, NONE, NONE)
    g.timelock.send("schedule", *args, 2 * DAY, sender=g.keeper)
    return Call(g.timelock, "execute", args)


def test_abdicate__fees__are_what_they_were_for_ever(without_fees: Governed, attack: Ledger) -> None:
    """EQ-154: the vote passes, the execution never does."""
    g = without_fees
    set_fees = selector(g.vault, "setFees", 2)
    assert g.timelock.call("abdicated", g.vault, set_fees)
    before = g.vault.call("fees")
    revert = g.refused(g.greedy(), "RiskTimelock__PowerAbdicated")
    assert revert.arguments == (g.vault.address, set_fees)
    assert g.vault.call("fees") == before
    g.enact(templates.deposit_cap(g.contracts, 5_000_000))  # every other power is as it was
    attack("governance: set abdicated fees", *g.outcome(), why="the timelock refuses for ever")


def routes() -> dict[str, Callable[[Governed, Contract], Draft]]:
    """Ways around, by name."""
    return {
        "transfer of ownership": lambda g, h: g.call(g.vault, "transferOwnership", g.mallory),
        "renouncing": lambda g, h: g.call(g.vault, "renounceOwnership"),
        "batch behind a harmless call": lambda g, h: Draft(
            "smuggled", (*templates.deposit_cap(g.contracts, 10**6).calls, *g.greedy().calls)
        ),
        "nested execute": lambda g, h: Draft("nested", (nested(g, g.greedy()),)),
    }


@pytest.mark.parametrize("route", routes())
def test_abdicated_power__by_another_route__is_refused_by_name(
    without_fees: Governed, attack: Ledger, route: str
) -> None:
    """EQ-154: no other owner, no batch, no call inside a call."""
    g = without_fees
    g.enact(g.call(g.timelock, "grantRole", PROPOSER, g.keeper))
    hostile = artifact_contract(g.chain, "Hostile", sender=g.mallory)
    g.refused(routes()[route](g, hostile), "RiskTimelock__PowerAbdicated")
    assert g.vault.call("owner") == g.timelock.address
    attack(f"governance: abdicated power, {route}", *g.outcome(), why="every call passes the same check")


@pytest.mark.parametrize("by", ["multicall", "governor's relay"])
def test_abdicated_power__through_another_contract__lacks_the_owner(
    without_fees: Governed, attack: Ledger, by: str
) -> None:
    """EQ-154: who passes a call on is not the owner."""
    g = without_fees
    data = g.greedy().calls[0].data
    if by == "multicall":
        hostile = artifact_contract(g.chain, "Hostile", sender=g.mallory)
        draft = g.call(hostile, "forward", g.vault.address, data)
    else:
        draft = g.call(g.governor, "relay", g.vault.address, 0, data)
    g.refused(draft, "OwnableUnauthorizedAccount")
    attack(f"governance: abdicated power, {by}", *g.outcome(), why="only the timelock owns")


def test_abdication__with_an_ownership_on_offer__is_refused(governed: Governed, attack: Ledger) -> None:
    """EQ-154: whoever accepts the offer afterwards would have the power still."""
    g = governed
    give_up = templates.abdicate(g.contracts, "vault", "setFees")
    both = Draft("offer, then give up", (Call(g.vault, "transferOwnership", (g.mallory,)), *give_up.calls))
    revert = g.refused(both, "RiskTimelock__OwnershipOnOffer")
    assert revert.arguments[0] == g.vault.address
    assert revert.arguments[1].lower() == g.mallory
    g.enact(g.call(g.vault, "transferOwnership", g.bob))
    g.refused(give_up, "RiskTimelock__OwnershipOnOffer")
    g.enact(g.call(g.vault, "transferOwnership", "0x" + "0" * 40))  # withdrawn
    g.enact(give_up)
    g.system.refuses("OwnableUnauthorizedAccount", g.vault, "acceptOwnership", sender=g.bob)
    attack("governance: abdication with a successor waiting", *g.outcome(), why="refused while on offer")


def test_abdication__of_a_contract_of_another_owner__is_refused(governed: Governed) -> None:
    """EQ-154: it would promise what the timelock does not have."""
    g = governed
    hostile = artifact_contract(g.chain, "Hostile", sender=g.mallory)
    hostile.send("pretend", g.mallory, "0x" + "0" * 40, sender=g.mallory)
    draft = g.call(g.timelock, "abdicate", hostile.address, b"\1\2\3\4")
    revert = g.refused(draft, "RiskTimelock__NotOwner")
    assert revert.arguments[0] == hostile.address
    for target in (g.timelock, g.governor):  # neither has an owner: their powers cannot be given up
        proposal = g.queue(g.call(g.timelock, "abdicate", target.address, b"\1\2\3\4"))
        g.wait()
        with pytest.raises(ContractRevert):
            g.governor.send("execute", *proposal.arguments, sender=g.keeper)


def test_abdication__twice__is_told_once_and_by_the_client_refused(without_fees: Governed) -> None:
    """EQ-154: the events tell what is gone; a second power of the same contract adds one."""
    g = without_fees
    with pytest.raises(InputError, match="given up already"):
        templates.abdicate(g.contracts, "vault", "setFees")
    receipt = g.enact(templates.abdicate(g.contracts, "vault", "setDepositCap"))
    told = g.timelock.events(receipt, "Abdicated")
    assert [event.selector for event in told] == [selector(g.vault, "setDepositCap", 1)]


def test_abdicated_cap__is_still_lowered_by_the_guardian(governed: Governed) -> None:
    """EQ-154: what governance gave up is its own power, not the guardian's to tighten."""
    g = governed
    g.enact(templates.abdicate(g.contracts, "vault", "setDepositCap"))
    g.refused(templates.deposit_cap(g.contracts, 20_000_000), "RiskTimelock__PowerAbdicated")
    g.vault.send("setDepositCap", 10**6, sender=g.guardian)
    assert g.vault.call("depositCap") == 10**6


def test_abdication__in_the_queue__can_be_vetoed(governed: Governed) -> None:
    """EQ-157: what cannot be undone can be stopped before."""
    g = governed
    proposal = g.queue(templates.abdicate(g.contracts, "guard", "unpause"))
    g.governance.veto(proposal, g.guardian)
    assert g.state(proposal) is State.CANCELED
