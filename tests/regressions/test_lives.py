"""Short lives on which a fault once showed; each names it. Steps are those that the fuzzer writes down."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.stateful.systems import KINDS

Steps = list[tuple[str, dict[str, Any]]]
Relive = Callable[[str, Steps], Any]

BEGIN: tuple[str, dict[str, Any]] = ("begins", {"invested": True, "fees": "highest", "settle": 0})


@pytest.mark.parametrize("kind", KINDS)
def test_withdraw__a_single_unit__burns_shares_rounded_up(relive: Relive, kind: str) -> None:
    """Planted: shares for a withdrawal rounded down. EQ-58."""
    life = relive(kind, [BEGIN, ("withdraw", {"assets": 1, "who": "alice"})])
    assert life.outcomes == ["done"]


@pytest.mark.parametrize("kind", KINDS)
def test_prices__a_feed_older_than_its_heartbeat__is_refused(relive: Relive, kind: str) -> None:
    """Planted: the heartbeat not looked at. EQ-40, EQ-100."""
    life = relive(kind, [BEGIN, ("a_feed_fails", {"asset": 0, "how": "stale"}), ("deposit", CENT)])
    assert life.outcomes == ["PriceOracle__StalePrice"]


def test_bid__a_purchase_while_increases_are_paused__is_refused(relive: Relive) -> None:
    """Planted: the mode not asked before a purchase. EQ-85, EQ-88."""
    steps = [
        BEGIN,
        ("mint", {"who": "bob", "assets": 10**12, "dust": 0}),
        ("minutes_pass", {"seconds": 5 * 3_600}),
        ("anybody_opens", {}),
        ("the_guardian_pauses_or_the_owner_unpauses", {"what": "pauseIncreases"}),
        ("a_bidder_bids", {"first": 9, "part": 1.0}),
    ]
    life = relive("levered", steps)
    assert "RebalanceAuction__OnlyCashBought" in life.outcomes


@pytest.mark.parametrize("kind", KINDS)
def test_deposit__while_deposits_are_paused__is_refused(relive: Relive, kind: str) -> None:
    """Planted: the guard not asked before a deposit. EQ-60, EQ-101."""
    pause = ("the_guardian_pauses_or_the_owner_unpauses", {"what": "pauseDeposits"})
    life = relive(kind, [BEGIN, pause, ("deposit", CENT)])
    assert life.outcomes == ["RiskParityVault__DepositsClosed"]


def test_redeem_in_kind__with_debt__repays_it_rounded_up(relive: Relive) -> None:
    """Planted: the part of the debt rounded down. EQ-124."""
    steps = [BEGIN, ("redeem_in_kind", {"who": "alice", "part": 0.123456789, "skip": []})]
    life = relive("levered", steps)
    assert life.outcomes == ["done"]
    assert life.view.debt > 0


def test_deposit__while_a_gift_has_no_price__is_refused_by_name(relive: Relive) -> None:
    """Found: Aave cannot value an account that was given a unit of a reserve with a dead feed. EQ-126."""
    enter = ("mint", {"assets": 1, "dust": 0, "who": "alice"})
    steps = [
        BEGIN,
        ("receipts_are_donated", {"amount": 1, "token": 3}),
        ("a_feed_fails", {"asset": 3, "how": "dead"}),
        enter,
    ]
    assert relive("levered", steps).outcomes == ["LendingAccount__NoHealthFactor"]
    drop = ("a_stranger_switches_collateral", {"token": 3, "drop": True})
    assert relive("levered", [*steps, drop, enter]).outcomes == ["done"]


def test_bid__without_a_lending_account__may_spend_all_cash(relive: Relive) -> None:
    """Found: no fault of the contracts, but of a machine that expected a cash buffer. EQ-88, EQ-125."""
    terms = {"budget": 0.0001, "curve": [0.0, 0.0], "duration": 60, "leverage": 1.0, "risk": 0.5}
    steps = [
        BEGIN,
        ("the_auctions_terms_change", terms),
        ("redeem_in_kind", {"part": 1.0, "skip": [0], "who": "alice"}),
        ("a_bidder_bids", {"first": 3, "part": 1.0}),
    ]
    life = relive("unlevered", steps)
    assert "done" in life.outcomes
    assert life.view.balances[-1] == 0


def test_ripcord__after_everything_was_liquidated__has_nothing_to_sell(relive: Relive) -> None:
    """Found: a known limit, of which the machine did not know: the debt is left to the idle cash. EQ-133."""
    steps = [
        BEGIN,
        ("a_liquidator_comes", {"to": 0.8046875}),
        ("receipts_are_donated", {"amount": 1, "token": 4}),
        ("the_ripcord_saves", {"moment": 0.0, "to": 0.75}),
    ]
    life = relive("levered", steps)
    assert life.view.debt > 0 == sum(life.view.balances[:-1])


def test_bid__at_a_premium__keeps_the_buffer_of_the_nav_before_it(relive: Relive) -> None:
    """Found: no fault of the contracts, but of a machine that took it of the NAV after. EQ-88."""
    terms = {"budget": 0.0001, "curve": [0.03125, 0.0], "duration": 60, "leverage": 1.0, "risk": 0.125}
    steps = [
        BEGIN,
        (
            "liars_are_outvoted",
            {"first": False, "level": 1.0, "lie": 0.001, "before": "nothing", "late": False},
        ),
        ("a_bidder_bids", {"first": 0, "part": 1.0}),
        ("liquidity_leaves_or_returns", {"token": 0, "utilisation": 1.0}),
        ("the_auctions_terms_change", terms),
        ("an_asset_is_replaced", {"moment": 0.4, "out": 0}),
    ]
    assert "done" in relive("levered", steps).outcomes


@pytest.mark.parametrize("kind", KINDS)
def test_bid__an_asset_whose_price_fell_to_nothing__is_limited_by_the_bidders_purse(
    relive: Relive, kind: str
) -> None:
    """Found: no fault of the contracts, but of a machine that took its keeper for endlessly rich."""
    steps = [
        BEGIN,
        ("a_feed_fails", {"asset": 0, "how": "dead"}),
        ("one_price_gaps", {"asset": 0, "move": 0.0}),
        ("a_bidder_bids", {"first": 0, "part": 1.0}),
    ]
    relive(kind, steps)


CENT: dict[str, Any] = {"who": "bob", "assets": 10_000}


def test_replay__in_a_round_from_which_a_signer_has_left__is_a_post_like_any(relive: Relive) -> None:
    """EQ-149: the same words of those who are left; the machine had expected a refusal."""
    relive(
        "unlevered",
        [
            ("begins", {"invested": True, "settle": 600, "fees": "highest", "governed": False}),
            ("minutes_pass", {"seconds": 3600}),
            ("a_majority_lies", {"factor": 0.2}),
            ("the_guardian_removes_a_signer", {"index": 3}),
            ("an_adversary_posts", {"level": 1.0, "trick": "replay"}),
        ],
    )
