"""Attacks around a change of the basket: replays, shifted lanes, sandwiches, a NAV swollen for the call."""

from __future__ import annotations

import pytest

from equipoise.errors import ContractRevert
from equipoise.oracle.publisher import Publisher
from tests.fixtures.attacks import Ledger
from tests.fixtures.basket import assets_of, change_basket, list_asset, send_changes
from tests.fixtures.system import MAX, System

BPS = 10_000


def usd(s: System, wei: int) -> float:
    return wei / 10**s.cash_decimals


def retiring(s: System, rest_usd: float) -> System:
    """The third asset retired and sold but for a rest."""
    first, second, third = assets_of(s)
    changed = change_basket(s, [first, second], [third])
    changed.warp(60)
    changed.post_reports()
    changed.open()
    changed.to_curve(1.0)
    rest = round(rest_usd / changed.price(2) * 10 ** changed.decimals[2])
    changed.bid(third.token, s.cash, changed.balances()[2] - rest)
    return changed


def test_attack__reports_kept_over_there_and_back__are_dead(invested: System, attack: Ledger) -> None:
    """EQ-90: signed for A before A -> B -> A, at a fifth: posting them later would lever up."""
    s, new = invested, list_asset(invested)
    s.warp(60)
    kept = [signer.sign_volatilities([v / 5 for v in s.vols], s.now()) for signer in s.signers]
    s.warp(60)
    s.post_reports()
    there = change_basket(s, [*assets_of(s), new])
    there.warp(60)
    there.post_reports()
    back = change_basket(there, assets_of(s))
    structs = [report.to_struct() for report in kept]
    with pytest.raises(ContractRevert, match="ReportNotNewer"):
        s.volatility_oracle.send("postVolatilities", structs, sender=s.mallory)
    back.warp(60)
    back.post_reports()
    # no fall is measured over the change, and nothing of B is in A's lanes
    assert s.volatility_oracle.call("reportedVolatilities") & 0xFFFFFFFF == round(s.vols[0] * 1e8)
    assert Publisher(s.volatility_oracle, s.mallory).domain.n == 3
    attack("replay after A -> B -> A", 0.0, 0.0)


def test_attack__bid_into_the_old_auction__finds_no_shifted_lane(invested: System, attack: Ledger) -> None:
    """EQ-95: with the order reversed, the surplus of one asset would be sold by another's target."""
    s = invested
    s.move([1.0, -0.3, 0.0])
    now = s.open()
    s.to_curve(0.9976)
    before = s.wealth(s.keeper)
    reversed_ = assets_of(s)[::-1]
    send_changes(s, reversed_)
    for asset in reversed_:
        for sell, buy in ((asset.token, s.cash), (s.cash, asset.token)):
            args = (now, sell, buy, MAX, MAX, s.keeper)
            s.refuses("RebalanceAuction__BasketChanged", s.auction, "bid", *args, sender=s.keeper)
    attack("bid into an auction of the old basket", s.wealth(s.keeper) - before, 0.0)


@pytest.mark.parametrize("rest", [0.0, 9.0])
def test_attack__deposit_before_and_redeem_after__gains_nothing(
    invested: System, attack: Ledger, rest: float
) -> None:
    """EQ-94: the one who runs in pays his part of what is written off."""
    s = retiring(invested, rest)
    before = s.cash_of(s.mallory)
    with s.one_block():
        shares = s.deposit(s.mallory, 50_000)
        s.vault.send("setBasket", [t.address for t in s.tokens[:2]], sender=s.owner)
        most = min(shares, s.vault.call("maxRedeem", s.mallory))
        s.vault.send("redeem", most, s.mallory, s.mallory, sender=s.mallory)
    left = usd(s, s.vault.call("convertToAssets", shares - most)) if shares > most else 0.0
    attack(
        f"deposit, delisting with {rest:g} USD of dust, redeem",
        usd(s, s.cash_of(s.mallory) - before) + left,
        0.0,
    )


def test_attack__leave_before_the_write_off_and_come_back__saves_a_basis_point(
    invested: System, attack: Ledger
) -> None:
    """EQ-94: at most, and the two fees and spreads on the way cost more."""
    s = retiring(invested, 9.0)
    s.deposit(s.mallory, 50_000)
    cash, shares = s.cash_of(s.mallory), s.shares(s.mallory)
    with s.scenario():
        s.vault.send("setBasket", [t.address for t in s.tokens[:2]], sender=s.owner)
        stayed = s.vault.call("previewRedeem", shares)
    with s.one_block():
        most = s.vault.call("maxRedeem", s.mallory)
        s.vault.send("redeem", most, s.mallory, s.mallory, sender=s.mallory)
        out = s.cash_of(s.mallory) - cash
        s.vault.send("setBasket", [t.address for t in s.tokens[:2]], sender=s.owner)
        s.vault.send("deposit", out, s.mallory, sender=s.mallory)
    back = s.vault.call("previewRedeem", s.shares(s.mallory))
    attack("leave before a delisting, come back", usd(s, back - stayed), 0.0)


def test_attack__nav_swollen_for_the_call__writes_off_no_more_of_a_share(
    invested: System, attack: Ledger
) -> None:
    """EQ-94: a deposit makes a bigger rest a basis point; it is a basis point of its own shares as well."""
    s = retiring(invested, 700.0)
    basket = [t.address for t in s.tokens[:2]]
    s.refuses("RiskParityVault__NotSold", s.vault, "setBasket", basket, sender=s.owner)
    price, before = s.share_price(), s.cash_of(s.mallory)
    with s.one_block():
        shares = s.deposit(s.mallory, 8_000_000)
        s.vault.send("setBasket", basket, sender=s.owner)
        s.vault.send("redeem", shares, s.mallory, s.mallory, sender=s.mallory)
    loss = usd(s, s.vault.call("totalSupply") * (price - s.share_price()) // 10**30)
    assert s.share_price() >= price * (BPS - 1) // BPS - 1
    attack(
        "NAV swollen to write off 700 USD",
        usd(s, s.cash_of(s.mallory) - before),
        max(loss, 0.0),
        why="holders lose at most 1 bp",
    )
