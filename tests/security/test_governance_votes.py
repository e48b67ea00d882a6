"""Attacks on the vote: borrowed, late, moved, swollen and too few shares; spam.

Mallory's profit is what she has at the end over what she had, at the oracle's mid.
"""

from __future__ import annotations

import pytest

from equipoise.errors import ContractRevert, InputError
from equipoise.governance import Draft, Proposal, State, Support, templates
from equipoise.units import DAY
from tests.fixtures.attacks import Ledger
from tests.fixtures.governance import CONFIG, STAKE_USD, Governed, govern
from tests.fixtures.system import System

LOAN_USD = 5_000_000
"""Fifty times all that others hold."""


def borrow(g: Governed, usd: float = LOAN_USD) -> int:
    """Deposit, wrap and delegate to oneself."""
    return g.wrap(g.mallory, usd)


def repay(g: Governed, shares: int) -> None:
    g.governance.unwrap(g.mallory, shares)
    g.vault.send("redeem", shares, g.mallory, g.mallory, sender=g.mallory)


def others(g: Governed) -> Draft:
    return templates.target_volatility(g.contracts, 0.2)


def attempt(g: Governed, proposal: Proposal, who: str, support: Support) -> int:
    """Votes that count, whatever the client would say of them."""
    receipt = g.governor.send("castVote", proposal.id, int(support), sender=who)
    return int(g.governor.events(receipt, "VoteCast")[0].weight)


def test_flash_loan__wrap_propose_unwrap_in_one_block__has_no_vote(
    governed: Governed, attack: Ledger
) -> None:
    """EQ-151: what counts is what was held before the block."""
    g = governed
    g.begin()
    with g.one_block():
        shares = borrow(g)
        args = (*g.greedy().arguments, "mine")
        with pytest.raises(ContractRevert) as caught:
            g.governor.send("propose", *args, sender=g.mallory)
        repay(g, shares)
    assert caught.value.name == "GovernorInsufficientProposerVotes"
    assert caught.value.arguments[1] == 0
    profit, loss = g.outcome()
    assert profit < 0
    attack("governance: flash loan to propose", profit, loss, why="votes of the second before count: none")


@pytest.mark.parametrize("support", [Support.FOR, Support.AGAINST])
def test_flash_loan__in_the_block_of_the_snapshot__has_no_vote(
    governed: Governed, attack: Ledger, support: Support
) -> None:
    """EQ-151: the snapshot is the end of its second, when the loan is repaid."""
    g = governed
    g.begin()
    proposal = g.propose(others(g))
    g.warp(proposal.snapshot - g.now() - 1)
    with g.one_block():
        g.chain.request("evm_setNextBlockTimestamp", proposal.snapshot)
        g.chain.request("evm_mine")
        shares = borrow(g)
        assert g.now() == proposal.snapshot
        assert g.votes.call("getVotes", g.mallory) == shares
        repay(g, shares)
        assert g.now() == proposal.snapshot
    g.warp(1)
    assert attempt(g, proposal, g.mallory, support) == 0
    profit, loss = g.outcome()
    attack(
        f"governance: flash loan at the snapshot, votes {support.name.lower()}",
        profit,
        loss,
        why="end of second counts",
    )


def test_last_minute_deposit__over_the_snapshot__carries_no_proposal(
    governed: Governed, attack: Ledger
) -> None:
    """EQ-151: real money, held for two blocks. It could stop a proposal, it cannot make one pass."""
    g = governed
    first = g.wrap(g.mallory, 0.02 * STAKE_USD)
    g.warp(60)
    g.begin()
    proposal = g.propose(g.greedy(), g.mallory)
    g.warp(proposal.snapshot - g.now() - 5)
    late = borrow(g)
    g.to_vote(proposal)
    repay(g, late)
    assert g.votes.call("getPastVotes", g.mallory, proposal.snapshot) == first + late
    assert g.governance.weight(proposal, g.mallory, Support.AGAINST) == first + late
    assert g.governance.vote(proposal, g.mallory, Support.FOR) == first
    g.after_vote(proposal)
    assert g.state(proposal) is State.DEFEATED
    profit, loss = g.outcome()
    assert profit < 0
    attack(
        "governance: deposit just before the snapshot", profit, loss, why="does not count for, nor abstaining"
    )


def test_last_minute_deposit__abstaining__does_not_lift_the_quorum(governed: Governed) -> None:
    """EQ-151: else a few votes for and a bought quorum would pass."""
    g = governed
    g.wrap(g.mallory, 0.02 * STAKE_USD)
    accomplice = g.keeper
    g.warp(60)
    proposal = g.propose(g.greedy(), g.mallory)
    g.wrap(accomplice, LOAN_USD)
    g.to_vote(proposal)
    with pytest.raises(InputError, match="no vote that counts abstain"):
        g.governance.vote(proposal, accomplice, Support.ABSTAIN)
    assert attempt(g, proposal, accomplice, Support.ABSTAIN) == 0
    g.governance.vote(proposal, g.mallory, Support.FOR)
    g.after_vote(proposal)
    assert g.state(proposal) is State.DEFEATED


