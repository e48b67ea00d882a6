"""What a deployment is made from: one file for a testnet, the same object for the local world.

Values stand in the units that people use (fractions, seconds, USD); they become WAD here and nowhere else.
The contracts check every range again: this file only checks what would otherwise fail late.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import yaml
from eth_utils import is_address, to_checksum_address

from equipoise.client.options import ChecksConfig, GovernanceConfig
from equipoise.errors import InputError
from equipoise.units import pack_budgets, to_wad

__all__ = [
    "AssetConfig",
    "AuctionConfig",
    "ChainConfig",
    "ChecksConfig",
    "DeploymentConfig",
    "FeesConfig",
    "GovernanceConfig",
    "GuardConfig",
    "OracleConfig",
    "RealizedConfig",
    "build_section",
]

DEFAULT_POOL_FEE = 3000
_NOBODY = "0x" + "0" * 40


@dataclass(frozen=True)
class AssetConfig:
    """A token, how it is priced and where it trades.

    `heartbeat` in seconds; `half_spread_bps` at least the feed's deviation threshold (1e-4); price bounds in
    USD per whole token; `pool_fee` of the Uniswap V3 pool against cash (1e-6), unused for cash itself.
    `twap_window` in seconds: the feed must agree with that pool's mean price over it, within the fraction
    `twap_band`; 0 for no such check.
    """

    symbol: str
    token: str
    feed: str
    min_price: float
    max_price: float
    heartbeat: int = 90_000
    half_spread_bps: int = 50
    pool_fee: int = DEFAULT_POOL_FEE
    twap_window: int = 0
    twap_band: float = 0.2

    def listing(self) -> tuple[str, str, int, int, int, int]:
        """IPriceOracle.FeedConfig."""
        bounds = to_wad(self.min_price), to_wad(self.max_price)
        return self.token, self.feed, self.heartbeat, self.half_spread_bps, *bounds

    def twap(self, pool: str) -> tuple[str, int, int]:
        """IPriceOracle.Twap."""
        return pool, self.twap_window, round(self.twap_band * 10_000)


@dataclass(frozen=True)
class ChainConfig:
    """Facts of the chain: its seconds between blocks, and on an L2 Chainlink's sequencer uptime feed.

    No price counts while the sequencer is down, nor for `grace_period` seconds after.
    """

    block_time: int = 12
    sequencer_feed: str | None = None
    grace_period: int = 3600

    def params(self) -> tuple[str, int, int]:
        """IPriceOracle.ChainConfig."""
        return self.sequencer_feed or _NOBODY, self.grace_period, self.block_time


@dataclass(frozen=True)
class RealizedConfig:
    """Realised volatility on chain: times in seconds, `warm_up` the weight gathered before it counts.

    A half-life of 11 days is RiskMetrics' daily decay of 0.94.
    """

    half_life: int = 11 * 86_400
    min_interval: int = 3600
    max_interval: int = 86_400
    parity_interval: int = 86_400
    warm_up: float = 0.5

    def params(self) -> tuple[int, ...]:
        """IRealizedVolatility.Params."""
        intervals = self.min_interval, self.max_interval, self.parity_interval
        return self.half_life, *intervals, to_wad(self.warm_up)


@dataclass(frozen=True)
class OracleConfig:
    """Signers and bounds of the volatility oracle: seconds, fraction a day, smallest eigenvalue.

    For `settle_period` seconds after a post anyone may replace it by one with more reports, and what was
    before it stays in use.
    `floor_fraction` of an asset's realised volatility is the least that counts, `parity_fraction` of the
    parity portfolio's likewise; `signer_delay` seconds pass before a new signer counts.
    """

    signers: tuple[str, ...]
    threshold: int
    max_report_age: int = 3600
    settle_period: int = 600
    max_fall_per_day: float = 0.2
    eigenvalue_floor: float = 0.01
    floor_fraction: float = 0.7
    parity_fraction: float = 0.7
    signer_delay: int = 2 * 86_400

    def params(self) -> tuple[int, ...]:
        fractions = self.max_fall_per_day, self.eigenvalue_floor, self.floor_fraction, self.parity_fraction
        ages = self.max_report_age, self.settle_period
        return *ages, *map(to_wad, fractions), self.signer_delay


@dataclass(frozen=True)
class GuardConfig:
    """Ages, in seconds, after which risk may not rise, or may only fall, and health factors likewise."""

    volatilities_fresh_for: int = 36 * 3600
    delever_after: int = 96 * 3600
    correlations_fresh_for: int = 21 * 86_400
    correlations_delever_after: int = 45 * 86_400
    trigger_health: float = 1.3
    increase_health: float = 1.45
    target_health: float = 1.6

    def params(self) -> tuple[int, ...]:
        volatilities = self.volatilities_fresh_for, self.delever_after
        correlations = self.correlations_fresh_for, self.correlations_delever_after
        healths = self.trigger_health, self.increase_health, self.target_health
        return *volatilities, *correlations, *(to_wad(health) for health in healths)


@dataclass(frozen=True)
class AuctionConfig:
    """Target, bands, curve, loss budget and the ripcord as fractions; durations in seconds.

    The borrow rate is a year's. `max_leverage` above 1 needs a lending pool in the deployment.
    """

    target_volatility: float = 0.15
    max_leverage: float = 0.98
    parity_band: float = 0.03
    volatility_band: float = 0.10
    start_premium: float = 0.01
    end_discount: float = 0.01
    loss_budget: float = 0.005
    cash_buffer: float = 0.02
    max_borrow_rate: float = 0.2
    ripcord_discount: float = 0.03
    ripcord_duration: int = 900
    duration: int = 1800

    def params(self) -> tuple[int, ...]:
        values = asdict(self)
        durations = values.pop("ripcord_duration"), values.pop("duration")
        return *(to_wad(value) for value in values.values()), *durations


@dataclass(frozen=True)
class FeesConfig:
    """Fractions; management is a year's."""

    entry: float = 0.0005
    exit: float = 0.0005
    management: float = 0.0
    performance: float = 0.0

    def params(self) -> tuple[int, ...]:
        return tuple(to_wad(value) for value in asdict(self).values())


