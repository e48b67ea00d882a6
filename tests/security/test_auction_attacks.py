"""Games around an auction: swollen lots, dust, stale targets, spam, cheap tokens."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.client.config import AuctionConfig, FeesConfig
from tests.fixtures.system import FUZZ, MAX, System

UNLESS = [
    "RebalanceAuction__LossBudgetExceeded",
    "RebalanceAuction__ZeroAmount",
    "RebalanceAuction__LotExceeded",
]


@FUZZ
@given(usd=st.floats(1_000, 5_000_000), parts=st.integers(1, 5), in_kind=st.booleans())
def test_deposit__to_swell_the_lots__takes_no_more_than_the_loss_budget(
    system: System, usd: float, parts: int, in_kind: bool
) -> None:
    """EQ-84: deposit, sell into the bigger deficits at the full discount, leave, all in one block.

    What the thief gains is what the other holders lose, and that is bounded by the budget on their own part.
    """
    s = system
    with s.scenario():
        s.vault.send("setFees", FeesConfig(0, 0).params(), s.treasury, sender=s.owner)
        s.deposit(s.alice, 100_000)
        s.open()
        s.warp(s.auction.call("current").endsAt - s.now() - 1)
        worth = s.vault.call("convertToAssets", s.shares(s.alice))
        before = pockets(s)
        with s.one_block():
            s.deposit(s.keeper, usd)
            for token in s.tokens:
                lot = s.attempt(s.auction, "quoteBid", s.cash, token, MAX, sender=s.keeper, unless=UNLESS)
                amount = s.units(usd * 0.3 / parts) if lot is None else MAX
                args = (s.auction.call("current").id, s.cash, token, amount, MAX, s.keeper)
                s.attempt(s.auction, "bid", *args, sender=s.keeper, unless=UNLESS)
            leave(s, in_kind)
        budget = s.auction.call("params").lossBudgetWad / 1e18
        lost = worth - s.vault.call("convertToAssets", s.shares(s.alice))
        assert lost <= worth * budget + 2
        units = [10**d for d in (*s.decimals, s.cash_decimals)]
        prices = [*(s.price(i) for i in range(3)), 1.0]
        deltas = [b - a for a, b in zip(before, pockets(s), strict=True)]
        gain = sum(d / u * p for d, u, p in zip(deltas, units, prices, strict=True))
        assert 0 < gain <= 100_000 * budget + 0.01


def pockets(s: System) -> list[int]:
    """The keeper's tokens, cash last; integers, for its pockets are deep."""
    return [token.call("balanceOf", s.keeper) for token in [*s.tokens, s.cash]]


def leave(s: System, in_kind: bool) -> None:
    me = s.keeper
    if not in_kind:
        s.vault.send("redeem", s.vault.call("maxRedeem", me), me, me, sender=me)
    if s.shares(me):
        s.vault.send("redeemInKind", s.shares(me), me, me, [], sender=me)


@pytest.mark.parametrize("amount", [1, 7, 999])
def test_bid__dust_by_the_hundred__never_lowers_the_share_price_above_mid(
    invested: System, amount: int
) -> None:
    """EQ-82: rounding is the vault's, also when a wei of a dear token is bought for a wei of a cheap one."""
    s = invested
    s.move([1.0, -0.5, 0.0])
    s.open()
    price = s.share_price()
    for sell, buy in ((s.tokens[0], s.cash), (s.tokens[0], s.tokens[1]), (s.cash, s.tokens[1])):
        for _ in range(5):
            s.bid(sell, buy, amount)
            assert s.share_price() >= price
            price = s.share_price()


def test_bid__targets_older_than_a_new_report__end_with_the_auction(invested: System) -> None:
    """EQ-81: the snapshot holds until the auction ends, at most its duration; the next one is new."""
    s = invested
    s.move([-0.4, 0.0, 0.0])
    s.open()
    old = s.auction.call("current").targets
    s.post_volatilities([v * 2 for v in s.vols])
    assert s.auction.call("current").targets == old
    s.to_curve(1.0)
    s.fill_all()
    s.warp(s.auction.call("current").endsAt - s.now())
    assert s.auction.call("riskState").reason == 3
    s.rebalance()
    assert s.auction.call("riskState").reason == 0
    assert s.auction.call("current").targets < old


def test_bid__guardian_pauses_in_the_middle__nothing_more_is_bought(invested: System) -> None:
    """EQ-85: the answer to a bad report in the middle of an auction is the guardian's, at once."""
    s = invested
    s.move([-0.4, 0.0, 0.0])
    s.open()
    s.bid(s.cash, s.tokens[0], 10**6)
    s.guard.send("pauseIncreases", sender=s.guardian)
    args = (s.auction.call("current").id, s.cash, s.tokens[0], 10**6, MAX, s.keeper)
    s.refuses("RebalanceAuction__OnlyCashBought", s.auction, "bid", *args, sender=s.keeper)


def test_open__spam_by_a_stranger__never_stops_a_rebalance(invested: System) -> None:
    """EQ-80: whoever opens, the auction is the same, and anybody fills it."""
    s = invested
    s.move([1.0, -0.5, 0.0])
    for _ in range(3):
        s.auction.send("open", sender=s.mallory)
        s.warp(s.auction.call("current").endsAt - s.now())
    s.auction.send("open", sender=s.mallory)
    s.to_curve(1.0)
    s.fill_all()
    assert s.auction.call("riskState").reason == 0
    s.warp(2_000)
    s.refuses("RebalanceAuction__WithinBands", s.auction, "open", sender=s.mallory)


def test_bid__token_too_cheap_for_the_books__is_refused_and_exits_go_on(
    make_system: Callable[..., System],
) -> None:
    """EQ-61: 2^96 smallest units are the end of a book entry: a bid beyond reverts, nothing wraps."""
    s = make_system(decimals=(18, 18), prices=(1e-5, 2_000.0), vols=(0.2, 0.2), deposit_cap=9e6)
    s.tokens[0].send("mint", s.keeper, 10**33, sender=s.owner)
    s.deposit(s.alice, 8_000_000)
    s.open()
    s.to_curve(1.0)
    args = (s.auction.call("current").id, s.cash, s.tokens[0], MAX, MAX, s.keeper)
    s.refuses("SafeCastOverflowedUintDowncast", s.auction, "bid", *args, sender=s.keeper)
    s.bid(s.cash, s.tokens[0], s.units(500_000))
    s.vault.send("redeemInKind", s.shares(s.alice), s.alice, s.alice, [], sender=s.alice)


def test_set_params__in_the_middle__moves_the_curve_inside_its_hard_bounds_only(invested: System) -> None:
    """EQ-82: the owner cannot sell the vault's assets for less than 2 % under mid, whenever it acts."""
    s = invested
    s.move([1.0, 0.0, 0.0])
    s.open()
    params = AuctionConfig(end_discount=0.02, loss_budget=0.02).params()
    s.auction.send("setParams", params, sender=s.owner)
    s.warp(s.auction.call("current").endsAt - s.now() - 1)
    event = s.bid(s.tokens[0], s.cash, 10**17)
    assert event.buyValueWad >= event.sellValueWad * 98 // 100
