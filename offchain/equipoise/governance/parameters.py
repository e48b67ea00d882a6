"""Every parameter of every contract: unit, hard range, default, and who may change it how fast.

The one list behind proposals, behind the table in contracts/README.md (which
``python -m equipoise.governance.table`` writes) and behind the test that holds both against the contracts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from equipoise.client.config import (
    AssetConfig,
    AuctionConfig,
    ChainConfig,
    DeploymentConfig,
    FeesConfig,
    GuardConfig,
    OracleConfig,
    RealizedConfig,
)
from equipoise.client.deployment import Deployment
from equipoise.client.options import GovernanceConfig
from equipoise.errors import InputError
from equipoise.units import DAY, LANE_SCALE, WAD, Number, to_wad

__all__ = ["PARAMETERS", "Parameter", "find_parameter"]

MINUTE, HOUR = 60, 3_600
LOWER = "lower"
BOOK_MAX = 2**96 - 1
"""A book entry of the vault, so also the deposit cap."""

Bound = int | str
"""A raw value, or the name of a parameter of the same setter."""


@dataclass(frozen=True)
class Parameter:
    """One parameter, in the contract's own integers.

    `contract` is an attribute of `Deployment`, `name` what the setter's error says. A bound that is a name
    is the value of that parameter in the same call. `tighter` is the direction that the guardian may take at
    once (empty: none), `high_unlevered` the upper bound without a lending account where it differs, `error`
    what the setter says outside the range.
    """

    contract: str
    setter: str
    name: str
    unit: str
    low: Bound
    high: Bound
    default: int | None
    tighter: str = ""
    high_unlevered: int | None = None
    error: str = "ParameterOutOfRange"
    note: str = ""

    @property
    def key(self) -> str:
        """``auction.targetVolatility``: what `ape run propose parameter` takes."""
        return f"{self.contract}.{self.name.removesuffix('Wad')}"

    @property
    def construction(self) -> bool:
        return self.setter == "constructor"

    @property
    def abdicable(self) -> bool:
        """Only what the timelock owns: its own settings and the governor's cannot be given up."""
        return not self.construction and self.contract not in ("governor", "timelock")

    def raw(self, value: Number, cash_decimals: int = 6) -> int:
        """The contract's integer for a value in people's unit (a fraction, seconds, USD).

        Raises InputError unless the value is a finite number, and whole where the unit is.
        """
        if self.name.endswith("Wad"):
            return to_wad(value)
        scale = {"cash": 10**cash_decimals, "of variance": LANE_SCALE}.get(self.unit, 1)
        scaled = to_wad(value) * scale
        if scaled % WAD:
            raise InputError(f"{self.key} is {value}: give a whole number of {self.unit}")
        return scaled // WAD

    def shown(self, raw: Bound) -> str:
        """A raw value as people read it."""
        if isinstance(raw, str):
            return f"`{raw.removesuffix('Wad')}`"
        if self.name.endswith("Wad"):
            return f"{raw / WAD:g}"
        if self.unit == "s":
            return _seconds(raw)
        if self.unit == "of variance":
            return f"{raw / LANE_SCALE:g}"
        return "2^96 - 1" if raw == BOOK_MAX else f"{raw:,}"

    def bounds(self, deployment: Deployment, values: dict[str, int]) -> tuple[int, int]:
        """The range in a call that sets `values` (raw, by name), on this deployment."""
        low, high = (values[bound] if isinstance(bound, str) else bound for bound in (self.low, self.high))
        if self.name == "minPriceWad":
            high -= 1
        if self.high_unlevered is not None and deployment.account is None:
            high = self.high_unlevered
        return low, high


def _seconds(value: int) -> str:
    for size, word in ((DAY, "day"), (HOUR, "hour"), (MINUTE, "minute"), (1, "second")):
        if value >= size and value % size == 0:
            count = value // size
            return f"{count} {word}" + ("s" if count > 1 else "")
    return "0"


Row = tuple[Any, ...]
"""Name, unit, low, high, and where there are such: tighter, high without a lending account."""


def _section(
    contract: str, setter: str, defaults: Sequence[Any], rows: Sequence[Row], **common: Any
) -> list[Parameter]:
    """Rows in the order of the setter's struct, which is the order of the defaults."""
    return [
        Parameter(contract, setter, *[*row[:4], default, *row[4:]], **common)
        for row, default in zip(rows, defaults, strict=True)
    ]


def _part(value: float) -> int:
    return to_wad(value)


_GOVERNANCE = GovernanceConfig()
_ASSET = AssetConfig("", "", "", 0, 0)
_FEED = (_ASSET.heartbeat, _ASSET.half_spread_bps, None, None)
_CAP: Any = DeploymentConfig.__dataclass_fields__["deposit_cap"].default