@dataclass(frozen=True)
class DeploymentConfig:
    """Everything that `deploy` needs. Budgets in the order of the assets, summing to 1.

    `aave_pool` is the Aave V3 pool to borrow from; without one the vault has no leverage. Either `owner` is
    an account, or `governance` makes the shareholders' timelock the owner. Without a `swap_router` Uniswap's
    own first SwapRouter is deployed, which needs the address of `weth`. `salt` chooses the addresses of the
    contracts; `chain_id` names the one network for which the file is meant.
    """

    name: str
    symbol: str
    cash: AssetConfig
    assets: tuple[AssetConfig, ...]
    budgets: tuple[float, ...]
    oracle: OracleConfig
    guardian: str
    fee_recipient: str
    uniswap_factory: str
    owner: str | None = None
    governance: GovernanceConfig | None = None
    swap_router: str | None = None
    weth: str | None = None
    aave_pool: str | None = None
    chain_id: int | None = None
    salt: int = 0
    chain: ChainConfig = field(default_factory=ChainConfig)
    realized: RealizedConfig = field(default_factory=RealizedConfig)
    guard: GuardConfig = field(default_factory=GuardConfig)
    auction: AuctionConfig = field(default_factory=AuctionConfig)
    fees: FeesConfig = field(default_factory=FeesConfig)
    checks: ChecksConfig = field(default_factory=ChecksConfig)
    deposit_cap: float = 100_000_000.0
    cash_decimals: int = 6

    def __post_init__(self) -> None:
        if not 2 <= len(self.assets) <= 8:
            raise InputError(f"{len(self.assets)} assets: a basket has 2 to 8; edit `assets`")
        if len(self.budgets) != len(self.assets):
            raise InputError(f"{len(self.budgets)} budgets for {len(self.assets)} assets: give one each")
        symbols = [asset.symbol for asset in self.assets]
        if len(set(symbols)) != len(symbols):
            raise InputError(f"assets {symbols} repeat a symbol; each must be unique")
        pack_budgets(self.budgets)
        if self.auction.max_leverage > 1 and not self.levered:
            raise InputError(
                f"max_leverage is {self.auction.max_leverage} without a lending pool; name one in "
                "`aave_pool`, or give at most 1"
            )
        if (self.owner is None) == (self.governance is None):
            given = "both `owner` and `governance`" if self.owner else "neither `owner` nor `governance`"
            raise InputError(f"{given}: give one, an account or the shareholders' timelock")
        if self.swap_router is None and self.weth is None:
            raise InputError(
                "no `swap_router`: name the first SwapRouter of this network, or give `weth` to deploy one"
            )
        if not 0 <= self.salt < 2**64:
            raise InputError(f"salt is {self.salt}; give a whole number from 0 to 2^64 - 1")

    @property
    def levered(self) -> bool:
        return self.aave_pool is not None

    @property
    def symbols(self) -> tuple[str, ...]:
        return tuple(asset.symbol for asset in self.assets)

    @property
    def budgets_word(self) -> int:
        return pack_budgets(self.budgets)

    @classmethod
    def from_yaml(cls, path: str | Path) -> DeploymentConfig:
        """Read a configuration file; names every key that is missing, unknown or not an address."""
        source = Path(path)
        try:
            data = yaml.safe_load(source.read_text())
        except (OSError, yaml.YAMLError) as error:
            raise InputError(f"cannot read the configuration {source}: {error}") from error
        return cls.from_dict(data)

    @classmethod
    def from_dict(cls, data: Any) -> DeploymentConfig:
        data = dict(_mapping(data, "the configuration"))
        nested = {
            "cash": AssetConfig,
            "oracle": OracleConfig,
            "chain": ChainConfig,
            "realized": RealizedConfig,
            "guard": GuardConfig,
            "auction": AuctionConfig,
            "fees": FeesConfig,
            "governance": GovernanceConfig,
            "checks": ChecksConfig,
        }
        for key, kind in nested.items():
            if data.get(key) is not None:
                data[key] = build_section(kind, data[key], key)
        if "assets" in data:
            items = _sequence(data["assets"], "assets")
            data["assets"] = tuple(
                build_section(AssetConfig, item, f"assets[{i}]") for i, item in enumerate(items)
            )
        if "budgets" in data:
            numbers = _sequence(data["budgets"], "budgets")
            data["budgets"] = tuple(_number(b, "float", f"budgets[{i}]") for i, b in enumerate(numbers))
        return build_section(cls, data, "the configuration")


