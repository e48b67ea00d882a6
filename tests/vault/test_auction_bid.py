"""Bids: the curve, the lots, the mode, and where a full rebalance ends."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import mpmath
import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.client.config import AuctionConfig
from equipoise.policy.auction import PriceCurve
from equipoise.units import WAD
from tests.fixtures.system import FUZZ, MAX, System

NOBODY = "0x" + "00" * 20


@pytest.fixture
def unbalanced(invested: System) -> System:
    """An open auction: asset 0 has doubled, asset 1 halved, asset 2 rests."""
    invested.move([1.0, -0.5, 0.0])
    invested.open()
    return invested


def exposure(s: System, index: int) -> float:
    book = s.vault.call("portfolio")
    return float(book.valuesWad[index] / book.navWad)


@FUZZ
@given(
    premium=st.floats(0, 0.05),
    discount=st.floats(0, 0.02),
    part=st.floats(0, 1),
    duration=st.integers(60, 86_400),
)
def test_curve__any_parameters__is_the_exponential_of_the_paper(
    unbalanced: System, premium: float, discount: float, part: float, duration: int
) -> None:
    """EQ-82: exp(-ln(P0/P1) t/T) to 1e-12 by mpmath, and inside its ends always."""
    s = unbalanced
    with s.scenario():
        config = AuctionConfig(start_premium=premium, end_discount=discount, duration=duration)
        s.auction.send("setParams", config.params(), sender=s.owner)
        s.warp(3_000)
        s.open()
        auction, params = s.auction.call("current"), s.auction.call("params")
        start, end = WAD + params.startPremiumWad, WAD - params.endDiscountWad
        elapsed = int(part * duration)
        price = s.auction.call("curveWad", auction.startedAt + elapsed)
        with mpmath.workdps(40):
            exact = start * mpmath.exp(-mpmath.log(mpmath.mpf(start) / end) * elapsed / duration)
        assert end <= price <= start
        assert price == pytest.approx(float(exact), rel=1e-12)
        assert price / WAD == pytest.approx(PriceCurve(start / WAD, end / WAD, duration).price(elapsed))


def test_curve__outside_the_auction__stays_at_its_ends(unbalanced: System) -> None:
    """EQ-82: the start premium before, the end discount after."""
    auction, params = unbalanced.auction.call("current"), unbalanced.auction.call("params")
    start, end = WAD + params.startPremiumWad, WAD - params.endDiscountWad
    assert unbalanced.auction.call("curveWad", 0) == start
    assert unbalanced.auction.call("curveWad", auction.endsAt) == end
    assert unbalanced.auction.call("curveWad", auction.endsAt + 10**6) == end


@FUZZ
@given(part=st.integers(1, 10**9), wait=st.integers(1, 1_790), pair=st.sampled_from([(0, 3), (3, 1), (0, 1)]))
def test_bid__any_amount_at_any_time__pays_mid_times_curve_rounded_up(
    unbalanced: System, part: int, wait: int, pair: tuple[int, int]
) -> None:
    """EQ-82: in exact integers, and never more than a wei above what is due."""
    s = unbalanced
    with s.scenario():
        s.warp(wait)
        tokens = [*s.tokens, s.cash]
        units = [10**d for d in (*s.decimals, s.cash_decimals)]
        mids = [s.feeds[i].call("answer") for i in range(3)] + [s.cash_feed.call("answer")]
        sell, buy = pair
        lot = s.auction.call("quoteBid", tokens[sell], tokens[buy], MAX).sold
        event = s.bid(tokens[sell], tokens[buy], max(1, lot * part // 10**9))
        curve = s.auction.call("curveWad", s.now())
        due = Fraction(event.sellAmount * mids[sell] * curve * units[buy], units[sell] * WAD * mids[buy])
        assert due <= event.buyAmount <= due * (1 + Fraction(1, 10**12)) + 1


def test_bid__for_a_cheap_token__is_rounded_up_to_its_last_digit(make_system: Callable[..., System]) -> None:
    """EQ-82: a wei of the bought token is far below 1e-18 USD; every division still favours the vault."""
    s = make_system(decimals=(18, 18), prices=(0.003, 7.0), vols=(0.3, 0.3))
    s.deposit(s.alice, 100_000)
    s.open()
    mid = s.feeds[0].call("answer")
    for amount in (1, 7, 1_234_567, 10**6 + 3, 99_999_999):
        event = s.bid(s.cash, s.tokens[0], amount)
        curve = s.auction.call("curveWad", s.now())
        assert event.buyAmount >= Fraction(amount * 10**8 * curve * 10**18, 10**6 * WAD * mid)


def test_bid__a_wei_of_a_cheap_token__is_not_free(make_system: Callable[..., System]) -> None:
    """EQ-82: also where the sold wei itself is worth less than 1e-18 USD."""
    s = make_system(decimals=(18, 18), prices=(0.003, 0.004), vols=(0.3, 0.3))
    s.deposit(s.alice, 10_000)
    s.rebalance()
    s.move([1.0, -0.5])
    s.open()
    for amount in (1, 2, 3, 1_001):
        event = s.bid(s.tokens[0], s.tokens[1], amount)
        assert event.buyAmount >= 3 * amount


def test_bid__the_whole_lot__stops_at_the_targets(unbalanced: System) -> None:
    """EQ-83: a surplus ends at its target, and so does a deficit, also at the premium."""
    s = unbalanced
    targets = [t / WAD for t in s.auction.call("targetExposures").targetsWad]
    s.bid(s.tokens[0], s.cash)
    assert exposure(s, 0) == pytest.approx(targets[0], rel=2e-3)
    s.bid(s.cash, s.tokens[1])
    assert exposure(s, 1) <= targets[1] * (1 + 1e-6)
    assert exposure(s, 1) == pytest.approx(targets[1], rel=2e-3)


def test_bid__at_a_premium__buys_no_more_than_the_deficit(invested: System) -> None:
    """EQ-83: at 5 % above mid the payment, not the lot, is worth the deficit."""
    s = invested
    params = AuctionConfig(start_premium=0.05).params()
    s.auction.send("setParams", params, sender=s.owner)
    s.move([0.0, -0.5, 0.0])
    s.open()
    deficit = 0.5 * s.auction.call("riskState").targetsWad[1] * s.vault.call("portfolio").navWad // WAD
    event = s.bid(s.cash, s.tokens[1])
    assert event.buyValueWad <= 1.06 * deficit
    state = s.auction.call("riskState")
    assert state.exposuresWad[1] <= state.targetsWad[1] + 10**10 * 2


def test_bid__settled__is_told_by_the_vault_too(unbalanced: System) -> None:
    """Who paid, who received, what went and what came, in the order of its book."""
    s = unbalanced
    auction, lot = s.auction.call("current").id, s.auction.call("quoteBid", s.tokens[0], s.cash, MAX)
    receipt = s.auction.send("bid", auction, s.tokens[0], s.cash, MAX, MAX, s.bob, sender=s.keeper)
    (bid,), (event,) = s.auction.events(receipt, "Bid"), s.vault.events(receipt, "Exchanged")
    assert [event.payer.lower(), event.receiver.lower()] == [s.keeper.lower(), s.bob.lower()]
    assert (event.sold, event.buyIndex, event.bought) == ([lot.sold, 0, 0, 0], 3, bid.buyAmount)


def test_bid__more_than_the_lot__is_refused(unbalanced: System) -> None:
    """EQ-83: nor a wei of what is under its target, nor into what is above it."""
    s = unbalanced
    a, now = s.auction, s.auction.call("current").id
    lot = a.call("quoteBid", s.tokens[0], s.cash, MAX).sold
    args = (s.cash, lot * 101 // 100, MAX, s.keeper)
    s.refuses("RebalanceAuction__LotExceeded", a, "bid", now, s.tokens[0], *args, sender=s.keeper)
    for sell, buy in ((s.tokens[1], s.cash), (s.cash, s.tokens[0])):
        args = (now, sell, buy, 10**6, MAX, s.keeper)
        s.refuses("RebalanceAuction__LotExceeded", a, "bid", *args, sender=s.keeper)
        args = (now, sell, buy, MAX, MAX, s.keeper)
        s.refuses("RebalanceAuction__ZeroAmount", a, "bid", *args, sender=s.keeper)


def test_bid__more_cash_than_there_is__is_refused(invested: System) -> None:
    """EQ-83: after a big redemption the cash, not the deficit, is the lot."""
    s = invested
    most = s.vault.call("maxWithdraw", s.alice)
    s.vault.send("withdraw", most - 10**6, s.alice, s.alice, sender=s.alice)
    s.move([0.0, -0.9, -0.9])
    s.open()
    assert s.auction.call("quoteBid", s.cash, s.tokens[1], MAX).sold <= s.balances()[-1] == 10**6


def test_bid__bad_arguments__are_refused(unbalanced: System) -> None:
    """EQ-83: what is named must exist, differ, be something, and be for somebody."""
    s = unbalanced
    a, now, me = s.auction, s.auction.call("current").id, s.keeper
    token, cash = s.tokens[0], s.cash
    for error, args in {
        "RebalanceAuction__NotOpen": (now + 1, token, cash, 1, MAX, me),
        "RebalanceAuction__ZeroAddress": (now, token, cash, 1, MAX, NOBODY),
        "RebalanceAuction__SameToken": (now, cash, cash, 1, MAX, me),
        "RebalanceAuction__UnknownToken": (now, token, s.impostor, 1, MAX, me),
        "RebalanceAuction__ZeroAmount": (now, token, cash, 0, MAX, me),
        "RebalanceAuction__BidTooDear": (now, token, cash, 10**15, 1, me),
    }.items():
        s.refuses(error, a, "bid", *args, sender=me)
    s.refuses("RebalanceAuction__NotOpen", a, "bid", 0, token, cash, 1, MAX, me, sender=me)


def test_bid__after_the_last_second__is_refused(unbalanced: System) -> None:
    """EQ-80: the last second counts, the next does not; quoteBid agrees."""
    s = unbalanced
    auction = s.auction.call("current")
    s.warp(auction.endsAt - s.now() - 1)
    with s.scenario():
        s.bid(s.tokens[0], s.cash, 10**15)
        assert s.now() == auction.endsAt
    s.warp(1)
    args = (auction.id, s.tokens[0], s.cash, 1, MAX, s.keeper)
    s.refuses("RebalanceAuction__NotOpen", s.auction, "bid", *args, sender=s.keeper)
    quote = (s.tokens[0], s.cash, 1)
    s.refuses("RebalanceAuction__NotOpen", s.auction, "quoteBid", *quote, sender=s.keeper)


def test_bid__without_the_means_to_pay__is_refused(unbalanced: System) -> None:
    """EQ-82: the bidder pays first."""
    s = unbalanced
    poor = s.treasury
    args = (s.auction.call("current").id, s.tokens[0], s.cash, 10**15, MAX, poor)
    s.refuses("ERC20InsufficientAllowance", s.auction, "bid", *args, sender=poor)


@pytest.mark.parametrize("why", ["paused", "stale", "ancient", "no coordinates"])
def test_bid__outside_normal__only_brings_cash(unbalanced: System, why: str) -> None:
    """EQ-85: a surplus may be sold for cash; nothing may be bought, not even for another surplus."""
    s = unbalanced
    if why == "paused":
        s.guard.send("pauseIncreases", sender=s.guardian)
    elif why == "no coordinates":
        word = 34_000_000 | 33_000_000 << 32 | 33_000_000 << 64
        s.volatility_oracle.send("setBudgets", word, sender=s.owner)
    else:
        s.warp({"stale": 40, "ancient": 100}[why] * 3_600)
        s.open()
    now = s.auction.call("current").id
    for sell in (s.cash, s.tokens[0]):
        args = (now, sell, s.tokens[1], 10**4, MAX, s.keeper)
        s.refuses("RebalanceAuction__OnlyCashBought", s.auction, "bid", *args, sender=s.keeper)
    s.bid(s.tokens[0], s.cash, 10**15)


def test_bid__dead_price__is_refused(unbalanced: System) -> None:
    """EQ-82: no mid, no bid."""
    s = unbalanced
    s.feeds[2].send("set", -1, 0, sender=s.keeper)
    args = (s.auction.call("current").id, s.tokens[0], s.cash, 10**15, MAX, s.keeper)
    s.refuses("PriceOracle__NonPositivePrice", s.auction, "bid", *args, sender=s.keeper)


def test_quote_bid__whole_lot__is_what_the_bid_does(unbalanced: System) -> None:
    """EQ-82: a filler may rely on the quote of the same second."""
    s = unbalanced
    args = (s.tokens[0], s.tokens[1], MAX)
    bid = (s.auction.call("current").id, *args, MAX, s.keeper)
    assert tuple(s.auction.call("quoteBid", *args)) == tuple(s.auction.call("bid", *bid, sender=s.keeper))


@FUZZ
@given(
    moves=st.lists(st.floats(-0.7, 1.5), min_size=3, max_size=3),
    factor=st.sampled_from([1.01, 1.0, 0.9975]),
)
def test_rebalance__any_prices__ends_within_the_bands(
    invested: System, moves: list[float], factor: float
) -> None:
    """EQ-86: when every lot is filled the gap lies in its band and the volatility near its target."""
    s = invested
    with s.scenario():
        s.move(moves)
        if s.auction.call("riskState").reason == 0:
            return
        s.rebalance(factor)
        state, params = s.auction.call("riskState"), s.auction.call("params")
        assert state.reason == 0
        assert state.parityGapWad <= params.parityBandWad / 10
        assert state.volatilityWad == pytest.approx(state.targetVolatilityWad, rel=0.02)


@pytest.mark.parametrize("decimals", [(0, 6), (8, 18), (18, 0, 6, 8, 18, 2, 12, 8)], ids=str)
def test_rebalance__any_token_decimals__ends_within_the_bands(
    make_system: Callable[..., System], decimals: tuple[int, ...]
) -> None:
    """EQ-86: also for tokens without decimals, as finely as whole tokens allow."""
    n = len(decimals)
    s = make_system(
        decimals=decimals, prices=(25.0,) * n, vols=tuple(0.3 + 0.1 * i for i in range(n)), correlation=0.3
    )
    s.deposit(s.alice, 1_000_000)
    s.rebalance()
    state = s.auction.call("riskState")
    assert state.reason == 0
    assert state.parityGapWad < 10**15
    s.vault.send("redeemInKind", s.shares(s.alice), s.alice, s.alice, [], sender=s.alice)
