"""The ripcord: when it may be pulled, what it sells, and when it is over."""

from __future__ import annotations

import pytest

from equipoise.errors import ContractRevert
from equipoise.units import WAD
from tests.fixtures.levered import Levered
from tests.fixtures.system import MAX, System

DELEVER_ONLY = 2
HOUR = 3_600


def test_ripcord__at_the_trigger__is_refused_until_below_it(levered: Levered) -> None:
    """EQ-132: RebalanceAuction__RipcordNotDue at 1.3, a start just below it."""
    s = levered
    s.to_health(1.3005)
    s.refuses("RebalanceAuction__RipcordNotDue", s.auction, "ripcord", sender=s.mallory)
    s.to_health(1.2995)
    s.auction.send("ripcord", sender=s.mallory)
    current = s.auction.call("current")
    assert current.ripcord
    assert current.endsAt - current.startedAt == 4 * 900
    args = (current.id, s.cash, s.tokens[0], 1, MAX, s.keeper)
    s.refuses("RebalanceAuction__OnlyCashBought", s.auction, "bid", *args, sender=s.keeper)


def test_ripcord__silent_signers__brings_the_target_back(levered: Levered) -> None:
    """EQ-132: with the volatility oracle dead and prices alive, already below the target."""
    s = levered
    s.warp(97 * HOUR)
    s.refresh_prices()
    s.to_health(1.55)
    s.pull()
    s.bid_basket()
    assert s.health() >= 1.6


