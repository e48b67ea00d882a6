"""A full proposal, from its draft to the auction that follows it, on the local world."""

from __future__ import annotations

import numpy as np
import pytest

from equipoise.governance import State, Support, templates
from equipoise.governance.simulate import simulate
from equipoise.solver.parity import solve_parity
from equipoise.units import WAD, unpack_word8
from tests.fixtures.governance import Governed

BUDGETS = (0.5, 0.2, 0.3)


def test_new_budgets__from_proposal_to_execution__are_what_the_next_auction_sells_and_buys_for(
    governed_levered: Governed,
) -> None:
    """EQ-152, EQ-159: drafted, simulated, voted, queued, executed; a report settles, an auction follows."""
    g = governed_levered
    price = g.share_price()
    draft = templates.budgets(g.contracts, BUDGETS)
    promised = simulate(g.contracts, draft).after
    proposal = g.propose(draft)
    g.to_vote(proposal)
    g.governance.vote(proposal, g.alice, Support.FOR, "more of BTC")
    g.after_vote(proposal)
    found = g.governance.find("latest")  # another machine goes on, from the chain alone
    assert found == proposal
    g.governance.queue(found, g.keeper)
    g.wait()
    g.system.refresh_prices()
    g.governance.execute(found, g.mallory)
    assert g.state(proposal) is State.EXECUTED
    assert g.contracts.refreshed().volatility_oracle.call("riskData").coordinates  # solved on chain

    g.system.post_reports()
    g.system.refresh_prices()
    state = g.auction.call("riskState")
    assert state.parityGapWad > g.auction.call("params").parityBandWad
    g.open()
    opened = unpack_word8(g.auction.call("current").targets, 3)
    covariance = np.outer(g.vols, g.vols) * g.correlation
    wanted = solve_parity(covariance, BUDGETS).weights
    assert opened / opened.sum() == pytest.approx(wanted, rel=1e-4)
    assert opened == pytest.approx([promised.targets[s] for s in g.system.symbols], rel=0.02)

    g.to_curve(1.0)
    g.fill_all()
    g.warp(g.auction.call("params").duration)
    after = g.auction.call("riskState")
    assert [share / WAD for share in after.sharesWad] == pytest.approx(BUDGETS, abs=0.01)
    assert after.reason == 0
    # eight days' interest and the auction cost little
    assert g.share_price() == pytest.approx(price, rel=0.005)
