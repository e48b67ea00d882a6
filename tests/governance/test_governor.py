"""The way of a proposal through the real contracts, and what each step refuses."""

from __future__ import annotations

import pytest
from eth_utils import keccak

from equipoise.errors import ContractRevert, InputError
from equipoise.governance import State, Support, templates
from equipoise.units import WAD
from tests.fixtures.governance import CONFIG, Governed
from tests.fixtures.system import artifact_contract


def test_proposal__of_a_wrapped_holder__goes_from_propose_to_execute(governed: Governed) -> None:
    """EQ-151, EQ-152: nobody but the vote moved anything, and only after vote and delay."""
    g = governed
    before = g.auction.call("params")
    proposal = g.propose(templates.target_volatility(g.contracts, 0.12))
    assert g.state(proposal) is State.PENDING
    assert proposal.snapshot == g.now() + CONFIG.voting_delay
    g.to_vote(proposal)
    assert g.governance.vote(proposal, g.alice, Support.FOR) == g.votes.call("balanceOf", g.alice)
    assert g.state(proposal) is State.ACTIVE
    g.after_vote(proposal)
    assert g.state(proposal) is State.SUCCEEDED
    eta = g.governance.queue(proposal, g.keeper)
    assert eta == g.now() + CONFIG.delay
    with pytest.raises(InputError, match="waits until"):
        g.governance.execute(proposal, g.keeper)
    assert g.auction.call("params") == before
    g.wait()
    g.governance.execute(proposal, g.mallory)
    assert g.state(proposal) is State.EXECUTED
    assert g.auction.call("params") == before._replace(targetVolatilityWad=round(0.12 * WAD))


def test_execute__before_the_delay__is_refused_by_the_timelock(governed: Governed) -> None:
    """EQ-152: the client is not what keeps the delay."""
    g = governed
    proposal = g.queue(templates.target_volatility(g.contracts, 0.12))
    g.warp(CONFIG.delay - 60)
    g.system.refuses(
        "TimelockUnexpectedOperationState", g.governor, "execute", *proposal.arguments, sender=g.keeper
    )


def test_find__by_id_prefix_or_latest__is_rebuilt_from_the_chain(governed: Governed) -> None:
    """No file is needed: another machine queues and executes."""
    g = governed
    first = g.propose(templates.target_volatility(g.contracts, 0.12))
    second = g.propose(templates.deposit_cap(g.contracts, 5_000_000))
    find = g.governance.find
    assert find("latest") == second
    assert find(str(first.id)) == find(hex(first.id)) == find(str(first.id)[:8]) == first
    assert find("latest").title == "vault.depositCap: 10,000,000 -> 5,000,000"
    with pytest.raises(InputError, match=r"0 proposals are '12'"):
        find("12")


def test_find__nothing_proposed__says_how(governed: Governed) -> None:
    with pytest.raises(InputError, match="ape run propose"):
        governed.governance.find("latest")


def test_next_step__in_every_state__says_what_to_do(governed: Governed) -> None:
    g = governed
    proposal = g.propose(templates.target_volatility(g.contracts, 0.12))
    step = g.governance.next_step
    assert step(proposal).startswith("votes count from")
    assert "24.0 hours from now" in step(proposal)
    g.to_vote(proposal)
    assert "ape run vote" in step(proposal)
    g.governance.vote(proposal, g.alice, Support.FOR)
    g.after_vote(proposal)
    assert "ape run queue" in step(proposal)
    g.governance.queue(proposal, g.keeper)
    assert "execute it from" in step(proposal)
    g.wait()
    assert "ape run execute" in step(proposal)
    g.governance.execute(proposal, g.keeper)
    assert step(proposal) == "nothing: it was executed"


