"""Which tokens the vault deals in: who changes them, what may leave, what a change does to the shares."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from equipoise.units import WAD
from tests.fixtures.basket import Asset, assets_of, change_basket, list_asset, send_changes
from tests.fixtures.system import MAX, System

NOBODY = "0x" + "00" * 20
NORMAL, NO_INCREASE, DELEVER_ONLY = range(3)


def tokens(*assets: Asset) -> list[str]:
    return [asset.token.address for asset in assets]


def held(s: System) -> dict[str, int]:
    found = s.vault.call("holdings")
    return dict(zip(map(str.lower, found.tokens), found.balances, strict=True))


def sell_down(s: System, index: int, rest: int = 0) -> None:
    """Auctions until `rest` units are left of a token that the oracle no longer has."""
    s.open()
    s.to_curve(1.0)
    s.bid(s.tokens[index], s.cash, s.balances()[index] - rest)


def retire_last(s: System, rest: int) -> System:
    """The third asset out of the oracle's basket and sold but for `rest` units."""
    first, second, third = assets_of(s)
    changed = change_basket(s, [first, second], [third])
    changed.warp(60)
    changed.post_reports()
    sell_down(changed, 2, rest)
    return changed


@pytest.mark.parametrize("who", ["guardian", "treasury", "keeper", "mallory"])
def test_set_basket__anyone_but_the_owner__is_refused(invested: System, who: str) -> None:
    """EQ-93 EQ-62: also the guardian, who may only tighten."""
    s, sender = invested, getattr(invested, who)
    args = tokens(*assets_of(s))
    s.refuses("OwnableUnauthorizedAccount", s.vault, "setBasket", args, sender=sender)


def test_set_basket__wrong_tokens__are_refused(invested: System) -> None:
    """EQ-93: 2 to 8 distinct tokens with a usable price, none of them the cash."""
    s, new = invested, list_asset(invested)
    a, b, c = tokens(*assets_of(s))
    for error, basket in (
        ("RiskParityVault__BadBasketSize", [a]),
        ("RiskParityVault__BadBasketSize", [a, b, c] * 3),
        ("RiskParityVault__BadToken", [a, b, c, a]),
        ("RiskParityVault__BadToken", [a, b, c, s.cash.address]),
        ("PriceOracle__UnknownToken", [a, b, c, s.impostor.address]),  # type: ignore[union-attr]
        ("PriceOracle__UnknownToken", [a, b, c, NOBODY]),
    ):
        s.refuses(error, s.vault, "setBasket", basket, sender=s.owner)
    new.feed.send("set", -1, 0, sender=s.keeper)
    error = "PriceOracle__NonPositivePrice"
    s.refuses(error, s.vault, "setBasket", [a, b, c, new.token.address], sender=s.owner)


def test_set_basket__with_a_new_token__keeps_every_balance(invested: System) -> None:
    """EQ-93 EQ-94: in any order; nothing moves, nobody's share changes."""
    s, new = invested, list_asset(invested)
    a, b, c = tokens(*assets_of(s))
    before, price, supply = held(s), s.share_price(), s.vault.call("totalSupply")
    mark = s.vault.call("highWaterMarkWad")
    receipt = s.vault.send("setBasket", [c, new.token.address, a, b], sender=s.owner)
    assert held(s) == {**before, new.token.address.lower(): 0}
    assert s.share_price() == price
    assert (s.vault.call("totalSupply"), s.vault.call("highWaterMarkWad")) == (supply, mark)
    assert s.vault.call("basketVersion") == s.vault.call("portfolio").basketVersion == 1
    (event,) = s.vault.events(receipt, "BasketSet")
    assert (list(event.tokens), event.basketVersion) == ([c, new.token.address, a, b], 1)
    s.vault.send("redeemInKind", s.shares(s.alice), s.alice, s.alice, [], sender=s.alice)


