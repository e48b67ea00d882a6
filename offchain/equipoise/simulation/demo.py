"""The demo, start to end: world, deployment, users, replay. `equipoise demo` and `ape run demo` call it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pandas as pd

from equipoise.client.config import (
    AssetConfig,
    AuctionConfig,
    DeploymentConfig,
    OracleConfig,
)
from equipoise.client.deploy import deploy
from equipoise.client.deploy.plan import make_plan
from equipoise.client.deployment import Deployment
from equipoise.client.preflight import inspect, refuse
from equipoise.errors import InputError
from equipoise.estimation.ewma import EstimationConfig
from equipoise.keeper import Keeper
from equipoise.marketdata.packages import default_prices
from equipoise.marketdata.prices import load_prices
from equipoise.simulation.committee import Committee
from equipoise.simulation.replay import DayView, Replay, ReplayConfig
from equipoise.simulation.result import ReplayResult
from equipoise.units import DAY, pack_budgets, to_token
from equipoise.world import AssetSpec, World

__all__ = [
    "DEFAULT_ASSETS",
    "DemoOptions",
    "Stage",
    "demo_budgets",
    "demo_prices",
    "living_world",
    "local_config",
    "run_demo",
    "stage",
]

DEFAULT_ASSETS = ("BTC", "ETH", "BNB", "LINK", "SPX", "USMV")
DEFAULT_START, DEFAULT_END = "2020-01-01", "2022-12-31"
SIGNERS, THRESHOLD = 5, 3
MAX_ASSETS = 8
MIN_DAYS = 60
TARGET_VOL_RANGE = 0.01, 1.0  # the auction's own bounds, told before a chain is started
MIN_BUDGET = 0.01  # the oracle's
UNLEVERED = 0.98  # the rest is cash for redemptions
MAX_LEVERAGE = 4.0  # the auction's
FALLBACK_ETH_PRICE = 1_500.0
POCKET_MONEY = 1_000_000.0
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
    max_leverage: float = 3.0
    replay: ReplayConfig = field(default_factory=ReplayConfig)

    def __post_init__(self) -> None:
        low, high = TARGET_VOL_RANGE
        if not low <= self.target_vol <= high:
            raise InputError(f"--target-vol is {self.target_vol}; give {low} to {high}, where 0.15 is 15 %")
        if not 0.1 <= self.max_leverage <= MAX_LEVERAGE:
            raise InputError(
                f"--max-leverage is {self.max_leverage}; give 0.1 to {MAX_LEVERAGE:g}, where up to 1 is a "
                "vault that does not borrow"
            )
        if self.replay.seed < 0:
            raise InputError(f"--seed is {self.replay.seed}; give 0 or more")

    @property
    def levered(self) -> bool:
        """Whether the vault may borrow."""
        return self.max_leverage > 1


@dataclass(frozen=True)
class Stage:
    """A deployed vault, its signers, and the accounts of the people who use it."""

    deployment: Deployment
    committee: Committee
    users: dict[str, str]


def demo_prices(options: DemoOptions) -> pd.DataFrame:
    """The closes to replay, NaN where a market was closed; named errors for anything unusable."""
    if options.prices is not None:
        frame = load_prices(options.prices, options.assets)
    else:
        assets = DEFAULT_ASSETS if options.assets is None else options.assets
        frame = default_prices(assets, start=DEFAULT_START, end=DEFAULT_END)
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
        if options.days > len(frame):
            raise InputError(
                f"--days is {options.days}, the prices have {len(frame)}; give at most that many"
            )
        frame = frame.iloc[: options.days]
    if len(frame) < MIN_DAYS:
        raise InputError(f"{len(frame)} days of prices; at least {MIN_DAYS} are needed")
    return frame


def demo_budgets(options: DemoOptions, assets: Sequence[str]) -> tuple[float, ...]:
    """Shares of variance in the order of `assets`, equal by default; InputError unless they split 1."""
    equal = [1 / len(assets)] * len(assets)
    budgets = tuple(equal if options.budgets is None else options.budgets)
    if len(budgets) != len(assets):
        names = ", ".join(assets)
        raise InputError(f"{len(budgets)} budgets for {len(assets)} assets: give one each of {names}")
    pack_budgets(budgets)
    if min(budgets) < MIN_BUDGET:
        raise InputError(f"budget {min(budgets):g} is under the least, {MIN_BUDGET:g}; leave that asset out")
    return budgets


def local_config(
    world: World,
    budgets: Sequence[float],
    signers: Sequence[str],
    *,
    owner: str,
    target_vol: float = 0.15,
    max_leverage: float = UNLEVERED,
) -> DeploymentConfig:
    """The configuration of a vault on the local world: the same object that a testnet's file makes."""
    cash = AssetConfig("USDC", world.usdc.address, world.feeds["USDC"].address, 0.5, 2.0, half_spread_bps=10)
    assets = tuple(
        AssetConfig(
            spec.symbol,
            world.tokens[spec.symbol].address,
            world.feeds[spec.symbol].address,
            min_price=1e-8,
            max_price=1e9,
            pool_fee=spec.pool_fee,
        )
        for spec in world.assets
    )
    return DeploymentConfig(
        name="Equipoise Risk Parity",
        symbol="eqRP",
        cash=cash,
        assets=assets,
        budgets=tuple(budgets),
        oracle=OracleConfig(tuple(signers), THRESHOLD),
        owner=owner,
        guardian=owner,
        fee_recipient=owner,
        uniswap_factory=world.factory.address,
        swap_router=world.router.address,
        aave_pool=world.aave.pool.address if world.aave else None,
        auction=AuctionConfig(target_volatility=target_vol, max_leverage=max_leverage),
    )


