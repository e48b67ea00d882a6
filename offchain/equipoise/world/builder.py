"""Deploys everything that a world holds, in the same order every time, so that addresses never change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from eth_utils import keccak, to_checksum_address

from equipoise.client.artifacts import load_artifact, load_npm_artifact
from equipoise.client.contract import Contract, create
from equipoise.client.rpc import RpcChain
from equipoise.units import FEED_DECIMALS, USDC_DECIMALS, to_feed
from equipoise.world.aave import Aave
from equipoise.world.assets import CASH, PLEDGE, PLEDGE_DECIMALS, AssetSpec
from equipoise.world.lending import deploy_market, open_market
from equipoise.world.ticks import sqrt_price_x96
from equipoise.world.uniswap import Market, Uniswap

__all__ = [
    "DEPLOYER",
    "PROVIDER",
    "WETH",
    "build_world",
    "mint",
    "provided",
    "reference_x96",
    "value_in_token1",
]

WETH = "canonical-weth/build/contracts/WETH9"
CAPITAL_USD = 10**13
"""Of the liquidity provider and of the arbitrageur, in each token: they never run dry."""

LENDING_DEPTH = 10
"""Supply of an asset at the lending market over the depth of its pool."""
CASH_SUPPLY_USD = 200e6
OUTSIDE_UTILISATION = 0.2
CASH_UTILISATION = 0.75
CASH_TERMS = 0.77, 0.80, 0.045
"""LTV, liquidation threshold and bonus of USDC; the pledge has the same."""
_PLEDGE_USD = 10**13

_ETHER = 10**30
_MAX = 2**256 - 1
_FEED_ONE = 10**FEED_DECIMALS


def _actor(name: str) -> str:
    return str(to_checksum_address(keccak(text=f"equipoise.world.{name}")[12:]))


DEPLOYER = _actor("deployer")
PROVIDER = _actor("liquidity-provider")


def reference_x96(market: Market, answers: Mapping[str, int], decimals: Mapping[str, int]) -> int:
    """Pool price that agrees with the feeds. Both mappings by token address; answers have 8 decimals."""
    a, b = market.token0.address, market.token1.address
    return sqrt_price_x96(answers[a] * 10 ** decimals[b], answers[b] * 10 ** decimals[a])


def value_in_token1(
    market: Market, usd: float, answers: Mapping[str, int], decimals: Mapping[str, int]
) -> int:
    """Raw token1 worth an amount of USD at the feeds' prices."""
    token1 = market.token1.address
    return int(usd * _FEED_ONE) * 10 ** decimals[token1] // answers[token1]


def build_world(chain: RpcChain, assets: Sequence[AssetSpec], lending: bool = False) -> dict[str, Any]:
    """Deploy tokens, feeds, Uniswap V3 and its liquidity, and with `lending` Aave V3 and its public.

    The arbitrageur gets its capital.

    Returns
    -------
    dict
        What `World` needs to find everything again, JSON-serialisable: assets, addresses, positions.
    """
    chain.request("anvil_setBalance", DEPLOYER, hex(_ETHER))
    weth = create(chain, load_npm_artifact(WETH), sender=DEPLOYER)
    uniswap = Uniswap.deploy(chain, DEPLOYER, weth.address)
    batch = create(chain, load_artifact("FeedBatch"), DEPLOYER, sender=DEPLOYER)
    arbitrageur = create(chain, load_artifact("Arbitrageur"), DEPLOYER, sender=DEPLOYER)

    specs = {CASH: ("USD Coin", CASH, USDC_DECIMALS, 1.0)}
    specs |= {a.symbol: (a.token_name, a.token_symbol, a.decimals, a.price) for a in assets}
    tokens: dict[str, Contract] = {}
    feeds: dict[str, Contract] = {}
    answers: dict[str, int] = {}
    decimals: dict[str, int] = {}
    for symbol, (name, token_symbol, places, price) in specs.items():
        if symbol == "ETH":
            token = weth
        else:
            args = name, token_symbol, places, DEPLOYER
            token = create(chain, load_artifact("TestToken"), *args, sender=DEPLOYER)
        feed_args = f"{symbol} / USD", FEED_DECIMALS, batch
        feeds[symbol] = create(chain, load_artifact("TestAggregator"), *feed_args, sender=DEPLOYER)
        tokens[symbol] = token
        answers[token.address] = to_feed(price)
        decimals[token.address] = places
        capital = CAPITAL_USD * 10 ** (FEED_DECIMALS + places) // answers[token.address]
        for holder in (PROVIDER, arbitrageur.address):
            mint(chain, token, holder, capital)
        token.send("approve", uniswap.positions, _MAX, sender=PROVIDER)
    batch.send("push", list(feeds.values()), list(answers.values()), sender=DEPLOYER)

    markets = []
    for asset in assets:
        sides = tokens[asset.symbol], tokens[CASH]
        token0, token1 = sorted(sides, key=lambda token: int(token.address, 16))
        start = sqrt_price_x96(
            answers[token0.address] * 10 ** decimals[token1.address],
            answers[token1.address] * 10 ** decimals[token0.address],
        )
        markets.append(uniswap.create_pool(token0, token1, asset.pool_fee, start, DEPLOYER))
    depths = [
        value_in_token1(market, asset.depth_usd, answers, decimals)
        for market, asset in zip(markets, assets, strict=True)
    ]
    markets, _ = uniswap.provide(markets, depths, PROVIDER)
    symbols = [asset.symbol for asset in assets]
    aave = _build_aave(chain, assets, tokens, feeds, batch, answers, decimals) if lending else None

    def addresses(contracts: Mapping[str, Contract]) -> dict[str, str]:
        return {name: contract.address for name, contract in contracts.items()}

    return {
        "assets": [asdict(asset) for asset in assets],
        "weth": weth.address,
        "uniswap": {
            "factory": uniswap.factory.address,
            "router": uniswap.router.address,
            "quoter": uniswap.quoter.address,
            "positions": uniswap.positions.address,
        },
        "aave": aave,
        "batch": batch.address,
        "arbitrageur": arbitrageur.address,
        "tokens": addresses(tokens),
        "feeds": addresses(feeds),
        "pools": addresses({symbol: market.pool for symbol, market in zip(symbols, markets, strict=True)}),
        "provided": provided(dict(zip(symbols, markets, strict=True))),
    }