def test_set_basket__without_what_is_held__is_refused(invested: System) -> None:
    """EQ-93: RiskParityVault__NotSold tells what is left, what it is worth, and what may be written off."""
    s = invested
    a, b, c = tokens(*assets_of(s))
    book = s.vault.call("portfolio")
    revert = s.refuses("RiskParityVault__NotSold", s.vault, "setBasket", [a, b], sender=s.owner)
    token, balance, value, limit = revert.arguments
    assert (token, balance, value) == (c, book.balances[2], book.valuesWad[2])
    assert limit == pytest.approx((book.navWad - value) / 10_000, rel=1e-9)


@pytest.mark.parametrize(("usd", "leaves"), [(0.0, True), (9.9, True), (10.5, False)])
def test_set_basket__without_what_is_nearly_sold__writes_off_a_basis_point(
    invested: System, usd: float, leaves: bool
) -> None:
    """EQ-93 EQ-94: of 100,000 USD ten; what is written off is all that a share can lose."""
    s = retire_last(invested, round(usd / 400 * 10**6))
    basket, price = [t.address for t in s.tokens[:2]], s.share_price()
    if not leaves:
        s.refuses("RiskParityVault__NotSold", s.vault, "setBasket", basket, sender=s.owner)
        return
    s.vault.send("setBasket", basket, sender=s.owner)
    assert price * (1 - 1.05e-4) <= s.share_price() <= price
    assert s.tokens[2].address.lower() not in held(s)


def test_written_off__when_the_token_returns__is_not_in_the_books(invested: System) -> None:
    """EQ-93 EQ-54: without a lending account a balance is what the books say, whatever lies here."""
    s = retire_last(invested, 20_000)
    third = s.tokens[2]
    s.vault.send("setBasket", [t.address for t in s.tokens[:2]], sender=s.owner)
    third.send("transfer", s.vault, 10**12, sender=s.keeper)
    price = s.share_price()
    s.vault.send("setBasket", [t.address for t in s.tokens], sender=s.owner)
    assert held(s)[third.address.lower()] == 0
    assert s.share_price() == price
    assert third.call("balanceOf", s.vault) == 10**12 + 20_000


def test_set_basket__without_a_token_of_a_dead_feed__is_possible_once_it_is_sold(invested: System) -> None:
    """EQ-93: the vault comes back to life; a token of which something is left needs a price."""
    s = retire_last(invested, 0)
    s.feeds[2].send("setBehaviour", 1, b"", sender=s.keeper)
    assert s.vault.call("mode") == 3
    s.vault.send("setBasket", [t.address for t in s.tokens[:2]], sender=s.owner)
    assert s.vault.call("mode") == NORMAL


def test_set_basket__of_a_dead_token_that_is_held__needs_its_price(invested: System) -> None:
    """EQ-93: nothing is written off unseen."""
    s = retire_last(invested, 20)
    s.feeds[2].send("setBehaviour", 1, b"", sender=s.keeper)
    basket = [t.address for t in s.tokens[:2]]
    s.refuses("PriceOracle__FeedFailed", s.vault, "setBasket", basket, sender=s.owner)


def test_exit_in_kind__around_every_call__pays_its_part(invested: System) -> None:
    """EQ-94 EQ-50: before, between and after governance's calls; skip lists name what the vault has then."""
    s, new = invested, list_asset(invested)
    share = s.shares(s.alice) // 10
    args = (share, s.alice, s.alice)
    s.vault.send("redeemInKind", *args, [s.tokens[1]], sender=s.alice)
    error = "RiskParityVault__UnknownToken"
    s.refuses(error, s.vault, "redeemInKind", *args, [new.token], sender=s.alice)
    for call in ("volatility_oracle", "realized_volatility", "vault"):
        send_changes(s, [*assets_of(s), new], only=[call])
        before = [t.call("balanceOf", s.alice) for t in s.tokens]
        s.vault.send("redeemInKind", *args, [], sender=s.alice)
        assert all(t.call("balanceOf", s.alice) > b for t, b in zip(s.tokens, before, strict=True))
    s.vault.send("redeemInKind", *args, [new.token], sender=s.alice)
    s.kill_feeds()
    s.vault.send("redeemInKind", s.shares(s.alice), s.alice, s.alice, [], sender=s.alice)


