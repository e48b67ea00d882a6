"""Short lives under an owner who changes the basket or shareholders who vote, and their planted faults."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.stateful.systems import KINDS

Steps = list[tuple[str, dict[str, Any]]]
Relive = Callable[[str, Steps], Any]

BEGIN: dict[str, Any] = {"invested": True, "fees": "none", "settle": 0}
OWNED: Steps = [("begins", BEGIN)]
GOVERNED: Steps = [("begins", {**BEGIN, "governed": True})]
FEES: Steps = [("fees_change", {"parts": [0.1] * 4, "beyond": False})]
ITS_WAY: Steps = [("a_proposal_goes_its_way", {"which": 0, "to": "the end"})]


def others(leave: str) -> Steps:
    """LINK, BTC and ETH; GOLD is left out."""
    change = {"order": [3, 0, 1, 2], "count": 3, "leave": leave, "settle": False}
    return [("the_basket_changes", change)]


@pytest.mark.parametrize("kind", KINDS)
def test_basket__without_an_asset_that_is_not_sold__is_refused(relive: Relive, kind: str) -> None:
    """Planted: what is dropped not looked at. EQ-93."""
    life = relive(kind, OWNED + others("all"))
    assert life.outcomes[-1] == "RiskParityVault__NotSold"


@pytest.mark.parametrize("kind", KINDS)
def test_basket__once_what_it_lost_is_sold__forgets_it(relive: Relive, kind: str) -> None:
    """EQ-93, EQ-96: retired, sold by auctions, dropped; another was bought."""
    life = relive(kind, [*OWNED, ("an_asset_is_replaced", {"out": 2, "moment": 0.4})])
    assert life.names == ["BTC", "ETH", "LINK", "USDC"]
    assert all(life.view.balances)


def test_bid__in_an_auction_of_another_basket__is_refused(relive: Relive) -> None:
    """Planted: the basket's version not looked at. EQ-95."""
    steps = [
        *OWNED,
        ("minutes_pass", {"seconds": 5 * 3_600}),
        ("deposit", {"who": "bob", "assets": 10**12}),
        ("anybody_opens", {}),
        *others("none"),
        ("a_bidder_bids", {"first": 9, "part": 1.0}),
    ]
    life = relive("unlevered", steps)
    assert "RebalanceAuction__BasketChanged" in life.outcomes


def test_vote__of_shares_wrapped_after_the_proposal__does_not_carry_it(relive: Relive) -> None:
    """Planted: votes at the snapshot counted for a proposal. EQ-151."""
    steps = [
        *GOVERNED,
        ("deposit", {"who": "bob", "assets": 10**11}),
        *FEES,
        ("a_holder_wraps", {"who": "bob", "part": 1.0}),
        ("a_vote_draws_on", {"which": 0, "late": True}),
        ("a_holder_votes", {"who": "bob", "which": 0, "support": "FOR"}),
    ]
    life = relive("unlevered", steps)
    assert life.ballots[0].tally == [0, 0, 0]


def test_fees__given_up_by_a_vote__are_changed_by_no_later_one(relive: Relive) -> None:
    """Planted: powers that were given up not looked at. EQ-154."""
    given_up: Steps = [("shareholders_give_up", {"power": "setFees"})]
    life = relive("unlevered", GOVERNED + given_up + ITS_WAY + FEES + ITS_WAY)
    assert life.outcomes == ["RiskTimelock__PowerAbdicated"]


def test_purchases__under_a_bar_that_rises__leave_the_health_that_is_asked_for(relive: Relive) -> None:
    """Planted: the health factor after a purchase not looked at. EQ-89."""
    rising = ("purchases_meet_a_rising_bar", {"fresh": 0.5, "margin": 0.0})
    life = relive("levered", [*OWNED, ("minutes_pass", {"seconds": 5 * 3_600}), rising])
    assert life.outcomes[-1] == "RebalanceAuction__HealthTooLow"
