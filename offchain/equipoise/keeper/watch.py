"""What somebody should hear of, judged from a keeper's facts."""

from __future__ import annotations

from dataclasses import dataclass

from equipoise.errors import InputError
from equipoise.keeper.alerts import Alerts
from equipoise.keeper.facts import Facts
from equipoise.keeper.lots import MODES
from equipoise.units import from_wad

__all__ = ["Thresholds", "watch"]

_NO_DEBT = 2**255


@dataclass(frozen=True)
class Thresholds:
    """When to call: health factor below; age {s} of volatilities above; ether left for gas below."""

    health: float = 1.4
    report_age: int = 30 * 3600
    balance: float = 0.05

    def __post_init__(self) -> None:
        for name, value in self.__dict__.items():
            if not 0 <= value < 1e9:
                raise InputError(f"alerts: {name} is {value}; give 0 to 1e9")


def watch(facts: Facts, balance: int, thresholds: Thresholds, alerts: Alerts, mode: int | None) -> int:
    """Tell what has changed since the last look, at which the vault was in `mode`; the mode now."""
    state = facts.state
    if mode is not None and state.mode != mode:
        alerts.happened("mode", f"the vault went from {MODES[mode]} to {MODES[state.mode]}")
    health, low = state.healthFactorWad, None
    if state.levered and health < _NO_DEBT and from_wad(health) < thresholds.health:
        low = f"the health factor is {from_wad(health):.3f}, below {thresholds.health:g}"
    alerts.state("health", low)
    pulled = f"ripcord {state.auction.id} is in course" if facts.ripcord_open else None
    alerts.state("ripcord", pulled)
    stale = None
    if 0 < state.volatilitiesAge < _NO_DEBT and state.volatilitiesAge > thresholds.report_age:
        stale = f"the volatilities are {state.volatilitiesAge / 3600:.1f} h old"
    alerts.state("reports", stale)
    poor = None
    if balance < thresholds.balance * 1e18:
        poor = f"the keeper has {balance / 1e18:.4f} ether left for gas; send it some"
    alerts.state("balance", poor)
    return int(state.mode)