def test_mode__after_a_change__waits_for_reports_and_goes_on_ageing(invested: System) -> None:
    """EQ-91 EQ-100: NoIncrease at once; with silent signers DeleverOnly, as without a change."""
    s, new = invested, list_asset(invested)
    changed = change_basket(s, [*assets_of(s), new])
    assert s.vault.call("mode") == NO_INCREASE
    with s.scenario():
        changed.warp(96 * 3_600 + 60)
        assert s.guard.call("riskMode") == DELEVER_ONLY
    changed.warp(60)
    changed.post_reports()
    assert s.vault.call("mode") == NORMAL


def test_deposit_and_redeem__around_a_change__gain_nothing(invested: System) -> None:
    """EQ-94: whoever sees the change coming has nothing to run from or to."""
    s, new = invested, list_asset(invested)
    before = s.cash_of(s.bob)
    with s.one_block():
        shares = s.deposit(s.bob, 1_000_000)
        s.vault.send("setBasket", tokens(*assets_of(s), new), sender=s.owner)
        s.vault.send("redeem", shares, s.bob, s.bob, sender=s.bob)
    assert s.cash_of(s.bob) <= before


def test_set_basket__in_the_middle_of_a_transfer__is_refused(invested: System) -> None:
    """EQ-93: not even the owner's own token may call back into it."""
    s = invested
    data = s.vault.encode("setBasket", tokens(*assets_of(s)))
    s.vault.send("transferOwnership", s.tokens[0].address, sender=s.owner)
    s.chain.request("anvil_setBalance", s.tokens[0].address, hex(10**18))
    s.vault.send("acceptOwnership", sender=s.tokens[0].address)
    s.tokens[0].send("setHook", s.vault, data, sender=s.owner)
    s.vault.send("redeemInKind", s.shares(s.alice) // 2, s.alice, s.alice, [], sender=s.alice)
    assert s.tokens[0].call("hookCalled")
    assert not s.tokens[0].call("hookSucceeded")


@pytest.mark.parametrize("count", [2, 8])
def test_set_basket__smallest_and_largest__work(make_system: Callable[..., System], count: int) -> None:
    """EQ-93: to the last slot of the books and back."""
    s: Any = make_system()
    old = assets_of(s)
    s.deposit(s.alice, 100_000)
    new = [list_asset(s, 10.0 + i, 18, 0.4, f"N{i}") for i in range(count)]
    s = change_basket(s, new)
    s.warp(60)
    s.post_reports()
    s.rebalance()
    assert sum(b > 0 for b in s.balances()) == count + 1
    assert s.auction.call("riskState").parityGapWad < 0.001 * WAD
    three = change_basket(s, new[:2], new[2:] if count == 2 else new[2:8])
    assert three.vault.call("holdings").tokens[0] == new[0].token.address
    assert len(old) == 3
    s.vault.send("redeemInKind", s.shares(s.alice), s.alice, s.alice, [], sender=s.alice)


def test_bid_for_a_new_token__that_takes_a_fee__is_refused_and_the_token_may_leave(invested: System) -> None:
    """EQ-61 EQ-93: it cannot be seen at the listing; nothing of it ever enters the books."""
    s, new = invested, list_asset(invested)
    new.token.send("setFeeBps", 100, sender=s.owner)
    changed = change_basket(s, [*assets_of(s), new])
    changed.warp(60)
    changed.post_reports()
    changed.open()
    args = (changed.auction.call("current").id, s.cash, new.token, 10**9, MAX, s.keeper)
    changed.refuses("RiskParityVault__NotBacked", s.auction, "bid", *args, sender=s.keeper)
    s.vault.send("setBasket", tokens(*assets_of(s)), sender=s.owner)
