"""Optional sections of a configuration: who governs, and what is checked before anything is sent."""

from __future__ import annotations

from dataclasses import dataclass

from equipoise.errors import InputError
from equipoise.units import to_wad

__all__ = ["ChecksConfig", "GovernanceConfig"]

DAY = 86_400


@dataclass(frozen=True)
class GovernanceConfig:
    """A DAO of the shareholders as the owner: a governor in front of a timelock.

    Times in seconds; `proposal_threshold` and `quorum` as fractions of the vault's supply. The contracts
    check every range again.
    """

    delay: int = 2 * DAY
    voting_delay: int = DAY
    voting_period: int = 5 * DAY
    late_quorum_extension: int = DAY
    proposal_threshold: float = 0.01
    quorum: float = 0.1

    def settings(self) -> tuple[int, ...]:
        """ParityGovernor.Settings."""
        times = self.voting_delay, self.voting_period, self.late_quorum_extension
        return *times, to_wad(self.proposal_threshold), to_wad(self.quorum)


@dataclass(frozen=True)
class ChecksConfig:
    """How strictly the configuration is held against the chain; nothing of it is deployed.

    A trade of `trade_fraction` of the deposit cap may cost at most `max_slippage` of its value in an asset's
    pool, and the pool's price may differ from the feed's by at most the fraction `max_deviation`: on a test
    net, where nobody trades, set both high. `require_pools` false lets an asset have no pool at all.
    """

    trade_fraction: float = 0.001
    max_slippage: float = 0.02
    max_deviation: float = 0.2
    require_pools: bool = True

    def __post_init__(self) -> None:
        for name in ("trade_fraction", "max_slippage", "max_deviation"):
            if not getattr(self, name) > 0:
                raise InputError(f"checks: {name} is {getattr(self, name)}; give a fraction above 0")
        if self.trade_fraction > 1:
            raise InputError(
                f"checks: trade_fraction is {self.trade_fraction}; give at most 1, the whole cap"
            )
