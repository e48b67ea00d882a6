"""The keeper on eight assets and real pools: it opens when allowed, fills all that pays, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from equipoise.errors import ContractRevert
from equipoise.keeper import Fill, Keeper
from equipoise.units import WAD, from_token
from tests.fixtures.market import Market

USD = 10**6


def make_keeper(market: Market, **options: Any) -> Keeper:
    assert market.world
    world = market.world

    def wait_until(timestamp: int) -> None:
        if timestamp > world.chain.timestamp():
            world.warp_to(timestamp)

    return Keeper(market.contracts, market.keeper, world.quoter, wait_until, **options)


@pytest.fixture
def keeper(market: Market) -> Keeper:
    market.deposit(market.alice, 500_000)
    return make_keeper(market)


def blocks(market: Market) -> int:
    return int(market.chain.request("eth_blockNumber"), 16)


def fill_everything(market: Market, keeper: Keeper) -> list[Fill]:
    assert market.world
    fills = []
    for fill in keeper.fill_all():
        fills.append(fill)
        market.world.align_pools()
    return fills


def gap(market: Market) -> float:
    return float(market.contracts.dashboard().risk.parityGapWad) / WAD


def test_fill_all__new_deposit__every_asset_is_at_its_target(market: Market, keeper: Keeper) -> None:
    keeper.open()
    fills = fill_everything(market, keeper)
    state = market.contracts.dashboard()
    assert {fill.buy for fill in fills} == {token.address for token in market.tokens}
    for weight, target in zip(state.weightsWad, state.risk.targetsWad, strict=False):
        assert weight / WAD == pytest.approx(target / WAD, abs=0.001 + 1e-4)
    assert gap(market) < market.auction.call("params").parityBandWad / WAD
    assert keeper.opportunities() == []


def test_fill_all__after_a_price_jump__sells_the_surplus_before_it_buys(
    market: Market, keeper: Keeper
) -> None:
    assert market.world
    keeper.open()
    fill_everything(market, keeper)
    market.warp(3600)
    market.set_price(3, market.price(3) * 1.5)
    market.refresh_prices()
    market.world.align_pools()
    keeper.open()
    fills = fill_everything(market, keeper)
    assert any(fill.sell == market.tokens[3].address for fill in fills)
    assert gap(market) < market.auction.call("params").parityBandWad / WAD


def test_open__nothing_to_rebalance__reverts_by_name_and_mines_nothing(
    market: Market, keeper: Keeper
) -> None:
    keeper.open()
    fill_everything(market, keeper)
    market.warp(3600)
    before = blocks(market)
    with pytest.raises(ContractRevert) as caught:
        keeper.open()
    assert caught.value.name.startswith("RebalanceAuction__")
    assert blocks(market) == before


def test_open__auction_in_course__reverts_by_name(market: Market, keeper: Keeper) -> None:
    keeper.open()
    with pytest.raises(ContractRevert, match="RebalanceAuction__"):
        keeper.open()


def test_fill_all__no_auction__sends_no_transaction(market: Market, keeper: Keeper) -> None:
    before = blocks(market)
    assert keeper.opportunities() == []
    assert list(keeper.fill_all()) == []
    assert blocks(market) == before


def test_fill_all__auction_over__sends_no_transaction(market: Market, keeper: Keeper) -> None:
    keeper.open()
    market.warp(market.auction.call("current").endsAt - market.now() + 1)
    before = blocks(market)
    assert list(keeper.fill_all()) == []
    assert blocks(market) == before


def test_fill_all__gas_costs_more_than_lots_are_worth__leaves_them(market: Market, keeper: Keeper) -> None:
    keeper.open()
    keeper.gas_usd = 1e9
    assert keeper.opportunities() == []
    assert list(keeper.fill_all()) == []


def test_fill_all__gas_to_earn_back__every_fill_leaves_at_least_that(market: Market, keeper: Keeper) -> None:
    keeper.gas_usd = 20.0
    keeper.open()
    fills = fill_everything(market, keeper)
    units = {t.address: 10**d for t, d in zip(market.tokens, market.decimals, strict=True)}
    prices = {t.address: market.price(i) for i, t in enumerate(market.tokens)}
    assert fills
    for fill in fills:
        earned = fill.profit / units[fill.buy] * prices[fill.buy] if fill.buy in units else fill.profit / USD
        # the profit is counted in the bought token, whose smallest unit may be worth a dollar
        assert earned >= 20.0 * (1 - 1e-5) - prices.get(fill.buy, 1.0) / units.get(fill.buy, USD)


def test_opportunities__gas_to_earn_back__waits_longer(market: Market, keeper: Keeper) -> None:
    keeper.open()
    free = {(lot.sell, lot.buy): lot.at for lot in keeper.opportunities()}
    keeper.gas_usd = 50.0
    dear = {(lot.sell, lot.buy): lot.at for lot in keeper.opportunities()}
    assert set(dear) <= set(free)
    assert dear
    assert all(dear[pair] >= free[pair] for pair in dear)
    assert any(dear[pair] > free[pair] for pair in dear)


def test_opportunities__lot_moves_the_pool__only_a_part_of_it_is_filled(market: Market) -> None:
    market.deposit(market.alice, 9_000_000)  # a tenth of a pool and more
    keeper = make_keeper(market)
    keeper.open()
    parts = {}
    for lot in keeper.opportunities():
        whole = market.auction.call("quoteBid", lot.sell, lot.buy, 2**256 - 1).sold
        parts[lot.buy] = whole // lot.sell_amount
    assert set(parts.values()) <= {1, 2, 4, 8}
    assert max(parts.values()) > 1
    fills = fill_everything(market, keeper)
    assert len(fills) > len({fill.buy for fill in fills})
    bucket = market.auction.call("params").lossBudgetWad / WAD
    assert sum(fill.cost_usd for fill in fills) <= bucket * 9_000_000 * 2


def test_fill__bid_at_the_planned_second__succeeds_and_not_a_dollar_is_the_keepers(
    market: Market, keeper: Keeper
) -> None:
    keeper.open()
    (lot, *_) = sorted(keeper.opportunities(), key=lambda lot: lot.at)
    before = {token.address: token.call("balanceOf", market.keeper) for token in market.tokens}
    cash = market.cash_of(market.keeper)
    keeper._wait_until(lot.at)
    fill = keeper.fill(lot)
    assert market.cash_of(market.keeper) == cash
    assert fill.timestamp >= lot.at
    for token in market.tokens:
        gained = token.call("balanceOf", market.keeper) - before[token.address]
        assert gained == (fill.profit if token.address == fill.buy else 0)


class Rival(Keeper):
    """A keeper that always arrives just after somebody else has taken the very lot."""

    fast: Keeper
    lost: int = 0

    def fill(self, lot: Any) -> Fill:
        if self.lost < 3:
            self.lost += 1
            # the whole lot is taken by somebody who pays from its own pocket
            self.market.bid(self._token(lot.sell), self._token(lot.buy))
        return super().fill(lot)

    def _token(self, address: str) -> Any:
        return next(t for t in [*self.market.tokens, self.market.cash] if t.address == address)

    market: Market


@pytest.fixture
def slow(market: Market) -> Rival:
    market.deposit(market.alice, 500_000)
    rival = Rival(
        market.contracts,
        market.mallory,
        market.world.quoter,
        make_keeper(market)._wait_until,  # type: ignore[union-attr]
    )
    rival.market = market
    return rival


def test_fill_all__another_keeper_is_faster__goes_on_with_the_other_lots(market: Market, slow: Rival) -> None:
    slow.open()
    before = market.wealth(market.mallory)
    fills = fill_everything(market, slow)
    taken = market.tokens
    assert slow.lost == 3
    assert len({fill.buy for fill in fills}) == len(taken) - 3
    assert market.wealth(market.mallory) >= before
    assert gap(market) < market.auction.call("params").parityBandWad / WAD


def test_fill__pool_pays_less_than_planned__reverts_and_costs_no_token(
    market: Market, keeper: Keeper
) -> None:
    keeper.open()
    lot = keeper.opportunities()[0]
    greedy = replace(lot, min_profit=lot.min_profit + 10**30)
    keeper._wait_until(lot.at)
    before = market.fingerprint()
    with pytest.raises(ContractRevert, match="UniswapV3Filler__"):
        keeper.fill(greedy)
    assert market.fingerprint() == before


def test_fill_all__min_trade__small_lots_are_left(market: Market) -> None:
    market.deposit(market.alice, 500_000)
    coarse = make_keeper(market, min_trade=0.9)
    coarse.open()
    assert coarse.opportunities() == []
    fine = make_keeper(market, min_trade=0.0)
    values = [from_token(lot.sell_amount) for lot in fine.opportunities() if lot.sell == market.cash.address]
    assert len(values) == 8
