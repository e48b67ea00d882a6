"""Bids without capital, on real pools; and what the filler must not be fooled by."""

from __future__ import annotations

import pytest
from eth_abi import encode
from eth_utils import keccak

from equipoise.client.contract import Contract
from equipoise.units import WAD
from tests.fixtures.market import ASSETS, Market
from tests.fixtures.system import MAX, System, artifact_contract


@pytest.fixture
def opened(market: Market) -> Market:
    """200,000 in cash, an auction at mid less 30 bp, which pays for the pools' fees."""
    market.deposit(market.alice, 200_000)
    market.open()
    market.to_curve(0.9965)
    return market


def test_fill__every_lot_through_uniswap__ends_within_the_bands(market: Market) -> None:
    """EQ-86: a full rebalance on real pools, by a keeper without a cent."""
    m = market
    m.deposit(m.alice, 200_000)
    poor, before = m.treasury, m.vault.call("totalAssets")
    m.open()
    m.to_curve(0.996)
    for sell, buy, amount in m.lots():
        order = (*m.fill_order(sell, buy, amount)[:-1], poor)
        m.filler.send("fill", order, sender=poor)
    state = m.auction.call("riskState")
    assert state.reason == 0
    assert state.parityGapWad <= 0.001 * WAD
    assert state.volatilityWad == pytest.approx(state.targetVolatilityWad, rel=0.01)
    assert m.vault.call("totalAssets") >= before * (1 - 0.0045)
    for token in [*m.tokens, m.cash]:
        assert token.call("balanceOf", m.filler) == 0


def test_fill__prices_moved__sells_surpluses_too(opened: Market) -> None:
    """EQ-110: the way back from an asset to cash, with the pools where the feeds are."""
    m = opened
    m.fill_all()
    m.warp(4_000)
    m.move([0.5, -0.3, 0, 0.4, 0, 0, 0, 0])
    m.world.align_pools()
    m.open()
    m.to_curve(0.9935)
    sold = set()
    for sell, buy, amount in m.lots():
        m.filler.send("fill", m.fill_order(sell, buy, amount), sender=m.keeper)
        sold.add(sell.address)
    assert sold >= {m.tokens[0].address, m.tokens[3].address}
    assert m.auction.call("riskState").reason == 0


