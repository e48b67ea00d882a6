"""What auctions may give away in a day."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.client.config import AuctionConfig
from equipoise.units import DAY, WAD
from tests.fixtures.system import FUZZ, MAX, System

SMALL = {"loss_budget": 0.001, "end_discount": 0.01, "start_premium": 0.0}


@pytest.fixture
def tight(system: System) -> System:
    """100,000 in cash, an auction at its last second: 1 % off, and a budget of 0.1 % a day."""
    system.auction.send("setParams", AuctionConfig(**SMALL).params(), sender=system.owner)
    system.deposit(system.alice, 100_000)
    reopen(system)
    return system


def reopen(s: System) -> None:
    s.open()
    s.warp(s.auction.call("current").endsAt - s.now() - 100)


def bid_args(s: System, amount: int = MAX) -> tuple[Any, ...]:
    return s.auction.call("current").id, s.cash, s.tokens[2], amount, MAX, s.keeper


def test_bid__beyond_the_budget__is_refused(tight: System) -> None:
    """EQ-84: a lot of 30 % at 1 % off would cost 0.3 % of NAV; quoteBid says so too."""
    revert = tight.refuses(
        "RebalanceAuction__LossBudgetExceeded",
        tight.auction,
        "bid",
        *bid_args(tight),
        sender=tight.keeper,
    )
    loss, budget = revert.arguments
    assert budget == 0.001 * WAD
    assert loss == pytest.approx(0.003 * WAD, rel=0.05)
    quote = (tight.cash, tight.tokens[2], MAX)
    error = "RebalanceAuction__LossBudgetExceeded"
    tight.refuses(error, tight.auction, "quoteBid", *quote, sender=tight.keeper)


def test_bid__split_into_many__spends_the_same_budget(tight: System) -> None:
    """EQ-84: crumbs add up: what a hundred bids take is what one could have taken."""
    price = tight.share_price()
    for _ in range(60):
        unless = ["RebalanceAuction__LossBudgetExceeded"]
        args = bid_args(tight, tight.units(300))
        tight.attempt(tight.auction, "bid", *args, sender=tight.keeper, unless=unless)
    assert tight.share_price() >= price * (1 - 0.001) - 1e9
    used, budget = tight.auction.call("lossBudget")
    assert 0.9 * budget < used <= budget


def test_bid__a_premium_before__earns_no_right_to_lose(tight: System) -> None:
    """EQ-84: gains at a premium do not refill the bucket."""
    s = tight
    s.bid(s.cash, s.tokens[2], s.units(9_000))
    used = s.auction.call("lossBudget")[0]
    s.warp(200)
    s.auction.send("setParams", AuctionConfig(**{**SMALL, "start_premium": 0.05}).params(), sender=s.owner)
    s.open()
    s.bid(s.cash, s.tokens[2], s.units(5_000))
    drained = 0.001 * WAD * 210 / DAY
    assert used - drained * 2 <= s.auction.call("lossBudget")[0] <= used


def test_loss_budget__a_day_later__is_full_again(tight: System) -> None:
    """EQ-84: the bucket drains at one budget a day."""
    s = tight
    s.bid(s.cash, s.tokens[2], s.units(9_000))
    used, budget = s.auction.call("lossBudget")
    s.warp(DAY // 2)
    assert s.auction.call("lossBudget")[0] == pytest.approx(used - budget / 2, rel=1e-3)
    s.warp(DAY // 2)
    assert s.auction.call("lossBudget")[0] == 0


def test_loss_budget__nav_swollen_by_a_deposit__neither_widens_nor_sticks(tight: System) -> None:
    """EQ-84: a share loses no more than the budget, and whoever left leaves no debt behind."""
    s = tight
    price = s.share_price()
    s.deposit(s.mallory, 5_000_000)
    for _ in range(12):
        s.attempt(
            s.auction,
            "bid",
            *bid_args(s, s.units(50_000)),
            sender=s.keeper,
            unless=["RebalanceAuction__LossBudgetExceeded"],
        )
    assert s.share_price() >= price * (1 - 0.001)
    used, budget = s.auction.call("lossBudget")
    assert used > budget / 2
    s.vault.send("redeemInKind", s.shares(s.mallory), s.mallory, s.mallory, [], sender=s.mallory)
    assert s.auction.call("lossBudget")[0] <= budget
    s.warp(DAY)
    assert s.auction.call("lossBudget")[0] == 0


@FUZZ
@given(steps=st.lists(st.tuples(st.integers(0, 2 * 3_600), st.integers(1, 20_000)), min_size=4, max_size=14))
def test_loss__any_bids_in_a_day__stays_under_two_budgets(
    tight: System, steps: list[tuple[int, int]]
) -> None:
    """EQ-84: a bucket that was full and drains all day bounds any window of a day by two budgets."""
    s = tight
    with s.scenario():
        losses: list[tuple[int, float]] = []
        for wait, usd in steps:
            s.warp(wait + 1)
            current = s.auction.call("current")
            if s.now() >= current.endsAt and s.auction.call("riskState").reason:
                reopen(s)
            unless = [
                f"RebalanceAuction__{e}"
                for e in ("LossBudgetExceeded", "NotOpen", "LotExceeded", "ZeroAmount")
            ]
            args = bid_args(s, s.units(usd))
            receipt = s.attempt(s.auction, "bid", *args, sender=s.keeper, unless=unless)
            if receipt:
                bid = s.auction.events(receipt, "Bid")[0]
                nav = s.vault.call("portfolio").navWad
                losses.append((s.now(), max(0, bid.sellValueWad - bid.buyValueWad) / nav))
        for end, _ in losses:
            assert sum(loss for at, loss in losses if end - DAY < at <= end) <= 0.002