def _build_aave(
    chain: RpcChain,
    assets: Sequence[AssetSpec],
    tokens: Mapping[str, Contract],
    feeds: Mapping[str, Contract],
    batch: Contract,
    answers: Mapping[str, int],
    decimals: Mapping[str, int],
) -> dict[str, Any]:
    """The manifest of a lending market, ten times as deep as the pools."""
    pledge = create(
        chain, load_artifact("TestToken"), PLEDGE, PLEDGE, PLEDGE_DECIMALS, DEPLOYER, sender=DEPLOYER
    )
    pledge_feed = create(
        chain, load_artifact("TestAggregator"), f"{PLEDGE} / USD", FEED_DECIMALS, batch, sender=DEPLOYER
    )
    batch.send("push", [pledge_feed], [_FEED_ONE], sender=DEPLOYER)
    everything = {**tokens, PLEDGE: pledge}
    places = {symbol: decimals[token.address] for symbol, token in tokens.items()} | {PLEDGE: PLEDGE_DECIMALS}
    terms = {a.symbol: (a.ltv, a.liquidation_threshold, a.liquidation_bonus) for a in assets}
    terms |= {CASH: CASH_TERMS, PLEDGE: CASH_TERMS}
    actors = {role: _actor(f"aave-{role}") for role in ("admin", "lender", "borrower", "liquidator")}
    manifest = deploy_market(chain, everything, {**feeds, PLEDGE: pledge_feed}, places, terms, actors, CASH)
    manifest["pledge"] = pledge.address

    usd = {asset.symbol: LENDING_DEPTH * asset.depth_usd for asset in assets}
    usd |= {CASH: CASH_SUPPLY_USD, PLEDGE: _PLEDGE_USD}
    answer = {symbol: answers[token.address] for symbol, token in tokens.items()} | {PLEDGE: _FEED_ONE}
    supplies = {s: int(usd[s] * _FEED_ONE) * 10 ** places[s] // answer[s] for s in everything}
    for symbol, token in everything.items():
        # the pledge is the borrower's; of the others it has as much as is supplied, for its interest
        if symbol != PLEDGE:
            mint(chain, token, actors["lender"], supplies[symbol])
        mint(chain, token, actors["borrower"], supplies[symbol])
    mint(chain, tokens[CASH], actors["liquidator"], CAPITAL_USD * 10**USDC_DECIMALS)
    utilisation = {asset.symbol: OUTSIDE_UTILISATION for asset in assets} | {CASH: CASH_UTILISATION}
    open_market(Aave(chain, manifest, everything, places), supplies, utilisation)
    return manifest


def provided(markets: Mapping[str, Market]) -> dict[str, list[Any]]:
    """The provider's positions in a form that JSON keeps exact: integers beyond 2^53 as text."""
    return {
        symbol: [[[str(part) for part in position] for position in m.concentrated], str(m.centre_x96)]
        for symbol, m in markets.items()
    }


def mint(chain: RpcChain, token: Contract, to: str, amount: int) -> None:
    """Raw tokens out of nothing: minted, or for WETH9 deposited from the deployer's ether."""
    if not token.interface.has("deposit"):
        token.send("mint", to, amount, sender=DEPLOYER)
        return
    balance = chain.balance(DEPLOYER)
    if balance < amount:
        chain.request("anvil_setBalance", DEPLOYER, hex(amount + _ETHER))
    token.send("deposit", sender=DEPLOYER, value=amount)
    token.send("transfer", to, amount, sender=DEPLOYER)