PARAMETERS: tuple[Parameter, ...] = (
    *_section(
        "auction",
        "setParams",
        AuctionConfig().params(),
        [
            ("targetVolatilityWad", "1/√year", _part(0.01), WAD, LOWER),
            ("maxLeverageWad", "NAV", _part(0.1), 4 * WAD, LOWER, WAD),
            ("parityBandWad", "variance", _part(0.001), _part(0.2)),
            ("volatilityBandWad", "relative", _part(0.01), _part(0.5)),
            ("startPremiumWad", "of mid", 0, _part(0.05)),
            ("endDiscountWad", "of mid", 0, _part(0.02)),
            ("lossBudgetWad", "NAV/day", _part(0.0001), _part(0.02), LOWER),
            ("cashBufferWad", "NAV", 0, _part(0.1)),
            ("maxBorrowRateWad", "1/year", 0, WAD, LOWER),
            ("ripcordDiscountWad", "of mid", _part(0.005), _part(0.04)),
            ("ripcordDuration", "s", MINUTE, HOUR),
            ("duration", "s", MINUTE, DAY),
        ],
    ),
    *_section(
        "guard",
        "setParams",
        GuardConfig().params(),
        [
            ("volatilitiesFreshFor", "s", 10 * MINUTE, 7 * DAY),
            ("deleverAfter", "s", "volatilitiesFreshFor", 30 * DAY),
            ("correlationsFreshFor", "s", HOUR, 90 * DAY),
            ("correlationsDeleverAfter", "s", "correlationsFreshFor", 180 * DAY),
            ("triggerHealthWad", "health", _part(1.05), 3 * WAD),
            ("increaseHealthWad", "health", "triggerHealthWad", 4 * WAD),
            ("targetHealthWad", "health", "increaseHealthWad", 5 * WAD),
        ],
    ),
    *_section(
        "volatility_oracle",
        "setParams",
        OracleConfig((), 0).params(),
        [
            ("maxReportAge", "s", MINUTE, DAY),
            ("settlePeriod", "s", 0, HOUR),
            ("maxFallPerDayWad", "relative/day", _part(0.01), WAD),
            ("eigenvalueFloorWad", "eigenvalue", _part(0.002), _part(0.5)),
            ("floorFractionWad", "of realised", 0, WAD),
            ("parityFractionWad", "of realised", 0, WAD),
            ("signerDelay", "s", DAY, 30 * DAY),
        ],
    ),
    Parameter(
        *("volatility_oracle", "setBudgets", "budget", "of variance", LANE_SCALE // 100, LANE_SCALE, None),
        error="VolatilityOracle__BudgetOutOfRange",
        note="each; they sum to 1",
    ),
    Parameter(
        *("volatility_oracle", "raiseThreshold", "threshold", "signers", "majority", "count", None),
        error="VolatilityOracle__ThresholdOutOfRange",
        note="lowered only by `proposeSigner`, after `signerDelay` more",
    ),
    *_section(
        "realized_volatility",
        "setParams",
        RealizedConfig().params(),
        [
            ("halfLife", "s", DAY, 90 * DAY),
            ("minInterval", "s", 10 * MINUTE, DAY),
            ("maxInterval", "s", "minInterval", 7 * DAY),
            ("parityInterval", "s", HOUR, 7 * DAY),
            ("warmUpWad", "weight", _part(0.1), _part(0.9)),
        ],
    ),
    *_section(
        "price_oracle",
        "setFeed",
        _FEED,
        [
            ("heartbeat", "s", MINUTE, 7 * DAY),
            ("halfSpreadBps", "1e-4", 0, 500),
            ("minPriceWad", "USD", 1, "maxPriceWad"),
            ("maxPriceWad", "USD", 2, 10**30),
        ],
        note="of each token; the price now must lie inside",
    ),
    *_section(
        "price_oracle",
        "setTwap",
        (None, _ASSET.twap(_ASSET.token)[2]),
        [("window", "s", 5 * MINUTE, DAY), ("bandBps", "1e-4", 100, 5_000)],
        note="of each token that a pool checks",
    ),
    *_section(
        "price_oracle",
        "constructor",
        ChainConfig().params()[1:],
        [("gracePeriod", "s", 0, DAY), ("blockTime", "s", 1, MINUTE)],
    ),
    *_section(
        "vault",
        "setFees",
        FeesConfig().params(),
        [
            ("entryFeeWad", "of a deposit", 0, _part(0.01)),
            ("exitFeeWad", "of an exit", 0, _part(0.01)),
            ("managementFeeWad", "1/year", 0, _part(0.02)),
            ("performanceFeeWad", "of a gain", 0, _part(0.2)),
        ],
    ),
    Parameter(
        *("vault", "setDepositCap", "depositCap", "cash", 0, BOOK_MAX, int(_CAP), LOWER),
        error="SafeCastOverflowedUintDowncast",
        note="default in whole units, range in the smallest",
    ),
    Parameter("governor", "setVotingDelay", "votingDelay", "s", HOUR, 14 * DAY, _GOVERNANCE.voting_delay),
    Parameter("governor", "setVotingPeriod", "votingPeriod", "s", DAY, 30 * DAY, _GOVERNANCE.voting_period),
    Parameter(
        *("governor", "setLateQuorumVoteExtension", "lateQuorumExtension", "s", 0, 7 * DAY),
        _GOVERNANCE.late_quorum_extension,
    ),
    Parameter(
        *("governor", "setProposalThreshold", "proposalThresholdWad", "supply", _part(0.0001), _part(0.05)),
        _part(_GOVERNANCE.proposal_threshold),
    ),
    Parameter(
        *("governor", "setQuorum", "quorumWad", "supply", _part(0.01), _part(0.5)), _part(_GOVERNANCE.quorum)
    ),
    Parameter("timelock", "updateDelay", "delay", "s", DAY, 30 * DAY, _GOVERNANCE.delay),
)


def find_parameter(key: str) -> Parameter:
    """By key, in any case. Raises InputError that names close ones."""
    wanted = key.lower().removesuffix("wad")
    for parameter in PARAMETERS:
        if parameter.key.lower() == wanted:
            return parameter
    tail = wanted.rpartition(".")[2]
    close = [p.key for p in PARAMETERS if tail and tail in p.key.lower()] or [p.key for p in PARAMETERS]
    raise InputError(f"there is no parameter {key!r}; choose one of {', '.join(close)}")