_ADDRESS_KEYS = {"token", "feed", "guardian", "fee_recipient", "uniswap_factory"}
_OPTIONAL_ADDRESS_KEYS = {"owner", "swap_router", "weth", "aave_pool", "sequencer_feed"}
_OPTIONAL_KEYS = _OPTIONAL_ADDRESS_KEYS | {"governance", "chain_id"}


def _mapping(data: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(data, Mapping):
        raise InputError(f"{where} must be a mapping of keys to values, got {type(data).__name__}")
    return data


def _sequence(data: Any, where: str) -> Sequence[Any]:
    if isinstance(data, str) or not isinstance(data, Sequence):
        raise InputError(f"{where} must be a list, got {data!r}")
    return data


_NUMBERS: dict[str, tuple[type, ...]] = {"int": (int,), "float": (int, float)}


def _number(value: Any, kind: str, where: str) -> Any:
    if isinstance(value, bool) or not isinstance(value, _NUMBERS[kind]):
        raise InputError(f"{where} is {value!r}; give {'a whole number' if kind == 'int' else 'a number'}")
    return value


def build_section(kind: type, data: Any, where: str) -> Any:
    """A dataclass from a mapping of a file. Raises InputError naming what is missing, unknown or wrong."""
    values = dict(_mapping(data, where))
    known = {f.name: str(f.type).removesuffix(" | None") for f in fields(kind)}
    if unknown := sorted(set(values) - set(known)):
        raise InputError(f"{where} has unknown keys {unknown}; known are {sorted(known)}")
    for key, value in values.items():
        if key in _OPTIONAL_KEYS and value is None:
            continue
        if key in _ADDRESS_KEYS | _OPTIONAL_ADDRESS_KEYS:
            values[key] = _address(value, f"{where}: {key}")
        elif known[key] in _NUMBERS:
            values[key] = _number(value, known[key], f"{where}: {key}")
        elif known[key] == "str" and not isinstance(value, str):
            raise InputError(f"{where}: {key} is {value!r}; give text, in quotes")
        elif known[key] == "bool" and not isinstance(value, bool):
            raise InputError(f"{where}: {key} is {value!r}; give true or false")
    if "signers" in values:
        signers = _sequence(values["signers"], f"{where}: signers")
        values["signers"] = tuple(_address(s, f"{where}: signers") for s in signers)
    try:
        return kind(**values)
    except TypeError as error:
        raise InputError(f"{where}: {str(error).partition('() ')[2] or error}") from error


def _address(value: Any, where: str) -> str:
    if not is_address(value) or not int(value, 16):
        raise InputError(f"{where} is {value!r}, which is no address of anything; quote it in YAML: '0x…'")
    return str(to_checksum_address(value))
