"""The vault's own rule for when to rebalance, and the trades that a rebalance needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from math import isfinite

from equipoise.errors import InputError

__all__ = ["CASH", "Bands", "Reason", "State", "Trade", "plan_trades", "should_rebalance"]

CASH = "USDC"


class Reason(Enum):
    """Why an auction may open, numbered as `IRebalanceAuction.Reason`; NONE is false."""

    NONE = 0
    PARITY_GAP = 1
    VOLATILITY_TOO_LOW = 2
    VOLATILITY_TOO_HIGH = 3
    RETIRING_ASSET = 4

    def __bool__(self) -> bool:
        return self is not Reason.NONE


@dataclass(frozen=True)
class Bands:
    """Largest deviations that are left alone; each >= 0.

    Attributes
    ----------
    parity_gap
        Of the variance, absolute.
    volatility
        Relative to its target.
    """

    parity_gap: float = 0.03
    volatility: float = 0.10


@dataclass(frozen=True)
class State:
    """What the rule looks at; all >= 0. The target volatility is that of the capped target exposures."""

    parity_gap: float
    volatility: float
    target_volatility: float


@dataclass(frozen=True)
class Trade:
    """Sell one asset for another, `usd` > 0 at mid; cash is `CASH`."""

    sell: str
    buy: str
    usd: float


def should_rebalance(state: State, bands: Bands | None = None) -> Reason:
    """Why to rebalance, as `RebalanceAuction` decides it: too much risk, imbalance, too little risk.

    A deviation equal to its band is left alone.
    """
    bands = bands or Bands()
    for name, value in (*vars(state).items(), *vars(bands).items()):
        if not (isfinite(value) and value >= 0):
            raise InputError(f"{name} is {value}; it must be finite and >= 0")
    margin = bands.volatility * state.target_volatility
    if state.volatility > state.target_volatility + margin:
        return Reason.VOLATILITY_TOO_HIGH
    if state.parity_gap > bands.parity_gap:
        return Reason.PARITY_GAP
    if state.volatility + margin < state.target_volatility:
        return Reason.VOLATILITY_TOO_LOW
    return Reason.NONE


def plan_trades(
    values: Mapping[str, float],
    cash: float,
    targets: Mapping[str, float],
    min_usd: float = 0.0,
    debt: float = 0.0,
    borrowable: float = 0.0,
) -> list[Trade]:
    """Trades through cash that move holdings to their targets.

    NAV is values + cash - debt. What a sale brings repays debt and can be borrowed again.

    Parameters
    ----------
    values
        USD value held of each asset, >= 0, cash apart.
    cash
        USD held in cash, >= 0.
    targets
        Target exposure of each asset, fraction of NAV, >= 0; same keys. Without borrowing their sum is at
        most 1 (the rest stays cash).
    min_usd
        Smaller trades are left out.
    debt, borrowable
        USD owed, and USD that may be borrowed beside what sales repay, >= 0.

    Returns
    -------
    list of Trade
        Sells of surpluses, the largest first; then buys of deficits, all scaled alike if cash runs short.
    """
    if set(values) != set(targets) or CASH in values:
        raise InputError(
            f"values {sorted(values)} and targets {sorted(targets)} must name the same, without {CASH}"
        )
    numbers = cash, min_usd, debt, *values.values(), *targets.values()
    if not all(isfinite(v) and v >= 0 for v in numbers) or not borrowable >= 0:
        raise InputError("values, cash, targets, min_usd and debt must be finite and >= 0, borrowable >= 0")
    if sum(targets.values()) > 1 + 1e-9 and borrowable == 0 and debt == 0:
        raise InputError(
            f"targets sum to {sum(targets.values()):.6g}; without borrowing they sum to at most 1"
        )
    nav = cash + sum(values.values()) - debt
    if nav < 0:
        raise InputError(
            f"debt {debt:g} exceeds what is held, {nav + debt:g}: there is nothing left to rebalance"
        )
    excess = {name: value - targets[name] * nav for name, value in values.items()}
    sells = sorted(((usd, name) for name, usd in excess.items() if usd > 0), key=lambda s: (-s[0], s[1]))
    buys = sorted(((-usd, name) for name, usd in excess.items() if usd < 0), key=lambda b: (-b[0], b[1]))
    sells = [(usd, name) for usd, name in sells if usd >= min_usd]
    available = cash + sum(usd for usd, _ in sells) + borrowable
    wanted = sum(usd for usd, _ in buys)
    scale = min(1.0, available / wanted) if wanted > 0 else 0.0
    trades = [Trade(name, CASH, usd) for usd, name in sells]
    trades += [Trade(CASH, name, usd * scale) for usd, name in buys if usd * scale >= min_usd and scale > 0]
    return trades