@pytest.mark.parametrize("health", [0.97, 1.1, 1.29])
@pytest.mark.parametrize("cash", [0, 50_000])
def test_ripcord__some_idle_cash__sells_for_the_rest_of_the_debt(
    levered: Levered, cash: int, health: float
) -> None:
    """EQ-131: with the cash the whole lot ends at the target, and a thousandth less below it."""
    s = levered
    if cash:
        s.deposit(s.bob, cash)
    s.to_health(health)
    s.pull()
    s.warp(900)
    with s.scenario():
        lots = s.auction.call("quoteBasket", [MAX] * 3).sold[:3]
        s.bid_basket([lot - lot // 1_000 for lot in lots])
        assert s.balances()[-1] == 0
        assert s.health() < 1.6
    s.bid_basket()
    assert 1.6 <= s.health() <= 1.6 * (1 + 1e-5)
    assert s.balances()[-1] == 0 < s.debt()


@pytest.mark.parametrize("health", [1.1, 1.29])
@pytest.mark.parametrize("cash", [300_000, 1_000_000])
def test_ripcord__enough_idle_cash__sells_a_hundredth(levered: Levered, cash: int, health: float) -> None:
    """EQ-131: the cash restores the target alone, with any bid; a hundredth of each pays for its gas."""
    s = levered
    s.deposit(s.bob, cash)
    s.to_health(health)
    s.pull()
    s.warp(900)
    price, owed, *held = s.share_price(), s.debt(), *s.balances()
    book = s.vault.call("portfolio")
    loss = 0.03 * 0.01 * sum(book.valuesWad[:-1]) / book.navWad
    with s.scenario():
        s.bid_basket([1, 0, 0])
        assert s.health() >= 1.6
    s.bid_basket()
    assert s.health() >= 1.6
    assert s.debt() <= max(0, owed - held[-1])
    sold = [before - after for before, after in zip(held[:-1], s.balances()[:-1], strict=True)]
    assert sold == pytest.approx([amount / 100 for amount in held[:-1]], rel=1e-4, abs=2)
    assert s.share_price() >= price * (1 - loss - 1e-6)


@pytest.mark.parametrize("usd", [20, 1_000])
def test_ripcord__of_a_small_vault__is_done_with_a_second_bid(lending: Levered, usd: int) -> None:
    """EQ-131: units are coarse there; what rounding leaves below the target is no loop of dust bids."""
    s = lending
    s.deposit(s.alice, usd)
    s.lever()
    s.to_health(1.2)
    s.pull()
    s.bid_basket()
    if s.health() < 1.6:
        s.bid_basket()
    assert 1.6 <= s.health() <= 1.6 * 1.02


def test_ripcord__dead_price__is_refused_by_its_name(levered: Levered) -> None:
    """EQ-40: nothing is sold at a price that nobody knows."""
    s = levered
    s.to_health(1.2)
    s.pull()
    s.warp(26 * HOUR)
    with pytest.raises(ContractRevert) as caught:
        s.auction.call("quoteBasket", [MAX] * 3)
    assert caught.value.name in ("PriceOracle__StalePrice", "RebalanceAuction__NotOpen")


def test_ripcord__in_course__cannot_be_restarted_to_reset_its_discount(levered: Levered) -> None:
    """EQ-130 EQ-132: RebalanceAuction__AlreadyOpen for its hour; the discount rises from mid."""
    s = levered
    s.to_health(1.2)
    s.pull()
    started = s.auction.call("current").startedAt
    assert s.auction.call("curveWad", started) == WAD
    assert s.auction.call("curveWad", started + 450) == WAD - int(0.015 * WAD)
    assert s.auction.call("curveWad", started + 2_000) == WAD - int(0.03 * WAD)
    s.refuses("RebalanceAuction__AlreadyOpen", s.auction, "ripcord", sender=s.mallory)
    s.refuses("RebalanceAuction__AlreadyOpen", s.auction, "open", sender=s.mallory)


def test_ripcord__over__can_be_pulled_again(levered: Levered) -> None:
    """EQ-132: nobody bid within its hour; the next one begins at mid."""
    s = levered
    s.to_health(1.2)
    first = s.pull()
    s.warp(4 * 900 + 1)
    s.refresh_prices()
    assert s.pull() == first + 1
    assert s.auction.call("curveWad", s.now()) == WAD
    s.bid_basket()
    assert s.health() >= 1.6


def test_ripcord__silent_signers_but_healthy__is_not_due(levered: Levered) -> None:
    """EQ-132: reports too old for anything but less debt; at the target health there is nothing to save."""
    s = levered
    s.warp(97 * HOUR)
    s.refresh_prices()
    assert s.guard.call("riskMode") == DELEVER_ONLY
    s.to_health(1.601)
    s.refuses("RebalanceAuction__RipcordNotDue", s.auction, "ripcord", sender=s.mallory)
    s.to_health(1.599)
    s.pull()


def test_ripcord__nothing_left_of_the_equity__sells_nothing(levered: Levered) -> None:
    """EQ-133: RebalanceAuction__EmptyVault: what is left is the lender's; no discount helps there."""
    s = levered
    s.to_health(1.2)
    s.pull()
    book = s.vault.call("portfolio")
    owed = (book.debtWad - book.valuesWad[-1]) / sum(book.valuesWad[:-1])
    with s.scenario():
        s.crash(owed * 0.999 - 1)
        args = (s.auction.call("current").id, [MAX] * 3, MAX, s.keeper)
        s.refuses("RebalanceAuction__EmptyVault", s.auction, "bidBasket", *args, sender=s.keeper)
    s.crash(owed * 1.03 - 1)
    s.auction.call("quoteBasket", [MAX] * 3)


def test_ripcord__collateral_all_liquidated__sells_nothing(lending: Levered) -> None:
    """EQ-133: RebalanceAuction__EmptyVault with more cash than debt, too: there is nothing to sell."""
    s = lending
    params = s.auction.call("params")._replace(maxLeverageWad=WAD)
    s.auction.send("setParams", params, sender=s.owner)
    s.deposit(s.alice, 1_000_000)
    s.lever()
    s.crash(-0.99)
    assert s.aave.liquidate(s.account.address)
    *tokens, cash = s.balances()
    assert tokens == [0, 0, 0]
    assert cash > s.debt() > 0
    s.pull()
    args = (s.auction.call("current").id, [MAX] * 3, MAX, s.keeper)
    s.refuses("RebalanceAuction__EmptyVault", s.auction, "bidBasket", *args, sender=s.keeper)


def test_ripcord__done__gives_way_to_an_auction(levered: Levered) -> None:
    """EQ-132: its bids end with the target, and a regular auction need not wait for its hour."""
    s = levered
    s.to_health(1.2)
    s.pull()
    s.bid_basket()
    args = (s.auction.call("current").id, [MAX] * 3, MAX, s.keeper)
    s.refuses("RebalanceAuction__RipcordNotDue", s.auction, "bidBasket", *args, sender=s.keeper)
    s.post_volatilities([v * 3 for v in s.vols])
    s.open()
    assert not s.auction.call("current").ripcord


def test_ripcord__during_an_auction__takes_its_place(levered: Levered) -> None:
    """EQ-132: a crash does not wait for the end of a rebalance."""
    s = levered
    s.deposit(s.bob, 300_000)
    first = s.open()
    s.to_health(1.1)
    assert s.pull() == first + 1
    args = (first, s.tokens[0], s.cash, MAX, MAX, s.keeper)
    s.refuses("RebalanceAuction__NotOpen", s.auction, "bid", *args, sender=s.keeper)


def test_ripcord__below_one__needs_enough_of_the_basket(levered: Levered) -> None:
    """EQ-133: Aave lets nothing out below 1; a small bid is refused by it, the basket passes."""
    s = levered
    s.to_health(0.93)
    s.pull()
    args = (s.auction.call("current").id, s.tokens[1], s.cash, 10**15, MAX, s.keeper)
    s.refuses("LendingAccount__Refused", s.auction, "bid", *args, sender=s.keeper)
    s.bid_basket()
    assert s.health() >= 1.6


def test_bid_basket__bad_arguments__are_refused(levered: Levered, system: System) -> None:
    """EQ-87: RebalanceAuction__LengthMismatch and RebalanceAuction__NoLendingAccount."""
    s = levered
    s.to_health(1.2)
    s.pull()
    current = s.auction.call("current").id
    for amounts, error in (
        ([MAX] * 2, "RebalanceAuction__LengthMismatch"),
        ([0] * 3, "RebalanceAuction__ZeroAmount"),
        ([10**30, 0, 0], "RebalanceAuction__LotExceeded"),
    ):
        s.refuses(error, s.auction, "bidBasket", current, amounts, MAX, s.keeper, sender=s.keeper)
    s.refuses(
        "RebalanceAuction__BidTooDear",
        s.auction,
        "bidBasket",
        current,
        [MAX] * 3,
        1,
        s.keeper,
        sender=s.keeper,
    )
    system.refuses("RebalanceAuction__NoLendingAccount", system.auction, "ripcord", sender=system.keeper)


def test_bid_basket__in_a_regular_auction__sells_every_surplus_at_once(levered: Levered) -> None:
    """EQ-83: volatility doubles, everything is too much; one bid brings all of it to the debt."""
    s = levered
    s.post_volatilities([v * 2 for v in s.vols])
    s.open()
    s.to_curve(1.0)
    debt = s.debt()
    s.bid_basket()
    assert s.debt() < 0.6 * debt
    assert s.leverage() == pytest.approx(s.targets_met(), rel=1e-2)