def test_steps__at_the_wrong_time__name_the_state_and_the_remedy(governed: Governed) -> None:
    g = governed
    proposal = g.propose(templates.target_volatility(g.contracts, 0.12))
    with pytest.raises(InputError, match="is pending, not active: votes count from"):
        g.governance.vote(proposal, g.alice, Support.FOR)
    with pytest.raises(InputError, match="is pending, not succeeded"):
        g.governance.queue(proposal, g.keeper)
    with pytest.raises(InputError, match="is pending, not queued"):
        g.governance.execute(proposal, g.keeper)
    g.after_vote(proposal)
    with pytest.raises(InputError, match=r"is defeated.*nothing: it was defeated"):
        g.governance.queue(proposal, g.keeper)
    with pytest.raises(InputError, match="is defeated"):
        g.governance.veto(proposal, g.guardian)


def test_cancel__by_its_proposer_before_the_vote__ends_it(governed: Governed) -> None:
    """EQ-152: whoever made a proposal may take it back until votes are taken, and it is never executed."""
    g = governed
    proposal = g.propose(templates.target_volatility(g.contracts, 0.12))
    assert g.governor.call("proposalNeedsQueuing", proposal.id)
    g.governor.send("cancel", *proposal.arguments, sender=g.alice)
    assert g.state(proposal) is State.CANCELED
    g.to_vote(proposal)
    args = (proposal.id, int(Support.FOR))
    g.system.refuses("GovernorUnexpectedProposalState", g.governor, "castVote", *args, sender=g.alice)


def test_vote__twice__is_final(governed: Governed) -> None:
    g = governed
    proposal = g.propose(templates.target_volatility(g.contracts, 0.12))
    g.to_vote(proposal)
    g.governance.vote(proposal, g.alice, Support.ABSTAIN)
    with pytest.raises(InputError, match="has voted"):
        g.governance.vote(proposal, g.alice, Support.FOR)


