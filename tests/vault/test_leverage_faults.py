"""What goes wrong around a levered vault: in each case no liquidation once a keeper has acted, a loss
within the bid's discount, open exits, and an error with a name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from equipoise.client.contract import Contract
from equipoise.errors import ContractRevert
from equipoise.units import WAD, to_wad
from tests.fixtures.levered import Levered
from tests.fixtures.system import MAX

HOUR = 3_600
# closes by the hour of USDC on 10 and 11 March 2023
USDC_DEPEG = (1.0, 0.98, 0.95, 0.9072, 0.8774, 0.87, 0.8902, 0.93, 0.9678, 0.99)


def leave(s: Levered, skip: list[str] | None = None) -> None:
    """Alice takes a tenth of hers in kind: exits are open."""
    s.vault.send("redeemInKind", s.shares(s.alice) // 10, s.alice, s.alice, skip or [], sender=s.alice)


def keeper_acts(s: Levered) -> float:
    """Pull the ripcord if it is due, buy what it sells; what it cost of what was sold."""
    if s.health() >= 1.3:
        return 0.0
    s.pull()
    s.warp(300)
    bids = s.auction.events(s.bid_basket(), "Bid")
    sold, paid = (sum(getattr(bid, name) for bid in bids) for name in ("sellValueWad", "buyValueWad"))
    return float(1 - paid / sold)


def bids_until_dropped(s: Levered, token: Contract) -> int:
    """Sell a token without LTV until anybody may drop it as collateral."""
    bids, heavy = 0, ["LendingAccount__HealthTooLow"]
    while not s.attempt(s.account, "dropCollateral", token, sender=s.mallory, unless=heavy):
        s.bid(token, s.cash)
        bids += 1
    return bids


def liquidations(s: Levered) -> int:
    return len(s.aave.liquidate(s.account.address))


def test_gap__of_35_percent_in_a_block__no_liquidation_behind_a_keeper(levered: Levered) -> None:
    """EQ-133: instantaneous, past the trigger; the holders lose the fall and at most the discount."""
    s = levered
    before = s.share_price()
    s.crash(-0.35)
    fallen = s.share_price()
    assert s.health() < 1.1
    assert 0 <= keeper_acts(s) <= 0.03
    assert s.health() >= 1.6
    assert liquidations(s) == 0
    assert s.share_price() >= fallen - before * 0.03 * 2
    leave(s)


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (lambda s: s.aave.pause("BTC"), "LendingAccount__Refused"),
        (lambda s: s.aave.set_utilisation("BTC", 1.0), "LendingAccount__Refused"),
        (lambda s: s.aave.freeze("BTC"), None),
        (lambda s: s.aave.set_caps("BTC", 1, 1), None),
        (lambda s: s.aave.set_emode("BTC"), None),
    ],
    ids=["paused", "drained", "frozen", "capped", "e-mode"],
)
def test_reserve__out_of_order_in_a_crash__the_others_delever(
    levered: Levered, fault: Callable[[Levered], Any], error: str | None
) -> None:
    """EQ-121 EQ-133: a reserve that pays nothing out is left out; the rest restores the health."""
    s = levered
    fault(s)
    s.crash(-0.22)
    s.pull()
    s.warp(60)
    current = s.auction.call("current").id
    if error:
        args = (current, [MAX] * 3, MAX, s.keeper)
        s.refuses(error, s.auction, "bidBasket", *args, sender=s.keeper)
        s.bid_basket([0, MAX, MAX])
    else:
        s.bid_basket()
    assert s.health() > 1.45
    assert liquidations(s) == 0
    leave(s, [s.tokens[0].address] if error else None)


def test_reserve__ltv_set_to_zero__sells_itself_first(levered: Levered) -> None:
    """EQ-122 EQ-133: error 57 for the basket, none for the token itself; then the rest is free."""
    s = levered
    s.aave.set_terms("ETH", 0.0, 0.83, 0.05)
    s.crash(-0.22)
    s.pull()
    current = s.auction.call("current").id
    args = (current, [MAX] * 3, MAX, s.keeper)
    s.refuses("LendingAccount__Refused", s.auction, "bidBasket", *args, sender=s.keeper)
    for _ in range(6):
        if s.health() >= 1.5:
            break
        s.bid(s.tokens[1], s.cash)
    s.account.send("dropCollateral", s.tokens[1], sender=s.mallory)
    assert s.health() >= 1.3
    assert liquidations(s) == 0
    leave(s)


def test_reserve__small_and_of_zero_ltv__does_not_lock_the_ripcord(levered: Levered) -> None:
    """EQ-122 EQ-133: ETH falls by 70 % and loses its LTV; bids for it make it small enough to drop."""
    s = levered
    eth = s.tokens[1]
    s.move([-0.1, -0.7, -0.1])
    s.aave.set_terms("ETH", 0.0, 0.83, 0.05)
    assert 1 < s.health() < 1.3
    s.pull()
    args = (s.auction.call("current").id, [MAX] * 3, MAX, s.keeper)
    s.refuses("LendingAccount__Refused", s.auction, "bidBasket", *args, sender=s.keeper)
    assert 0 < bids_until_dropped(s, eth) <= 3
    assert s.health() < 1.3
    s.bid_basket()
    assert s.health() >= 1.6
    assert liquidations(s) == 0
    leave(s)


def test_reserve__sold_to_next_to_nothing__does_not_lock_the_ripcord(levered: Levered) -> None:
    """EQ-122 EQ-133: ETH fell by 97 % and lost its LTV, the health factor is 1.02: bids for what little there
    is of ETH hardly raise it, and each leaves some."""
    s = levered
    eth = s.tokens[1]
    s.move([-0.1, -0.97, -0.1])
    s.aave.set_terms("ETH", 0.0, 0.83, 0.05)
    s.to_health(1.02)
    s.pull()
    assert 0 < bids_until_dropped(s, eth) <= 4
    assert s.health() < 1.05
    s.bid_basket()
    assert s.health() >= 1.6
    assert liquidations(s) == 0
    leave(s)


def test_venue__wholly_paused__blocks_by_name_and_leaves_idle_cash(levered: Levered) -> None:
    """EQ-121: nothing at Aave moves, not even liquidators; what is idle can be had."""
    s = levered
    s.aave.pause_all()
    s.crash(-0.22)
    s.pull()
    args = (s.auction.call("current").id, [MAX] * 3, MAX, s.keeper)
    s.refuses("LendingAccount__Refused", s.auction, "bidBasket", *args, sender=s.keeper)
    idle = s.vault.call("maxWithdraw", s.alice)
    assert idle > 0
    s.vault.send("withdraw", idle, s.alice, s.alice, sender=s.alice)
    s.aave.pause_all(on=False)
    s.bid_basket()
    assert liquidations(s) == 0


def test_credit__used_up__delevers_and_exits_all_the_same(levered: Levered) -> None:
    """EQ-121: repaying needs no liquidity of cash; borrowing is refused by name."""
    s = levered
    s.deposit(s.bob, 500_000)
    s.open()
    s.to_curve(1.0)
    s.aave.set_utilisation("USDC", 1.0)
    refused = set()
    for token in s.tokens:
        try:
            s.bid(s.cash, token)
        except ContractRevert as revert:
            refused.add(revert.name)
    assert refused & {"LendingAccount__Refused", "RebalanceAuction__BorrowTooDear"}
    s.crash(-0.25)
    assert 0 <= keeper_acts(s) <= 0.03
    assert liquidations(s) == 0
    leave(s)


def test_cash__at_87_cents__hurts_nobody_but_by_its_price(levered: Levered) -> None:
    """EQ-56 EQ-133: the debt is worth less too; the health factor rises, exits and sales go on."""
    s = levered
    shares = s.shares(s.alice)
    for price in USDC_DEPEG:
        s.warp(HOUR)
        s.refresh_prices()
        s.set_price(None, price)
        assert s.health() > 1.55
        assert s.vault.call("mode") == 0
        with s.one_block():
            before = s.cash_of(s.bob)
            minted = s.deposit(s.bob, 1_000)
            s.vault.send("redeem", minted, s.bob, s.bob, sender=s.bob)
            assert s.cash_of(s.bob) <= before
        leave(s)
    assert liquidations(s) == 0
    assert s.shares(s.alice) < shares


@pytest.mark.parametrize(
    ("answer", "late", "error"),
    [
        (30_000.0, 26 * HOUR, "PriceOracle__StalePrice"),
        (0.0, 0, "PriceOracle__NonPositivePrice"),
        (-5.0, 0, "PriceOracle__NonPositivePrice"),
        (300_000.0, 0, "PriceOracle__PriceOutOfBounds"),
        (3_000.0, 0, "PriceOracle__PriceOutOfBounds"),
    ],
    ids=["stuck", "zero", "negative", "ten times up", "ten times down"],
)
def test_feed__wrong_for_a_round__stops_trades_by_name_until_it_is_right(
    levered: Levered, answer: float, late: int, error: str
) -> None:
    """EQ-40 EQ-100: within bounds that the owner keeps near the market, a wrong round sells nothing."""
    s = levered
    feed = s.price_oracle.call("feedOf", s.tokens[0])
    listing = (s.tokens[0], feed.feed, feed.heartbeat, feed.halfSpreadBps, 10_000 * WAD, 90_000 * WAD)
    s.price_oracle.send("setFeed", listing, sender=s.owner)
    price = s.share_price()
    if late:
        s.warp(late)
        for index in (1, 2, None):
            s.set_price(index, s.price(index) if index is not None else 1.0)
    else:
        assert s.world
        s.world.push_round("BTC", round(answer * 10**8), s.now())
    assert s.vault.call("mode") == 3
    for function, args in (
        ("deposit", (10**6, s.alice)),
        ("redeem", (10**15, s.alice, s.alice)),
    ):
        with pytest.raises(ContractRevert) as caught:
            s.vault.call(function, *args, sender=s.alice)
        assert caught.value.name == error
    with pytest.raises(ContractRevert) as caught:
        s.auction.call("open", sender=s.keeper)
    assert caught.value.name == error
    if answer > 0:  # Aave's oracle has no price at 0 or below: then it lets nothing out
        leave(s)
    s.set_price(0, 30_000.0)
    assert s.vault.call("mode") == 0
    assert s.share_price() == pytest.approx(price, rel=1e-3)
    leave(s)


def test_target_exposures__without_credit__ask_the_venue_nothing(levered: Levered) -> None:
    """EQ-81: where the target volatility is reached without a loan, a dead venue moves no target."""
    s = levered
    params = s.auction.call("params")
    s.auction.send("setParams", params._replace(targetVolatilityWad=to_wad(0.05)), sender=s.owner)
    before = s.auction.call("targetExposures")
    s.chain.request("anvil_setCode", s.aave.pool.address, "0xfe")
    with pytest.raises(ContractRevert):
        s.account.call("thresholdsWad", s.tokens)
    assert s.auction.call("targetExposures") == before
    assert 0 < before[1] <= to_wad(1) - params.cashBufferWad
