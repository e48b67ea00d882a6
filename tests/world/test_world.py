"""The world's own promises: tokens, feeds, pools, time, state."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from equipoise.errors import ContractRevert, InputError, WorldError
from equipoise.world import CASH, DEFAULT_ASSETS, AssetSpec, World
from equipoise.world.world import DEFAULT_START

MAX = 2**256 - 1


def swap(world: World, user: str, sold: Any, bought: Any, fee: int, amount: int) -> int:
    """Raw tokens that the real SwapRouter pays."""
    sold.send("approve", world.router, MAX, sender=user)
    before = bought.call("balanceOf", user)
    world.router.send("exactInputSingle", (sold, bought, fee, user, 2**63, amount, 0, 0), sender=user)
    return int(bought.call("balanceOf", user) - before)


def deviation(world: World, symbol: str) -> float:
    prices = world.prices()
    return abs(world.pool_price(symbol) * prices[CASH] / prices[symbol] - 1)


def band(world: World, symbol: str) -> float:
    fee = world.pools[symbol].call("fee") / 1e6
    return float(fee / (1 - fee)) * (1 + 1e-9)


def test_build__of_the_default_basket__has_real_decimals_feeds_and_pools(world: World) -> None:
    decimals = {symbol: token.call("decimals") for symbol, token in world.tokens.items()}
    assert decimals == {"USDC": 6, "BTC": 8, "ETH": 18, "BNB": 18, "LINK": 18, "SPX": 18}
    assert world.tokens["ETH"].address == world.weth.address
    for asset in world.assets:
        feed, pool = world.feeds[asset.symbol], world.pools[asset.symbol]
        assert feed.call("decimals") == 8
        assert feed.call("latestRoundData").answer == round(asset.price * 1e8)
        token, fee = world.tokens[asset.symbol], asset.pool_fee
        assert world.factory.call("getPool", token, world.usdc, fee) == pool.address
        assert world.pool_price(asset.symbol) == pytest.approx(asset.price, rel=1e-6)


def test_build__twice__gives_the_same_addresses_and_clock(world: World) -> None:
    with World.build() as other:
        for group in ("tokens", "feeds", "pools"):
            ours, theirs = getattr(world, group), getattr(other, group)
            assert {s: c.address for s, c in ours.items()} == {s: c.address for s, c in theirs.items()}
        assert other.accounts == world.accounts
        assert DEFAULT_START < other.chain.timestamp() < DEFAULT_START + 300


@pytest.mark.parametrize("price", [1e-6, 1.0, 1e6])
@pytest.mark.parametrize("decimals", [2, 8, 18])
def test_build__of_any_price_and_decimals__trades(price: float, decimals: int) -> None:
    asset = AssetSpec("ODD", price, decimals, depth_usd=1e7)
    with World.build([asset]) as world:
        assert world.pool_price("ODD") == pytest.approx(price, rel=1e-6)
        world.fund(CASH, world.accounts[0], 10**10)
        bought = swap(world, world.accounts[0], world.usdc, world.tokens["ODD"], 3000, 10**10)
        assert bought / 10**decimals * price == pytest.approx(10**4, rel=6e-3, abs=price / 10**decimals)


@pytest.mark.parametrize("symbol", [asset.symbol for asset in DEFAULT_ASSETS])
@pytest.mark.parametrize("usd", [10, 100_000, 20_000_000])
def test_quoter__for_any_size__equals_the_router(world: World, symbol: str, usd: int) -> None:
    user, token, fee = world.accounts[0], world.tokens[symbol], world.pools[symbol].call("fee")
    world.fund(CASH, user, usd * 10**6)
    quote = world.quoter.call("quoteExactInputSingle", (world.usdc, token, usd * 10**6, fee, 0))
    assert quote.amountOut > 0
    assert swap(world, user, world.usdc, token, fee, usd * 10**6) == quote.amountOut


def test_liquidity__is_nested__so_that_larger_trades_cost_more(world: World) -> None:
    costs = []
    for usd in (10_000, 1_000_000, 10_000_000):
        args = (world.usdc, world.tokens["BTC"], usd * 10**6, 500, 0)
        out = world.quoter.call("quoteExactInputSingle", args).amountOut
        costs.append(1 - out / 1e8 * 40_000 / usd)
    assert costs[0] < 0.001
    assert costs == sorted(costs)
    assert 0.001 < costs[2] < 0.2


MOVES = [
    {"BTC": 40_010.0},
    {"BTC": 20_000.0, "ETH": 5_000.0, "LINK": 15.05},
    {"BTC": 400_000.0, "ETH": 25.0, "BNB": 3_000.0, "LINK": 0.5, "SPX": 9_000.0},
    {"USDC": 0.98},
]


@pytest.mark.parametrize("moves", MOVES)
def test_align_pools__after_any_move__ends_within_the_fee(world: World, moves: dict[str, float]) -> None:
    world.set_prices(moves)
    world.align_pools()
    for symbol in world.pools:
        assert deviation(world, symbol) <= band(world, symbol)


def test_align_pools__inside_the_fee__leaves_the_pool_alone(world: World) -> None:
    world.set_prices({"LINK": 15.0 * 1.002})
    before = world.pool_price("LINK")
    receipt = world.align_pools()
    assert world.pool_price("LINK") == before
    assert world.arbitrageur.events(receipt, "Aligned") == []


def test_align_pools__ends_at_the_edge__because_more_would_not_pay(world: World) -> None:
    world.set_prices({"LINK": 30.0})
    (swapped,) = world.arbitrageur.events(world.align_pools(["LINK"]), "Aligned")
    assert swapped.pool == world.pools["LINK"].address
    assert world.pool_price("LINK") == pytest.approx(30.0 * 0.997, rel=1e-9)


def test_align_pools__by_a_stranger_or_a_false_pool__is_refused(world: World) -> None:
    with pytest.raises(ContractRevert, match="OwnableUnauthorizedAccount"):
        world.arbitrageur.send("align", [], [], sender=world.accounts[1])
    with pytest.raises(ContractRevert, match="Arbitrageur__NotThePool"):
        world.arbitrageur.send("uniswapV3SwapCallback", 1, 1, b"", sender=world.accounts[1])


def test_align_pools__with_a_broken_feed__passes_it_over(world: World) -> None:
    world.push_round("BTC", -1, 0)
    world.set_prices({"ETH": 3_000.0})
    world.align_pools()
    assert world.pool_price("BTC") == pytest.approx(40_000.0)
    assert deviation(world, "ETH") <= band(world, "ETH")


def test_recentre_liquidity__after_a_move__restores_the_depth(world: World) -> None:
    args = (world.usdc, world.tokens["LINK"], 10**11, 3000, 0)

    def cost() -> float:
        out = world.quoter.call("quoteExactInputSingle", args).amountOut
        return float(1 - out / 1e18 * world.pool_price("LINK") / 1e5)

    at_first = cost()
    world.set_prices({"LINK": 30.0})
    world.align_pools()
    thin = cost()
    assert world.recentre_liquidity() is not None
    assert cost() == pytest.approx(at_first, rel=0.05)
    assert thin > 1.1 * at_first
    assert world.recentre_liquidity() is None


def test_set_prices__one_transaction__rounds_carry_its_time(world: World) -> None:
    before = world.feeds["BTC"].call("latestRoundData")
    receipt = world.set_prices({"BTC": 41_000.5, "USDC": 0.999})
    now = world.feeds["BTC"].call("latestRoundData")
    assert (now.answer, now.updatedAt) == (4_100_050_000_000, receipt.timestamp)
    assert now.roundId == before.roundId + 1
    assert world.feeds["BTC"].call("getRoundData", before.roundId) == before
    assert world.prices()["USDC"] == 0.999
    assert world.feeds["ETH"].call("latestRoundData").updatedAt < receipt.timestamp


def test_push_round__of_nonsense__is_what_the_feed_then_says(world: World) -> None:
    world.push_round("BTC", -5, 7)
    now = world.feeds["BTC"].call("latestRoundData")
    assert (now.answer, now.updatedAt) == (-5, 7)
    with pytest.raises(ContractRevert, match="TestAggregator__NotWriter"):
        world.feeds["BTC"].send("push", 1, 1, sender=world.accounts[0])
    with pytest.raises(ContractRevert, match="TestAggregator__NoRound"):
        world.feeds["BTC"].call("getRoundData", now.roundId + 1)


def test_warp__moves_one_block__and_blocks_come_a_second_apart(world: World) -> None:
    start = world.chain.timestamp()
    world.warp(86_400)
    assert world.chain.timestamp() == start + 86_400
    times = [world.set_prices({"BTC": 1.0}).timestamp for _ in range(3)]
    assert times == [start + 86_400 + i for i in (1, 2, 3)]


@pytest.mark.parametrize("symbol", ["USDC", "BTC", "ETH"])
def test_fund__any_token__adds_exactly_that(world: World, symbol: str) -> None:
    token, user = world.tokens[symbol], world.accounts[3]
    before = token.call("balanceOf", user)
    world.fund(symbol, user, 123_456_789)
    assert token.call("balanceOf", user) - before == 123_456_789


def test_revert__to_a_snapshot__restores_everything_and_time(world: World) -> None:
    start, prices = world.chain.timestamp(), world.prices()
    outer = world.snapshot()
    world.set_prices({"BTC": 80_000.0})
    inner = world.snapshot()
    world.align_pools()
    world.recentre_liquidity()
    world.warp(1000)
    world.revert(outer)
    assert (world.chain.timestamp(), world.prices()) == (start, prices)
    assert world.set_prices({"BTC": 80_000.0}).timestamp == start + 1
    world.align_pools()
    assert world.recentre_liquidity() is not None
    for used in (outer, inner, "0x77"):
        with pytest.raises(WorldError, match="no snapshot"):
            world.revert(used)


def test_load__of_a_dump__continues_as_if_nothing_had_happened(world: World, tmp_path: Path) -> None:
    world.set_prices({"BTC": 50_000.0})
    world.align_pools()
    world.warp(10_000_000)
    saved = world.dump(tmp_path / "deep" / "world.json")
    assert list(saved.parent.iterdir()) == [saved]
    with World.load(saved) as other:
        assert other.chain.timestamp() == world.chain.timestamp()
        assert other.prices() == world.prices()
        for each in (other, world):
            each.set_prices({"ETH": 2_000.0})
            each.align_pools()
            each.recentre_liquidity()
        assert other.chain.timestamp() == world.chain.timestamp()
        assert {s: other.pool_price(s) for s in other.pools} == {s: world.pool_price(s) for s in world.pools}


@pytest.mark.parametrize("text", ["", "{}", "[]", json.dumps({"format": 99}), "null"])
def test_load__of_something_else__is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "world.json"
    file.write_text(text)
    with pytest.raises(InputError, match="not a saved world"):
        World.load(file)
    with pytest.raises(InputError, match="not a saved world"):
        World.load(tmp_path / "missing.json")


@pytest.mark.parametrize(
    "changes",
    [
        {"symbol": ""},
        {"symbol": "USDC"},
        {"price": 0.0},
        {"price": -1.0},
        {"price": float("nan")},
        {"price": 1e7},
        {"decimals": 1},
        {"decimals": 19},
        {"pool_fee": 100},
        {"depth_usd": 1.0},
        {"depth_usd": float("inf")},
        {"symbol": "ETH", "decimals": 8},
    ],
)
def test_asset_spec__outside_its_ranges__is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        AssetSpec(**{"symbol": "BTC", "price": 1.0, **changes})


@pytest.mark.parametrize("symbols", [[], ["A"] * 2, [f"A{i}" for i in range(9)]])
def test_build__of_no_basket__is_refused(symbols: list[str]) -> None:
    with pytest.raises(InputError):
        World.build([AssetSpec.of(symbol, 1.0) for symbol in symbols])


def test_wrong_arguments__change_nothing(world: World) -> None:
    block = world.chain.request("eth_blockNumber")
    attempts: list[Any] = [
        lambda: world.set_prices({"DOGE": 1.0}),
        lambda: world.set_prices({"BTC": -1.0}),
        lambda: world.set_prices({"BTC": float("nan")}),
        lambda: world.push_round("DOGE", 1, 1),
        lambda: world.pool_price("USDC"),
        lambda: world.align_pools(["DOGE"]),
        lambda: world.recentre_liquidity(float("nan")),
        lambda: world.warp(0),
        lambda: world.warp_to(5),
        lambda: world.fund("BTC", world.accounts[0], 0),
        lambda: world.fund("DOGE", world.accounts[0], 1),
    ]
    for attempt in attempts:
        with pytest.raises(InputError):
            attempt()
    assert world.chain.request("eth_blockNumber") == block