def test_propose__without_votes__names_the_threshold(governed: Governed) -> None:
    """EQ-153: shares that are not wrapped do not propose."""
    g = governed
    with pytest.raises(InputError, match=r"has 0 votes, a proposal takes .*ape run wrap"):
        g.propose(templates.target_volatility(g.contracts, 0.12), g.bob)
    args = ([g.bob], [0], [b""], "spam")
    revert = g.system.refuses("GovernorInsufficientProposerVotes", g.governor, "propose", *args, sender=g.bob)
    supply = g.vault.call("totalSupply")
    assert revert.arguments[2] == -(-supply * round(CONFIG.proposal_threshold * WAD) // WAD)


def test_propose__in_the_second_of_wrapping__asks_for_patience(governed: Governed) -> None:
    """EQ-151: votes of the block before count."""
    g = governed
    with g.one_block():
        g.governance.wrap(g.bob, g.shares(g.bob))
        with pytest.raises(InputError, match="came in the latest block: try again after the next"):
            g.propose(templates.target_volatility(g.contracts, 0.12), g.bob)
    g.warp(1)
    assert g.propose(templates.target_volatility(g.contracts, 0.12), g.bob).proposer.lower() == g.bob


def test_wrap__more_than_held__is_refused_and_unwrap_returns_all(governed: Governed) -> None:
    """EQ-150: one for one, back at any time."""
    g = governed
    shares = g.votes.call("balanceOf", g.alice)
    assert g.vault.call("balanceOf", g.votes.address) == g.votes.call("totalSupply") == shares
    assert (g.votes.call("decimals"), g.votes.call("CLOCK_MODE")) == (18, "mode=timestamp")
    assert g.votes.call("clock") == g.governor.call("clock") == g.now()
    with pytest.raises(InputError, match="holds 0 shares"):
        g.governance.wrap(g.alice, 1)
    with pytest.raises(InputError, match="wrapped shares"):
        g.governance.unwrap(g.alice, shares + 1)
    g.governance.unwrap(g.alice, shares)
    assert g.shares(g.alice) == shares
    assert g.votes.call("totalSupply") == g.vault.call("balanceOf", g.votes.address) == 0


def test_governor__settings_outside_their_ranges__is_not_built(governed: Governed) -> None:
    """EQ-155: at construction as later."""
    g = governed
    good = CONFIG.settings()
    for i, (name, wrong) in enumerate(
        [
            ("votingDelay", 3_599),
            ("votingPeriod", 86_399),
            ("lateQuorumExtension", 7 * 86_400 + 1),
            ("proposalThresholdWad", WAD // 20 + 1),
            ("quorumWad", WAD // 100 - 1),
        ]
    ):
        settings = (*good[:i], wrong, *good[i + 1 :])
        with pytest.raises(ContractRevert) as caught:
            artifact_contract(
                g.chain, "ParityGovernor", g.votes, g.timelock, g.vault, settings, sender=g.keeper
            )
        assert caught.value.name == "ParameterOutOfRange"
        assert str(caught.value).startswith(f"ParityGovernor: ParameterOutOfRange({name}, {wrong},")


def test_governor__votes_of_another_token__is_not_built(governed: Governed) -> None:
    """EQ-153: quorum and votes must be about the same shares."""
    g = governed
    other = artifact_contract(g.chain, "VaultVotes", g.cash, "cash votes", "vC", sender=g.keeper)
    with pytest.raises(ContractRevert) as caught:
        artifact_contract(
            g.chain, "ParityGovernor", other, g.timelock, g.vault, CONFIG.settings(), sender=g.keeper
        )
    assert caught.value.name == "ParityGovernor__NotTheVault"
    assert caught.value.arguments == (g.vault.address, g.cash.address)


def test_quorum__of_a_time_without_a_proposal__is_refused(governed: Governed) -> None:
    """EQ-153: none is invented."""
    g = governed
    proposal = g.propose(templates.target_volatility(g.contracts, 0.12))
    supply = g.vault.call("totalSupply")
    assert g.governor.call("quorum", proposal.snapshot) == -(-supply // 10)
    with pytest.raises(ContractRevert) as caught:
        g.governor.call("quorum", proposal.snapshot + 1)
    assert caught.value.name == "ParityGovernor__NoProposalAt"


def test_set_quorum__through_governance_only__counts_for_later_proposals(governed: Governed) -> None:
    """EQ-155: the governor's settings are governance's own, within their ranges."""
    g = governed
    g.system.refuses("GovernorOnlyExecutor", g.governor, "setQuorum", WAD // 5, sender=g.guardian)
    earlier = g.propose(templates.deposit_cap(g.contracts, 5_000_000))
    g.enact(templates.change(g.contracts, {"governor.quorum": 0.2}))
    assert g.governor.call("quorumWad") == WAD // 5
    supply = g.vault.call("totalSupply")
    assert g.governor.call("quorum", earlier.snapshot) == -(-supply // 10)
    later = g.propose(templates.deposit_cap(g.contracts, 4_000_000))
    assert g.governor.call("quorum", later.snapshot) == -(-supply // 5)


def test_deployer__after_the_hand_over__holds_no_power(governed: Governed) -> None:
    """EQ-156: no role at the timelock, no ownership, no offer of one."""
    g = governed
    for role in ("DEFAULT_ADMIN_ROLE", "PROPOSER_ROLE", "EXECUTOR_ROLE", "CANCELLER_ROLE"):
        word = b"\0" * 32 if role == "DEFAULT_ADMIN_ROLE" else keccak(text=role)
        assert not g.timelock.call("hasRole", word, g.owner), role
    for name in ("vault", "auction", "guard", "volatility_oracle", "price_oracle", "realized_volatility"):
        contract = getattr(g.contracts, name)
        assert contract.call("owner") == g.timelock.address
        assert int(contract.call("pendingOwner"), 16) == 0
    data = g.auction.encode("setParams", g.auction.call("params"))
    args = (g.auction, 0, data, b"\0" * 32, b"\0" * 32, 86_400)
    g.system.refuses("AccessControlUnauthorizedAccount", g.timelock, "schedule", *args, sender=g.owner)
    admin = (keccak(text="PROPOSER_ROLE"), g.owner)
    g.system.refuses("AccessControlUnauthorizedAccount", g.timelock, "grantRole", *admin, sender=g.owner)
