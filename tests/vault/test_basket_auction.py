"""Auctions across a change of the basket: what is new is bought, what is retired is sold."""

from __future__ import annotations

import pytest

from equipoise.units import WAD
from tests.fixtures.basket import CALLS, assets_of, change_basket, list_asset, send_changes
from tests.fixtures.system import MAX, System

NONE, RETIRING = 0, 4


def reported(s: System) -> System:
    s.warp(60)
    s.post_reports()
    return s


def test_new_asset__after_its_reports__is_bought_to_its_budget(invested: System) -> None:
    """EQ-95 EQ-86: the same auction as ever, towards four assets."""
    s, new = invested, list_asset(invested)
    changed = reported(change_basket(s, [*assets_of(s), new]))
    assert changed.auction.call("riskState").reason != NONE
    changed.rebalance()
    state = changed.auction.call("riskState")
    assert state.reason == NONE
    assert [share / WAD for share in state.sharesWad] == pytest.approx([0.25] * 4, abs=0.003)
    assert changed.vault.call("holdings").balances[3] > 0


def test_retired_asset__alone_out_of_place__opens_an_auction(invested: System) -> None:
    """EQ-96: when all else is in its place and every band keeps, anyone may still have it sold."""
    s = invested
    first, second, third = assets_of(s)
    changed = reported(change_basket(s, [first, second], [third]))
    params = list(s.auction.call("params"))
    # the two left stand where one auction of theirs brought them; only the third is left to sell
    changed.open()
    changed.to_curve(1.0)
    changed.bid(third.token, s.cash, changed.balances()[2] // 2)
    for token in (first.token, second.token):
        args = (s.auction.call("current").id, s.cash, token, MAX, MAX, s.keeper)
        unless = ["RebalanceAuction__ZeroAmount"]
        changed.attempt(s.auction, "bid", *args, sender=s.keeper, unless=unless)
    changed.warp(params[11])
    state = s.auction.call("riskState")
    assert state.exposuresWad[2] > 0.0001 * WAD
    if state.reason != RETIRING:
        s.auction.send("setParams", (*params[:3], int(0.5 * WAD), *params[4:]), sender=s.owner)
    assert s.auction.call("riskState").reason == RETIRING
    receipt = s.auction.send("open", sender=s.mallory)
    assert s.auction.events(receipt, "AuctionOpened")[0].reason == RETIRING


def test_retired_asset__targets__are_zero_and_leverage_counts_it(invested: System) -> None:
    """EQ-96: it has a place in exposures and targets, none in shares: there is no report of it."""
    s = invested
    first, second, third = assets_of(s)
    before = s.auction.call("riskState")
    reported(change_basket(s, [second, first], [third]))
    state = s.auction.call("riskState")
    assert (len(state.exposuresWad), len(state.targetsWad), len(state.sharesWad)) == (3, 3, 2)
    assert (state.targetsWad[2], state.exposuresWad[2]) == (0, before.exposuresWad[2])
    assert state.leverageWad == sum(state.exposuresWad)
    assert len(s.auction.call("targetExposures").targetsWad) == 2
    s.open()
    assert s.auction.call("current").targets >> 64 == 0


def test_retired_asset__in_an_auction__is_sold_and_never_bought(invested: System) -> None:
    """EQ-96: its deficit is nothing, whatever is offered for it."""
    s = invested
    first, second, third = assets_of(s)
    changed = reported(change_basket(s, [first, second], [third]))
    changed.open()
    changed.to_curve(1.0)
    now = s.auction.call("current").id
    for sell in (s.cash, first.token):
        args = (now, sell, third.token, 10**6, MAX, s.keeper)
        s.refuses("RebalanceAuction__LotExceeded", s.auction, "bid", *args, sender=s.keeper)
        args = (now, sell, third.token, MAX, MAX, s.keeper)
        s.refuses("RebalanceAuction__ZeroAmount", s.auction, "bid", *args, sender=s.keeper)
    changed.fill_all()
    assert changed.balances()[2] == 0
    s.vault.send("setBasket", [first.token, second.token], sender=s.owner)
    changed.warp(s.auction.call("params").duration)
    state = s.auction.call("riskState")
    assert state.reason == NONE
    assert state.parityGapWad < 0.003 * WAD


@pytest.mark.parametrize(("usd_left", "reason"), [(6, RETIRING), (4, NONE)])
def test_retired_asset__of_which_dust_is_left__opens_no_auction(
    invested: System, usd_left: int, reason: int
) -> None:
    """EQ-96: half of the basis point of NAV (100,000 USD) that may be written off is not worth an auction."""
    s = invested
    first, second, third = assets_of(s)
    changed = reported(change_basket(s, [first, second], [third]))
    changed.open()
    changed.to_curve(1.0)
    changed.bid(third.token, s.cash, changed.balances()[2] - usd_left * 10**third.decimals // 400)
    for token in (first.token, second.token):
        changed.bid(s.cash, token)
    changed.warp(s.auction.call("params").duration)
    state = s.auction.call("riskState")
    assert state.exposuresWad[2] / WAD == pytest.approx(usd_left / 100_000, rel=0.01)
    assert state.reason == reason
    if reason == NONE:
        changed.refuses("RebalanceAuction__WithinBands", s.auction, "open", sender=s.keeper)


def test_open__while_the_baskets_differ__is_refused(invested: System) -> None:
    """EQ-95: RebalanceAuction__BasketMismatch at every step of a change that is not finished."""
    s, new = invested, list_asset(invested)
    after = [*assets_of(s), new]
    with s.scenario():
        half = reported(change_basket(s, after, only=["volatility_oracle", "realized_volatility"]))
        half.refuses("RebalanceAuction__BasketMismatch", s.auction, "open", sender=s.keeper)
    with s.scenario():
        half = reported(change_basket(s, after, only=["volatility_oracle", "vault"]))
        half.refuses("RebalanceAuction__BasketMismatch", s.auction, "open", sender=s.keeper)
        send_changes(s, after, only=["realized_volatility"])
        half.open()
    with s.scenario():
        send_changes(s, after[::-1], only=["vault"])
        s.refuses("RebalanceAuction__BasketMismatch", s.auction, "open", sender=s.keeper)
    with s.scenario():
        fewer = reported(change_basket(s, after[:2], only=["volatility_oracle", "realized_volatility"]))
        fewer.open()  # what is retired stands last already
    assert CALLS[0] == "volatility_oracle"


def test_bid__into_an_auction_of_another_basket__is_refused(invested: System) -> None:
    """EQ-95: RebalanceAuction__BasketChanged: its lanes would be other tokens' targets."""
    s, new = invested, list_asset(invested)
    s.move([1.0, -0.3, 0.0])
    now = s.open()
    s.to_curve(1.0)
    first, second, third = assets_of(s)
    s.bid(first.token, s.cash, 10**15)
    changed = change_basket(s, [third, new, first, second])
    version = s.vault.call("basketVersion")
    for sell, buy in ((first.token, s.cash), (s.cash, third.token), (third.token, s.cash)):
        args = (now, sell, buy, 10**4, MAX, s.keeper)
        revert = changed.refuses("RebalanceAuction__BasketChanged", s.auction, "bid", *args, sender=s.keeper)
        assert revert.arguments == (version - 1, version)
    args = (sell, buy, 10**4)
    changed.refuses("RebalanceAuction__BasketChanged", s.auction, "quoteBid", *args, sender=s.keeper)
    args = (now, [1, 0, 0, 0], MAX, s.keeper)
    changed.refuses("RebalanceAuction__BasketChanged", s.auction, "bidBasket", *args, sender=s.keeper)
    assert not s.contracts.dashboard().auctionOpen


def test_open__over_an_auction_of_another_basket__does_not_wait(invested: System) -> None:
    """EQ-95: the dead auction holds nobody up."""
    s, new = invested, list_asset(invested)
    s.move([1.0, -0.3, 0.0])
    now = s.open()
    changed = reported(change_basket(s, [*assets_of(s), new]))
    assert s.now() < s.auction.call("current").endsAt
    assert changed.open() == now + 1
    changed.refuses("RebalanceAuction__AlreadyOpen", s.auction, "open", sender=s.keeper)
    changed.to_curve(1.0)
    changed.fill_all()
    assert s.auction.call("riskState").parityGapWad < 0.003 * WAD


def test_set_basket__to_the_same__ends_the_auction_too(invested: System) -> None:
    """EQ-95: a version is a version; nobody compares tokens."""
    s = invested
    s.move([1.0, -0.3, 0.0])
    now = s.open()
    s.vault.send("setBasket", s.tokens, sender=s.owner)
    args = (now, s.tokens[0], s.cash, 10**15, MAX, s.keeper)
    s.refuses("RebalanceAuction__BasketChanged", s.auction, "bid", *args, sender=s.keeper)
    assert s.open() == now + 1


def test_dashboard__during_a_change__answers(invested: System) -> None:
    """EQ-112 EQ-95: it names both baskets, and has no risk to tell while they differ."""
    s, new = invested, list_asset(invested)
    after = [*assets_of(s), new]
    half = reported(change_basket(s, after, only=["volatility_oracle", "realized_volatility"]))
    state = s.contracts.dashboard()
    assert (state.hasRisk, len(state.assets), len(state.tokens)) == (False, 4, 4)
    assert len(state.volatilitiesWad) == len(state.budgetsWad) == 4
    send_changes(s, after, only=["vault"])
    state = half.contracts.dashboard()
    assert (state.hasRisk, len(state.assets), len(state.tokens)) == (True, 4, 5)


def test_loss_budget__across_a_change__is_not_refilled(invested: System) -> None:
    """EQ-84: it is a fraction of the NAV and knows no basket."""
    s, new = invested, list_asset(invested)
    s.move([1.0, -0.3, 0.0])
    s.open()
    s.to_curve(0.9976)
    s.bid(s.tokens[0], s.cash)
    used = s.auction.call("lossBudget").usedWad
    assert used > 0
    with s.one_block():
        send_changes(s, [*assets_of(s), new])
        assert s.auction.call("lossBudget").usedWad == pytest.approx(used, rel=1e-3)
