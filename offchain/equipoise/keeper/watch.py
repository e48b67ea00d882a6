"""What somebody should hear of, judged from a keeper's facts."""

from __future__ import annotations

from dataclasses import dataclass

from equipoise.errors import InputError
from equipoise.keeper.alerts import Alerts
from equipoise.keeper.facts import Facts
from equipoise.keeper.lots import MODES, ripcord_due
from equipoise.units import from_wad

__all__ = ["Thresholds", "unfilled", "watch"]

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


def unfilled(facts: Facts, since: int | None) -> tuple[int | None, str | None]:
    """Since when a ripcord has had work to do {unix s}, and what to tell once its discount had time to rise.

    `since` is what the last look said. That it is filled bit by bit is no excuse: its work is the target.
    """
    state, target = facts.state, facts.guard.targetHealthWad
    at_work = facts.ripcord_open and state.healthFactorWad < target
    if not (at_work or ripcord_due(state, facts.guard)):
        return None, None
    since = facts.now if since is None else since
    if facts.now - since <= facts.auction.ripcordDuration:
        return since, None
    health = f"the health factor is {from_wad(state.healthFactorWad):.3f}, its target {from_wad(target):.3f}"
    return since, (
        f"{(facts.now - since) // 60} min of ripcord were not enough: {health}; is a pool dry or a token "
        "paused? See the runbook, Falling health factor"
    )
