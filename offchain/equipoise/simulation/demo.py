"""The demo, start to end: world, deployment, users, replay. `equipoise demo` and `ape run demo` call it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pandas as pd

from equipoise.client.config import (
    ZERO_ADDRESS,
    AssetConfig,
    AuctionConfig,
    DeploymentConfig,
    OracleConfig,
)
from equipoise.client.deployment import Deployment, deploy
from equipoise.errors import InputError
from equipoise.estimation.ewma import EstimationConfig
from equipoise.marketdata.packages import default_prices
from equipoise.marketdata.prices import load_prices
from equipoise.simulation.committee import Committee
from equipoise.simulation.replay import DayView, Replay, ReplayConfig
from equipoise.simulation.result import ReplayResult
from equipoise.units import DAY
from equipoise.world import AssetSpec, World

__all__ = ["DEFAULT_ASSETS", "DemoOptions", "demo_prices", "local_config", "run_demo"]

DEFAULT_ASSETS = ("BTC", "ETH", "BNB", "LINK", "SPX")
DEFAULT_START, DEFAULT_END = "2020-01-01", "2022-12-31"
SIGNERS, THRESHOLD = 5, 3
MAX_ASSETS = 8
MIN_DAYS = 60
FALLBACK_ETH_PRICE = 1_500.0
USERS = ("alice", "bob", "carol", "dave", "keeper", "latency_trader")


@dataclass(frozen=True)
class DemoOptions:
    """What the command line may change.

    `prices` is a CSV with `date` and one column an asset; the default data otherwise. Budgets in the order of
    the assets, equal when omitted.
    """

    days: int | None = None
    prices: Path | None = None
    assets: Sequence[str] | None = None
    budgets: Sequence[float] | None = None
    target_vol: float = 0.15
    replay: ReplayConfig = field(default_factory=ReplayConfig)


def demo_prices(options: DemoOptions) -> pd.DataFrame:
    """The closes to replay, NaN where a market was closed; named errors for anything unusable."""
    if options.prices is not None:
        frame = load_prices(options.prices, options.assets)
    else:
        frame = default_prices(options.assets or DEFAULT_ASSETS, start=DEFAULT_START, end=DEFAULT_END)
    if not 2 <= len(frame.columns) <= MAX_ASSETS:
        raise InputError(
            f"{len(frame.columns)} assets ({', '.join(map(str, frame.columns))}): a vault holds 2 to "
            f"{MAX_ASSETS}; choose with --assets"
        )
    if options.days is not None:
        if not options.days >= MIN_DAYS:
            raise InputError(
                f"--days is {options.days}; give at least {MIN_DAYS}: the signers need 30 common closes first"
            )
        frame = frame.iloc[: options.days]
    if len(frame) < MIN_DAYS:
        raise InputError(f"{len(frame)} days of prices; at least {MIN_DAYS} are needed")
    return frame


def local_config(
    world: World,
    symbols: Sequence[str],
    budgets: Sequence[float],
    signers: Sequence[str],
    *,
    owner: str,
    target_vol: float = 0.15,
) -> DeploymentConfig:
    """The configuration of a vault on the local world: the same object that a testnet's file makes."""
    cash = AssetConfig("USDC", world.tokens["USDC"], world.feeds["USDC"], 0.5, 2.0, half_spread_bps=10)
    assets = tuple(
        AssetConfig(
            symbol,
            world.tokens[symbol],
            world.feeds[symbol],
            min_price=1e-8,
            max_price=1e9,
            pool_fee=world.pool_fees[symbol],
        )
        for symbol in symbols
    )
    return DeploymentConfig(
        name="Equipoise Risk Parity",
        symbol="eqRP",
        cash=cash,
        assets=assets,
        budgets=tuple(budgets),
        oracle=OracleConfig(tuple(signers), THRESHOLD),
        owner=owner,
        guardian=owner if owner != ZERO_ADDRESS else world.accounts[0],
        fee_recipient=owner,
        uniswap_factory=world.factory.address,
        swap_router=world.router.address,
        auction=AuctionConfig(target_volatility=target_vol),
    )


def run_demo(
    options: DemoOptions,
    on_day: Callable[[DayView], None] = lambda _: None,
    on_stage: Callable[[str], None] = lambda _: None,
) -> ReplayResult:
    """Build the world, deploy, replay. Leaves no process behind, whatever happens."""
    closes = demo_prices(options)
    symbols = [str(name) for name in closes.columns]
    filled = closes.ffill().bfill()
    budgets = list(options.budgets or [1 / len(symbols)] * len(symbols))
    seed = options.replay.seed
    on_stage("signers read their own price history")
    committee = Committee(closes, SIGNERS, seed, EstimationConfig())
    on_stage("anvil starts; Uniswap V3, tokens and feeds are deployed")
    specs = [AssetSpec.of(symbol, float(filled[symbol].iloc[0])) for symbol in symbols]
    begin = int(filled.index[0].timestamp()) + DAY // 2
    with World.build(specs, start_timestamp=begin) as world:
        deployer, *others = world.accounts
        on_stage("the vault is deployed")
        config = local_config(
            world, symbols, budgets, committee.addresses, owner=deployer, target_vol=options.target_vol
        )
        deployment: Deployment = deploy(world.chain, deployer, config)
        users = dict(zip(USERS, others, strict=False))
        committee.bind(deployment, relayer=users["keeper"])
        on_stage(f"{len(filled)} days are replayed")
        eth = filled["ETH"] if "ETH" in filled else pd.Series(FALLBACK_ETH_PRICE, index=filled.index)
        result = Replay(world, deployment, filled, committee, users, eth, options.replay).run(on_day)
    described = {
        **result.config,
        "prices": str(options.prices or "default"),
        "signers": f"{THRESHOLD} of {SIGNERS}",
        "target_volatility": options.target_vol,
    }
    return replace(result, config=described)