def test_defence__wrapped_after_the_proposal__stops_it(governed: Governed) -> None:
    """EQ-151: holders who never voted have the voting delay to say no."""
    g = governed
    proposal = g.propose(g.greedy(), g.alice)  # 40 % of all, wrapped, gone rogue
    g.governance.wrap(g.bob, g.shares(g.bob))
    g.to_vote(proposal)
    g.governance.vote(proposal, g.alice, Support.FOR)
    assert g.governance.vote(proposal, g.bob, Support.AGAINST) > 0
    g.after_vote(proposal)
    assert g.state(proposal) is State.DEFEATED


def test_last_minute_vote__that_reaches_the_quorum__leaves_time_to_answer(
    governed: Governed, attack: Ledger
) -> None:
    """EQ-151: late quorum prolongs the vote; those who watched can still say no."""
    g = governed
    g.governance.wrap(g.bob, g.shares(g.bob))
    g.warp(1)
    g.begin()
    proposal = g.propose(g.greedy(), g.alice)
    deadline = g.governor.call("proposalDeadline", proposal.id)
    g.warp(deadline - g.now() - 1)
    g.governance.vote(proposal, g.alice, Support.FOR)
    assert g.now() <= deadline
    extended = g.governor.call("proposalDeadline", proposal.id)
    assert extended == g.now() + CONFIG.late_quorum_extension > deadline + DAY - 2
    g.warp(extended - g.now() - 60)
    g.governance.vote(proposal, g.bob, Support.AGAINST)
    g.warp(120)
    assert g.state(proposal) is State.DEFEATED
    attack("governance: vote in the last second", *g.outcome(), why="a day more to answer")


def test_unwrapping__after_the_snapshot__changes_nothing_and_no_share_votes_twice(
    governed: Governed, attack: Ledger
) -> None:
    """EQ-150, EQ-151: the history counts; what was sold votes once, for who held it."""
    g = governed
    shares = g.wrap(g.mallory, STAKE_USD)
    g.warp(1)
    before = g.worth(g.mallory) + g.worth(g.keeper)
    proposal = g.propose(others(g), g.mallory)
    g.to_vote(proposal)
    g.governance.unwrap(g.mallory, shares)
    g.vault.send("transfer", g.keeper, shares, sender=g.mallory)
    g.governance.wrap(g.keeper, shares)
    assert attempt(g, proposal, g.keeper, Support.AGAINST) == 0
    assert g.governance.vote(proposal, g.mallory, Support.FOR) == shares
    with pytest.raises(ContractRevert) as caught:
        attempt(g, proposal, g.mallory, Support.FOR)
    assert caught.value.name == "GovernorAlreadyCastVote"
    assert sum(g.governor.call("proposalVotes", proposal.id)) == shares
    profit = g.worth(g.mallory) + g.worth(g.keeper) - before
    attack("governance: one share, two voters", profit, 0.0, why="one vote a share")


def test_moving__between_proposal_and_snapshot__carries_nothing_twice(governed: Governed) -> None:
    """EQ-151: wrapped shares sent on in between count for neither; against, for who has them then."""
    g = governed
    shares = g.wrap(g.mallory, STAKE_USD)
    g.warp(1)
    proposal = g.propose(others(g), g.mallory)
    g.votes.send("delegate", g.keeper, sender=g.keeper)
    g.votes.send("transfer", g.keeper, shares, sender=g.mallory)
    g.to_vote(proposal)
    weigh = g.governance.weight
    assert weigh(proposal, g.mallory, Support.FOR) == weigh(proposal, g.keeper, Support.FOR) == 0
    assert weigh(proposal, g.mallory, Support.AGAINST) == 0
    assert weigh(proposal, g.keeper, Support.AGAINST) == shares


def test_capture__by_few_wrapped_shares__misses_the_quorum(governed: Governed, attack: Ledger) -> None:
    """EQ-153: alone among the voters, with 2 % of the vault."""
    g = governed
    g.governance.unwrap(g.alice, g.votes.call("balanceOf", g.alice))
    shares = g.wrap(g.mallory, 0.02 * STAKE_USD)
    g.warp(1)
    g.begin()
    assert g.votes.call("totalSupply") == shares
    proposal = g.propose(g.greedy(), g.mallory)
    g.pass_vote(proposal, g.mallory)
    assert g.state(proposal) is State.DEFEATED
    assert g.governor.call("proposalVotes", proposal.id).forVotes == shares
    attack("governance: the only voter", *g.outcome(), why="quorum is of the vault's supply")


