"""What a proposal would do, on a fork of the connected chain: nothing is sent to the chain itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from equipoise.client.contract import Contract
from equipoise.client.deployment import Deployment
from equipoise.errors import ContractRevert, InputError
from equipoise.governance.draft import Draft
from equipoise.units import from_wad
from equipoise.world.fork import Fork

__all__ = ["Effect", "RiskView", "forked", "look", "simulate"]

MODES = ("Normal", "NoIncrease", "DeleverOnly", "InKindOnly")
REASONS = ("no", "parity gap", "volatility too low", "volatility too high")


@dataclass(frozen=True)
class RiskView:
    """Where the vault stands: fractions of NAV by symbol; empty and None where the chain cannot tell.

    `may_open` says why an auction may open, or "no"; `volatility` and `target_volatility` a year.
    """

    mode: str
    budgets: dict[str, float]
    exposures: dict[str, float]
    targets: dict[str, float]
    leverage: float | None
    target_leverage: float | None
    volatility: float | None
    target_volatility: float | None
    parity_gap: float | None
    may_open: str


@dataclass(frozen=True)
class Effect:
    """Before and after an execution, and its gas (all calls, as the timelock makes them)."""

    before: RiskView
    after: RiskView
    gas_used: int


def look(deployment: Deployment) -> RiskView:
    """The vault's risk as its lens tells it."""
    state = deployment.dashboard()
    risk = state.risk if state.hasRisk else None

    def by_symbol(values: list[int]) -> dict[str, float]:
        # a basket may have changed since the deployment was written down
        return {_symbol(deployment, t): from_wad(v) for t, v in zip(state.tokens, values, strict=False)}

    return RiskView(
        mode=MODES[state.mode],
        budgets=by_symbol(state.budgetsWad),
        exposures=by_symbol(risk.exposuresWad) if risk else {},
        targets=by_symbol(risk.targetsWad) if risk else {},
        leverage=from_wad(risk.leverageWad) if risk else None,
        target_leverage=from_wad(risk.targetLeverageWad) if risk else None,
        volatility=from_wad(risk.volatilityWad) if risk else None,
        target_volatility=from_wad(risk.targetVolatilityWad) if risk else None,
        parity_gap=from_wad(risk.parityGapWad) if risk else None,
        may_open=REASONS[risk.reason] if risk else "no",
    )


def _symbol(deployment: Deployment, token: str) -> str:
    for symbol, known in zip(deployment.symbols, deployment.tokens, strict=True):
        if known.address == token:
            return symbol
    return token


@contextmanager
def forked(deployment: Deployment) -> Iterator[tuple[Deployment, Fork]]:
    """The deployment on a fork of its chain, and the fork, which end with the context.

    Raises InputError when nobody knows where the chain's node is, WorldError when it cannot be forked.
    """
    endpoint = getattr(deployment.chain, "endpoint", None)
    if not endpoint:
        raise InputError("this connection has no address to fork: connect by http or IPC")
    with Fork(endpoint) as fork:
        yield Deployment.at(fork.chain, deployment.to_json()), fork


def simulate(deployment: Deployment, draft: Draft) -> Effect:
    """Execute a draft as the vault's owner on a fork, votes and delay skipped.

    Raises
    ------
    InputError
        One of its calls would revert, or is a power given up: nobody should vote for it.
    """
    _check_powers(deployment, draft)
    with forked(deployment) as (copy, fork):
        owner = copy.vault.call("owner")
        before = look(copy)
        fork.fund(owner)
        gas_used = 0
        for i, call in enumerate(draft.calls):
            target = Contract(fork.chain, call.target.address, call.target.abi, call.target.name)
            try:
                gas_used += target.send(call.function, *call.args, sender=owner).gas_used
            except ContractRevert as revert:
                raise InputError(
                    f"call {i + 1} of {len(draft.calls)}, {target.name}.{call.function}, would fail when the "
                    f"proposal is executed: {revert}"
                ) from revert
        return Effect(before, look(copy), gas_used)


def _check_powers(deployment: Deployment, draft: Draft) -> None:
    timelock = deployment.timelock
    for call in draft.calls:
        if timelock is not None and timelock.call("abdicated", call.target.address, call.data[:4]):
            raise InputError(f"governance gave up {call.target.name}.{call.function} for ever")
