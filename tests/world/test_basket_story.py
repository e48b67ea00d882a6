"""One story on real pools and a real lending market: a levered vault gains LINK, and later gives BTC away."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from equipoise.client.facts import read_status
from equipoise.errors import ContractRevert
from equipoise.keeper import Keeper
from equipoise.units import WAD
from equipoise.world import AssetSpec, World
from tests.fixtures.basket import Asset, assets_of, change_basket
from tests.fixtures.levered import ASSETS, STAKE_USD, Levered, build_levered

LINK = AssetSpec.of("LINK", 10.0)
SETTLE = 600
HOUR = 3_600


@pytest.fixture(scope="module")
def story_world() -> Iterator[World]:
    """LINK has a token, a feed, a pool and a reserve; the basket does not know it."""
    with World.build((*ASSETS, LINK), lending=True) as world:
        yield world


@pytest.fixture
def vault(story_world: World) -> Levered:
    """Three assets, a million of alice's at its target leverage; reports take ten minutes to settle."""
    s = build_levered(story_world)
    s.deposit(s.alice, STAKE_USD)
    s.lever()
    s.refresh_prices()
    params = s.volatility_oracle.call("params")
    s.volatility_oracle.send("setParams", (params[0], SETTLE, *params[2:]), sender=s.owner)
    return s


def keeper_of(s: Levered) -> Keeper:
    assert s.world
    world = s.world

    def wait_until(timestamp: int) -> None:
        if timestamp > world.chain.timestamp():
            world.warp_to(timestamp)

    return Keeper(s.contracts, s.keeper, world.quoter, wait_until)


def report(s: Levered) -> None:
    """Reports that settle, and prices that are fresh afterwards."""
    s.warp(60)
    s.post_reports()
    s.warp(SETTLE)
    s.refresh_prices()


def refuses_reports_of(s: Levered) -> None:
    """Fresh ones of honest signers who have not heard of the change."""
    at = s.now()
    structs = [signer.sign_volatilities(s.vols, at).to_struct() for signer in s.signers]
    with pytest.raises(ContractRevert, match="VolatilityOracle__NotSigner"):
        s.volatility_oracle.send("postVolatilities", structs, sender=s.mallory)


def checks(s: Levered) -> None:
    """Whatever the step: an exit in kind pays, and the venue is far from liquidating."""
    guard = s.guard.call("params")
    assert s.health() * WAD >= guard.increaseHealthWad
    before = [token.call("balanceOf", s.alice) for token in s.tokens]
    with s.scenario():
        s.vault.send("redeemInKind", s.shares(s.alice) // 100, s.alice, s.alice, [], sender=s.alice)
        after = [token.call("balanceOf", s.alice) for token in s.tokens]
        held = s.vault.call("holdings").balances[:-1]
        assert [a > b for a, b in zip(after, before, strict=True)] == [balance > 100 for balance in held]


def trade(s: Levered, keeper: Keeper) -> None:
    """One auction, filled from the pools; it costs a share no more than what the bucket took."""
    assert s.world
    price, used = s.share_price(), s.auction.call("lossBudget").usedWad
    keeper.open()
    for _ in keeper.fill_all():
        s.world.align_pools()
        budget = s.auction.call("lossBudget")
        assert budget.usedWad <= budget.budgetWad
        # a bucket's worth and a day's leak at most, and an hour's interest
        assert s.share_price() >= price * (1 - (budget.budgetWad + used) / WAD - 1e-4)
    s.warp(max(1, s.auction.call("current").endsAt - s.now() + 1))
    s.refresh_prices()
    s.world.align_pools()
    checks(s)


def exposure(s: Levered, symbol: str) -> float:
    row: dict[str, Any] = read_status(s.contracts)["assets"][symbol]
    return float(row["weight"])


def test_basket__of_a_live_levered_vault__gains_an_asset_and_loses_another(vault: Levered) -> None:
    """EQ-90 EQ-93 EQ-94 EQ-96 EQ-99: old reports refused, positions rotated, shares keep their value."""
    s, world = vault, vault.world
    assert world
    keeper = keeper_of(s)
    start, leverage = s.share_price(), s.leverage()
    assert leverage > 1.5
    checks(s)

    # ------------------------------------------------------ LINK joins
    link = Asset(world.tokens["LINK"], world.feeds["LINK"], 0.5, LINK.decimals)
    listing = (link.token, link.feed, 90_000, 50, 10**10, 10**27)
    s.price_oracle.send("setFeed", listing, sender=s.owner)
    before = s.share_price()
    four = change_basket(s, [*assets_of(s), link])
    assert before * (1 - 1e-6) <= s.share_price() <= before
    checks(four)
    refuses_reports_of(s)
    with pytest.raises(ContractRevert, match="RebalanceAuction__NoReports"):
        keeper.open()
    four.warp(60)
    four.post_reports()
    assert s.vault.call("mode") == 0
    with pytest.raises(ContractRevert, match="RebalanceAuction__NoReports"):
        keeper.open()  # they have not settled
    four.warp(SETTLE)
    four.refresh_prices()
    trade(four, keeper)
    assert keeper.deployment.symbols == ("BTC", "ETH", "SPX", "LINK")
    assert exposure(four, "LINK") > 0.1
    state = s.auction.call("riskState")
    assert state.reason == 0
    assert [share / WAD for share in state.sharesWad] == pytest.approx([0.25] * 4, abs=0.03)
    assert four.leverage() > 1.3
    loss = s.auction.call("params").lossBudgetWad / WAD
    assert s.share_price() > start * (1 - loss)

    # ------------------------------------------------------ BTC leaves
    report(four)
    btc, *rest = assets_of(four)
    three = change_basket(four, rest, [btc])
    checks(three)
    basket = [asset.token.address for asset in rest]
    three.refuses("RiskParityVault__NotSold", s.vault, "setBasket", basket, sender=s.owner)
    report(three)
    shown = read_status(s.contracts)["assets"]
    assert list(shown) == ["ETH", "SPX", "LINK", "BTC", "cash"]
    assert (shown["BTC"]["target"], shown["BTC"]["risk_share"], shown["BTC"]["budget"]) == (0.0, None, None)
    before, held, days = s.share_price(), exposure(three, "BTC"), 0
    assert held > 0.1
    while exposure(three, "BTC") > 0.00005:
        assert days < 4
        trade(three, keeper)
        days += 1
        three.warp(22 * HOUR)
        report(three)
    price = s.share_price()
    s.vault.send("setBasket", basket, sender=s.owner)
    assert price * (1 - 1.1e-4) <= s.share_price() <= price
    assert s.share_price() > before * (1 - days * loss)
    left = replace(three, tokens=three.tokens[:3], feeds=three.feeds[:3], decimals=three.decimals[:3])
    checks(left)
    assert list(read_status(s.contracts)["assets"]) == ["ETH", "SPX", "LINK", "cash"]
    if s.auction.call("riskState").reason:
        trade(left, keeper)
    state = s.auction.call("riskState")
    assert state.parityGapWad < 0.03 * WAD
    assert left.leverage() == pytest.approx(left.targets_met(), rel=0.1)
    refuses_reports_of(s)
    refuses_reports_of(four)
    # and the last one out takes all but the exit fee along
    debt, fee = s.debt(), s.vault.call("fees").exitFeeWad / WAD
    s.vault.send("redeemInKind", s.shares(s.alice), s.alice, s.alice, [], sender=s.alice)
    assert s.debt() <= 1.01 * fee * debt + 1
