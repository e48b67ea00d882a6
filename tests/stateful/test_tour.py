"""A tour through every rule: one that could never get its way would be a defect of the machine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.stateful.steps import TALLY, never_done, table

Steps = list[tuple[str, dict[str, Any]]]

FLAT = [1.0] * 5
QUIET: Steps = [("a_quiet_day", {"level": 1.0, "moment": 0.6})]
DRAIN = ("liquidity_leaves_or_returns", {"token": 1, "utilisation": 0.97})
COMMON: Steps = [
    ("begins", {"invested": True, "fees": "usual", "settle": 600}),
    ("deposit", {"who": "bob", "assets": 10**11}),
    ("mint", {"who": "mallory", "assets": 10**10, "dust": 7}),
    ("withdraw", {"who": "bob", "assets": 10**9}),
    ("redeem", {"who": "mallory", "part": 0.1}),
    ("redeem_what_is_allowed", {"who": "bob", "part": 0.1}),
    ("redeem_in_kind", {"who": "alice", "part": 0.01, "skip": [1]}),
    ("zap", {"who": "bob", "part": 0.2, "fee": 1}),
    ("a_busy_block", {"moves": [("deposit", "bob", 10**9, 1.0), ("redeem in kind", "bob", 0, 0.5)]}),
    ("no_round_trip_profits", {"moves": [("redeem", 10**9, 0.5), ("gift", 5, 0.0)]}),
    ("prices_drift", {"moves": [0.01, -0.01, 0.02]}),
    ("prices_gap", {"common": 0.05, "own": [0.0, 0.01, 0.0]}),
    ("one_price_gaps", {"asset": 0, "move": 0.1}),
    ("cash_leaves_its_peg", {"to": 0.97}),
    ("a_feed_fails", {"asset": 1, "how": "dead"}),
    ("feeds_recover", {}),
    ("minutes_pass", {"seconds": 700}),
    ("days_pass", {"days": 1, "fresh": True}),
    ("a_pool_is_pushed", {"asset": 0, "buy": True, "usd": 1_000_000}),
    ("pools_come_back", {}),
    ("honest_signers_report", {"level": 1.1, "noise": FLAT, "age": 0, "absent": 1}),
    ("minutes_pass", {"seconds": 700}),
    (
        "liars_are_outvoted",
        {"lie": 40.0, "level": 1.0, "first": True, "before": "the honest, then more liars", "late": True},
    ),
    ("minutes_pass", {"seconds": 700}),
    ("a_majority_lies", {"factor": 3.0}),
    ("an_adversary_posts", {"trick": "few", "level": 1.0}),
    ("signers_cosign_correlations", {"pairs": [0.3, 0.2, 0.1], "few": False, "solved_here": True}),
    ("anybody_posts_coordinates", {"kind": "right", "asset": 0, "missing": True}),
    ("budgets_change", {"parts": [0.5, 0.3, 0.4]}),
    ("anybody_has_the_chain_solve", {}),
    ("days_pass", {"days": 1, "fresh": True}),
    ("anybody_pokes", {"parity": False}),
    *QUIET,
    ("minutes_pass", {"seconds": 5 * 3_600}),
    ("prices_gap", {"common": 0.0, "own": [0.3, 0.0, -0.2]}),
    ("anybody_opens", {}),
    ("the_curve_falls", {"moment": 0.5}),
    ("a_bidder_bids", {"first": 2, "part": 0.3}),
    ("a_bidder_takes_the_basket", {"parts": [0.1, 0.1, 0.1], "only": None}),
    ("the_filler_fills", {"asset": 0, "sell": True, "part": 0.01, "moment": 1.0, "fair": True}),
    ("keepers_rebalance", {"moment": 1.0, "lots": 6}),
    ("tokens_are_donated", {"token": 4, "amount": 10**6, "to": "zap"}),
    ("the_guardian_pauses_or_the_owner_unpauses", {"what": "pauseDeposits"}),
    ("the_deposit_cap_changes", {"cap": 9 * 10**13, "by_guardian": False}),
    ("the_guardian_removes_a_signer", {"index": 2}),
    ("a_signer_is_proposed_and_activated", {"index": 0, "patient": True}),
    ("fees_change", {"parts": [0.1, 0.2, 0.3, 0.4], "beyond": False}),
    ("feeds_recover", {}),
    ("fees_change", {"parts": [0.1, 0.2, 0.3, 0.4], "beyond": False}),
    ("anybody_accrues_fees", {}),
    ("a_feeds_spread_changes", {"asset": 0, "spread": 10}),
    ("a_thief_tries_a_lever", {"choice": 0, "who": "mallory"}),
    ("the_guards_terms_change", {"parts": [0.5, 0.5, 0.5], "ages": 1.0}),
    (
        "the_auctions_terms_change",
        {"risk": 0.3, "leverage": 2.0, "budget": 0.005, "curve": (0.01, 0.01), "duration": 1800},
    ),
    ("the_oracles_terms_change", {"settle": 0, "fall": 1.0}),
    *QUIET,
    ("an_asset_is_replaced", {"out": 0, "moment": 0.4}),
    ("the_basket_changes", {"order": [0, 1, 2, 3], "count": 3, "leave": "none", "settle": False}),
    *QUIET,
    *QUIET,
    ("what_is_sold_is_dropped", {}),
]
VOTES: Steps = [
    ("begins", {"invested": True, "fees": "none", "settle": 0, "governed": True}),
    ("deposit", {"who": "bob", "assets": 10**11}),
    ("a_holder_wraps", {"who": "bob", "part": 1.0}),
    ("a_holder_delegates", {"who": "bob", "to": "mallory"}),
    ("minutes_pass", {"seconds": 1}),
    ("fees_change", {"parts": [0.1, 0.2, 0.3, 0.4], "beyond": False}),
    ("a_vote_draws_on", {"which": 0, "late": True}),
    ("a_holder_votes", {"who": "mallory", "which": 0, "support": "AGAINST"}),
    ("a_holder_votes", {"who": "alice", "which": 0, "support": "FOR"}),
    ("a_vote_draws_on", {"which": 0, "late": True}),
    ("anybody_queues", {"which": 0}),
    ("a_holder_unwraps", {"who": "bob", "part": 0.5}),
    ("a_vote_draws_on", {"which": 0, "late": True}),
    ("feeds_recover", {}),
    ("anybody_executes", {"which": 0}),
    ("somebody_proposes_an_outrage", {"who": "alice", "choice": 0}),
    ("somebody_cancels", {"who": "alice", "which": 0}),
    ("governances_terms_change", {"setting": "quorum_wad", "part": 0.0, "beyond": False}),
    ("a_proposal_goes_its_way", {"which": 0, "to": "the end"}),
    ("shareholders_give_up", {"power": "setFees"}),
    ("a_vote_draws_on", {"which": 0, "late": True}),
    ("a_holder_votes", {"who": "alice", "which": 0, "support": "FOR"}),
    ("a_vote_draws_on", {"which": 0, "late": True}),
    ("anybody_queues", {"which": 0}),
    ("the_guardian_vetoes", {"which": 0}),
]
OF_DEBT: Steps = [
    ("receipts_are_donated", {"token": 1, "amount": 10**12}),
    ("somebody_repays", {"amount": 10**6}),
    DRAIN,
    ("liquidity_leaves_or_returns", {"token": 1, "utilisation": 0.2}),
    ("a_reserve_freezes_or_thaws", {"token": 0, "on": True}),
    ("a_reserve_freezes_or_thaws", {"token": 0, "on": False}),
    ("a_stranger_switches_collateral", {"token": 0, "drop": False}),
    *QUIET,
    ("purchases_meet_a_rising_bar", {"fresh": 0.5, "margin": 0.0}),
    *QUIET,
    ("a_crash_comes", {"to": 1.4}),
    ("anybody_pulls_the_ripcord", {"crash": True}),
    ("the_ripcord_saves", {"moment": 0.2, "to": 0.9}),
    *QUIET,
    ("a_liquidator_comes", {"to": 0.95}),
]


def test_tour__of_the_levered_vault__sees_every_rule_done(relive: Callable[[str, Steps], Any]) -> None:
    TALLY.clear()
    relive("levered", COMMON + OF_DEBT)
    relive("levered", VOTES)
    assert never_done(TALLY, levered=True) == set(), "\n".join(table())


def test_tour__of_the_unlevered_vault__sees_every_rule_done(relive: Callable[[str, Steps], Any]) -> None:
    TALLY.clear()
    relive("unlevered", COMMON)
    relive("unlevered", VOTES)
    assert never_done(TALLY, levered=False) == set(), "\n".join(table())