@pytest.mark.parametrize("order", ["before", "after"])
def test_swollen_supply__in_the_block_of_a_proposal__does_not_lift_its_quorum(
    governed: Governed, attack: Ledger, order: str
) -> None:
    """EQ-153: the least of a second counts."""
    g = governed
    g.wrap(g.mallory, 0.02 * STAKE_USD)
    g.warp(1)
    honest = -(-g.vault.call("totalSupply") // 10)
    g.begin()
    with g.one_block():
        victim = g.propose(others(g)) if order == "after" else None
        # enough for her own threshold to be met: shares of hers that were wrapped a second ago are 2 %
        shares = g.deposit(g.mallory, 0.9 * STAKE_USD)
        swollen = g.propose(g.greedy(), g.mallory)
        at_peak = g.governor.call("quorum", swollen.snapshot)
        g.vault.send("redeem", shares, g.mallory, g.mallory, sender=g.mallory)
        victim = victim or g.propose(others(g))
    assert victim.snapshot == swollen.snapshot
    assert g.governor.call("quorum", victim.snapshot) == pytest.approx(honest, abs=1)
    assert at_peak > honest if order == "before" else at_peak == honest
    attack(
        f"governance: supply swollen {order} a proposal",
        *g.outcome(),
        why="least quorum of a second",
    )


@pytest.mark.parametrize("wrapped", [True, False], ids=["wrapped", "unwrapped"])
def test_shrunken_supply__for_the_length_of_a_proposal__lowers_no_quorum_below_the_wrapped(
    governed: Governed, attack: Ledger, wrapped: bool
) -> None:
    """EQ-153: redeemed for a moment, shares that were wrapped a second ago still count. Others do not; they
    pay fees for it, and lower nothing that their holder could not reach by voting."""
    g = governed
    shares = g.deposit(g.mallory, LOAN_USD)
    g.governance.wrap(g.mallory, shares if wrapped else shares // 50)
    g.warp(1)
    g.begin()
    supply, held = g.vault.call("totalSupply"), g.votes.call("totalSupply")
    with g.one_block():
        if wrapped:
            g.governance.unwrap(g.mallory, shares)
        g.vault.send("redeem", g.shares(g.mallory), g.mallory, g.mallory, sender=g.mallory)
        shrunken = g.vault.call("totalSupply")
        proposal = g.propose(g.greedy(), g.mallory)
        g.deposit(g.mallory, LOAN_USD)
    quorum = g.governor.call("quorum", proposal.snapshot)
    assert shrunken < supply // 10
    assert quorum == -(-max(shrunken, held) // 10)
    if wrapped:
        assert quorum > supply // 11
    profit, loss = g.outcome()
    assert profit < -1_000  # entry and exit fee, most of which is her own as the largest holder
    kind = "wrapped" if wrapped else "unwrapped"
    attack(f"governance: {kind} supply shrunken", profit, loss, why="wrapped shares are the least supply")


def test_first_depositor__of_an_empty_vault__cannot_pass_what_later_ones_refuse(
    system: System, attack: Ledger
) -> None:
    """EQ-153: a quorum of nearly nothing is still a majority against."""
    g = govern(system)
    g.wrap(g.mallory, 10)
    g.warp(1)
    g.begin()
    proposal = g.propose(g.greedy(), g.mallory)
    g.wrap(g.bob, 1_000)
    g.to_vote(proposal)
    g.governance.vote(proposal, g.mallory, Support.FOR)
    g.governance.vote(proposal, g.bob, Support.AGAINST)
    g.after_vote(proposal)
    assert g.state(proposal) is State.DEFEATED
    attack(
        "governance: first depositor rules",
        *g.outcome(),
        why="later holders vote against",
    )


def test_spam__below_the_threshold__is_refused_and_above_needs_the_capital(
    governed: Governed, attack: Ledger
) -> None:
    """EQ-153: proposals cost shares held, and what nobody votes for ends by itself."""
    g = governed
    g.wrap(g.mallory, 0.005 * STAKE_USD)
    g.warp(1)
    g.begin()
    for i in range(3):
        args = ([g.mallory], [0], [b""], f"spam {i}")
        g.system.refuses("GovernorInsufficientProposerVotes", g.governor, "propose", *args, sender=g.mallory)
    attack("governance: proposal spam", *g.outcome(), why="1 % of the supply to propose")


def test_front_running__the_same_proposal_to_cancel_it__is_refused(
    governed: Governed, attack: Ledger
) -> None:
    """EQ-153: the description names who may propose it; only the proposer cancels, before the vote."""
    g = governed
    g.wrap(g.mallory, STAKE_USD)
    g.warp(1)
    g.begin()
    draft = others(g)
    seen = draft.description(g.alice, g.now())
    args = (*draft.arguments, seen)
    g.system.refuses("GovernorRestrictedProposer", g.governor, "propose", *args, sender=g.mallory)
    proposal = g.propose(draft)
    cancel = proposal.arguments
    g.system.refuses("GovernorUnableToCancel", g.governor, "cancel", *cancel, sender=g.mallory)
    g.to_vote(proposal)
    g.system.refuses("GovernorUnableToCancel", g.governor, "cancel", *cancel, sender=g.alice)
    attack(
        "governance: front-run and cancel",
        *g.outcome(),
        why="description names proposer",
    )