def stage(world: World, closes: pd.DataFrame, options: DemoOptions) -> Stage:
    """Deploy the vault on a world with the basket of `closes`, and point signers at it."""
    deployer, *others = world.accounts
    users = dict(zip(USERS, others, strict=False))
    committee = Committee(closes, SIGNERS, options.replay.seed, EstimationConfig())
    budgets = demo_budgets(options, [spec.symbol for spec in world.assets])
    config = local_config(
        world,
        budgets,
        committee.addresses,
        owner=deployer,
        target_vol=options.target_vol,
        max_leverage=options.max_leverage if options.levered else min(options.max_leverage, UNLEVERED),
    )
    config = replace(config, guardian=world.accounts[-1])
    refuse(inspect(world.chain, deployer, config, make_plan(world.chain, deployer, config)))
    deployment = deploy(world.chain, deployer, config)
    committee.bind(deployment, relayer=users["keeper"])
    return Stage(deployment, committee, users)


def run_demo(
    options: DemoOptions,
    on_day: Callable[[DayView, int], None] = lambda day, total: None,
    on_stage: Callable[[str], None] = lambda _: None,
) -> ReplayResult:
    """Build the world, deploy, replay. Leaves no process behind, whatever happens."""
    closes = demo_prices(options)
    demo_budgets(options, [str(symbol) for symbol in closes])
    filled = closes.ffill().bfill()
    specs = [AssetSpec.of(str(symbol), float(filled[symbol].iloc[0])) for symbol in filled]
    venues = "Uniswap V3, Aave V3" if options.levered else "Uniswap V3"
    on_stage(f"anvil starts; {venues}, tokens, feeds and the vault are deployed")
    # half a day before the first close, so that everything stands when it comes
    with World.build(
        specs, start_timestamp=int(filled.index[0].timestamp()) + DAY // 2, lending=options.levered
    ) as world:
        staged = stage(world, closes, options)
        on_stage(f"{len(filled)} days are replayed")
        eth = filled["ETH"] if "ETH" in filled else pd.Series(FALLBACK_ETH_PRICE, index=filled.index)
        replay = Replay(world, staged.deployment, filled, staged.committee, staged.users, eth, options.replay)
        result = replay.run(lambda day: on_day(day, len(filled)))
    described = {
        **result.config,
        "prices": str(options.prices or "default"),
        "signers": f"{THRESHOLD} of {SIGNERS}",
        "target_volatility": options.target_vol,
        "max_leverage": options.max_leverage,
    }
    return replace(result, config=described)


@contextmanager
def living_world(options: DemoOptions, port: int) -> Iterator[Stage]:
    """A world to play with: the vault deployed at the last closes, reports posted, one depositor invested.

    The chain listens on 127.0.0.1:`port`; its clock starts now. It ends with the context.
    """
    closes = demo_prices(options)
    filled = closes.ffill().bfill()
    specs = [AssetSpec.of(str(symbol), float(filled[symbol].iloc[-1])) for symbol in filled]
    with World.build(specs, start_timestamp=int(time.time()), port=port, lending=options.levered) as world:
        staged = stage(world, closes, options)
        deployment, dave = staged.deployment, staged.users["dave"]
        now = world.chain.timestamp()
        staged.committee.post_correlations(len(closes) - 1, now)
        staged.committee.post_volatilities(len(closes) - 1, now)
        world.warp_to(staged.deployment.volatility_oracle.call("lastPost").settlesAt)
        for user in staged.users.values():
            world.fund("USDC", user, to_token(POCKET_MONEY))
        stake = to_token(POCKET_MONEY / 2)
        deployment.cash.send("approve", deployment.vault.address, stake, sender=dave)
        deployment.vault.send("deposit", stake, dave, sender=dave)

        def wait_until(timestamp: int) -> None:
            if timestamp > world.chain.timestamp():
                world.warp_to(timestamp)

        keeper = Keeper(deployment, staged.users["keeper"], world.quoter, wait_until, gas_usd=10.0)
        keeper.open()
        for _ in keeper.fill_all():
            world.align_pools()
        yield staged