def test_fill__profit__goes_to_the_receiver(opened: Market) -> None:
    """EQ-110: what the pool paid above the bid, to the wei, and no less than the minimum."""
    m = opened
    m.warp(200)
    eth = m.tokens[1]
    amount = m.auction.call("quoteBid", m.cash, eth, MAX).sold // 2
    before = eth.call("balanceOf", m.keeper)
    receipt = m.filler.send("fill", m.fill_order(m.cash, eth, amount), sender=m.keeper)
    profit = m.filler.events(receipt, "Filled")[0].profit
    assert eth.call("balanceOf", m.keeper) - before == profit > 0
    order = m.fill_order(m.cash, eth, amount // 2, min_profit=profit * 10)
    m.refuses("UniswapV3Filler__ProfitTooLow", m.filler, "fill", order, sender=m.keeper)


def test_fill__pool_pays_less_than_the_bid__is_refused(market: Market) -> None:
    """EQ-110: nobody, least of all the vault, pays for a bad pool."""
    m = market
    m.deposit(m.alice, 200_000)
    m.open()
    order = m.fill_order(m.cash, m.tokens[1], 10**9)
    m.refuses("RebalanceAuction__BidTooDear", m.filler, "fill", order, sender=m.keeper)


def test_fill__a_manipulated_pool__costs_the_filler_only(opened: Market) -> None:
    """EQ-110: a sandwich moves the pool; the vault is paid mid times curve or there is no fill."""
    m = opened
    sandwich(m, m.cash, m.tokens[1], 30_000_000 * 10**6)
    order = m.fill_order(m.cash, m.tokens[1], 10**9)
    m.refuses("RebalanceAuction__BidTooDear", m.filler, "fill", order, sender=m.keeper)


def sandwich(m: Market, sell: Contract, buy: Contract, amount: int, fee: int = 500) -> None:
    m.world.fund("USDC", m.mallory, amount)
    sell.send("approve", m.world.router, MAX, sender=m.mallory)
    params = (sell, buy, fee, m.mallory, 2**40, amount, 0, 0)
    m.world.router.send("exactInputSingle", params, sender=m.mallory)


def test_fill__bad_orders__are_refused(opened: Market) -> None:
    """EQ-110: each by its name, and nothing changes."""
    m = opened
    good = m.fill_order(m.cash, m.tokens[1], 10**9)
    nobody = "0x" + "00" * 20
    for error, order in {
        "UniswapV3Filler__ZeroAddress": (*good[:-1], nobody),
        "UniswapV3Filler__BadAmount": (*good[:4], 0, *good[5:]),
        "UniswapV3Filler__NoPool": (*good[:3], 10_000, *good[4:]),
        "RebalanceAuction__NotOpen": (good[0] + 1, *good[1:]),
        "RebalanceAuction__LotExceeded": (*good[:4], 10**11, *good[5:]),
    }.items():
        m.refuses(error, m.filler, "fill", order, sender=m.keeper)
    order = (*good[:4], MAX, *good[5:])
    m.refuses("UniswapV3Filler__BadAmount", m.filler, "fill", order, sender=m.keeper)


def test_fill__a_pool_that_runs_dry__is_refused(opened: Market) -> None:
    """EQ-110: a pool that takes less than the bid sells would leave tokens behind."""
    m = opened
    oil = next(i for i, a in enumerate(ASSETS) if a.symbol == "OIL")
    drain(m, oil)
    order = m.fill_order(m.cash, m.tokens[oil], 10**9)
    with pytest.raises(Exception, match=r"PartialSwap|BidTooDear"):
        m.filler.send("fill", order, sender=m.keeper)


def drain(m: Market, index: int) -> None:
    """Take the pool's whole liquidity on one side."""
    sandwich(m, m.cash, m.tokens[index], 10**16, ASSETS[index].pool_fee)


def test_callback__from_anyone__is_refused(opened: Market) -> None:
    """EQ-110: outside a fill nobody, not even the pool, calls back."""
    m = opened
    order = m.fill_order(m.cash, m.tokens[1], 10**9)
    data = m.filler.interface.function("fill", 1).encode(order)[4:]
    for caller in (m.mallory, m.world.pools["ETH"].address):
        m.chain.request("anvil_impersonateAccount", caller)
        args = (10**9, -(10**17), data)
        m.refuses("UniswapV3Filler__OnlyPool", m.filler, "uniswapV3SwapCallback", *args, sender=caller)


@pytest.mark.parametrize("function", ["fill", "fillBasket"])
def test_callback__from_a_fake_pool_or_re_entrant_fill__is_refused(system: System, function: str) -> None:
    """EQ-110: a factory's lie: the impostor swaps nothing, re-enters, and leaves empty-handed."""
    s = system
    s.deposit(s.alice, 100_000)
    s.open()
    order = (1, s.cash, s.tokens[0], 3_000, 10**6, 0, s.mallory)
    basket = (1, [0, 10**6, 0], [3_000] * 3, 0, s.mallory)
    again = s.filler.encode(function, order if function == "fill" else basket)
    s.impostor.send("setCall", s.filler, again, sender=s.mallory)
    s.filler.send("fill", order, sender=s.mallory)
    assert not s.impostor.call("succeeded")
    assert s.impostor.call("result")[:4] == keccak(text="UniswapV3Filler__OnlyPool(address)")[:4]
    assert s.balances()[-1] == s.units(100_000)


@pytest.mark.parametrize(("missing", "accepted"), [(1, False), (0, True)])
def test_callback__of_a_pool_that_takes_less__is_refused(
    system: System, missing: int, accepted: bool
) -> None:
    """EQ-110: UniswapV3Filler__PartialSwap: sold and owed must agree, or tokens would stay behind."""
    s = system
    s.deposit(s.alice, 100_000)
    s.open()
    token, amount = s.tokens[0], 10**9
    order = (1, s.cash, token, 3_000, amount, 0, s.mallory)
    paid = s.auction.call("quoteBid", s.cash, token, amount).bought
    token.send("mint", s.filler, paid, sender=s.owner)
    first = int(s.cash.address, 16) < int(token.address, 16)
    deltas = (amount - missing, -paid) if first else (-paid, amount - missing)
    fill = s.filler.interface.function("fill", 1).encode(order)[4:]
    data = encode(["bool", "bytes"], [False, fill])
    callback = s.filler.encode("uniswapV3SwapCallback", *deltas, data)
    s.impostor.send("setCall", s.filler, callback, sender=s.mallory)
    s.filler.send("fill", order, sender=s.mallory)
    assert s.impostor.call("succeeded") == accepted
    if not accepted:
        error = keccak(text="UniswapV3Filler__PartialSwap(uint256,uint256)")[:4]
        assert s.impostor.call("result")[:4] == error
        assert s.balances()[0] == 0


def test_fill__donated_tokens__go_to_the_next_caller_and_not_to_a_bid(opened: Market) -> None:
    """EQ-110: the filler holds nothing between calls: what is sent to it is the next caller's."""
    m = opened
    m.cash.send("transfer", m.filler, 10**6, sender=m.mallory)
    order = m.fill_order(m.cash, m.tokens[1], 10**9)
    m.filler.send("fill", order, sender=m.keeper)
    assert m.cash.call("balanceOf", m.filler) == 10**6
    fresh = artifact_contract(m.chain, "UniswapV3Filler", m.world.factory, m.auction, sender=m.owner)
    assert fresh.call("auction") == m.auction.address
