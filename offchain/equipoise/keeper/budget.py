"""What a keeper may spend: a transaction, a rolling day, a unit of gas; protection has a purse of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from equipoise.client.outbox import Outbox
from equipoise.client.signing import GAS_MARGIN, Fees
from equipoise.errors import BudgetError, InputError
from equipoise.keeper.plan import PROTECTION, gas_of
from equipoise.units import DAY

__all__ = ["Budget", "Limits"]

_ETHER = 10**18
_GWEI = 10**9


@dataclass(frozen=True)
class Limits:
    """Ether for whole transactions, gwei for a unit of gas.

    `protection_…` are those of the ripcord and its fills, of corrections of reports, and of the cancellations
    that make way for them, beside the others. A transaction that fails counts with what it cost, one on its
    way, or whose nonce went to another, with the most that it may cost. Receipts are believed.
    """

    per_day: float = 0.05
    per_transaction: float = 0.02
    gas_price: float = 100.0
    protection_per_day: float = 6.0
    protection_per_transaction: float = 3.0
    protection_gas_price: float = 1_000.0

    def __post_init__(self) -> None:
        for name, value in self.__dict__.items():
            if not 0 < value < 1e9:
                raise InputError(f"limits: {name} is {value}; give more than 0, less than 1e9")

    def contradiction(self, n: int) -> str | None:
        """What keeps a ripcord's fill of `n` assets from ever being paid at `protection_gas_price`."""
        gas = int(gas_of("basket", n, True) * GAS_MARGIN)
        needed = gas * Fees(int(self.protection_gas_price * _GWEI), 0).limit / _ETHER
        for name in ("protection_per_transaction", "protection_per_day"):
            given = getattr(self, name)
            if given < needed:
                reach = self.protection_gas_price * given / needed
                return (
                    f"limits: {name} is {given:g} ether: a ripcord's fill of {n} assets is paid up to "
                    f"{reach:.0f} gwei, not protection_gas_price = {self.protection_gas_price:g}; give "
                    f"{needed:.3g} or more"
                )
        return None


@dataclass(frozen=True)
class _Purse:
    per_day: int
    per_transaction: int
    gas_price: int


class Budget:
    """Says no before anything is signed.

    Parameters
    ----------
    limits
        See `Limits`.
    outbox
        What was spent, and what is on its way.
    now
        Time of the chain {unix s}.
    balance
        The account's {wei}.
    """

    def __init__(
        self, limits: Limits, outbox: Outbox, now: Callable[[], int], balance: Callable[[], int]
    ) -> None:
        self.limits, self._outbox = limits, outbox
        self._now, self._balance = now, balance
        made = limits
        self._work = _Purse(
            int(made.per_day * _ETHER), int(made.per_transaction * _ETHER), int(made.gas_price * _GWEI)
        )
        self._protection = _Purse(
            int(made.protection_per_day * _ETHER),
            int(made.protection_per_transaction * _ETHER),
            int(made.protection_gas_price * _GWEI),
        )

    def spent(self, protection: bool = False) -> int:
        """Wei that were spent in the last day, and may be by what is on its way."""
        flying = sum(p.ceiling for p in self._outbox.in_flight() if (p.kind in PROTECTION) == protection)
        since = self._now() - DAY
        guarding = self._outbox.spent_since(since, PROTECTION)
        return flying + (guarding if protection else self._outbox.spent_since(since) - guarding)

    def left(self, protection: bool = False) -> int:
        """Wei that may still be spent within the day."""
        purse = self._protection if protection else self._work
        return max(0, purse.per_day - self.spent(protection))

    def allow(self, kind: str, gas: int, fees: Fees) -> None:
        """Raises BudgetError naming the limit that a transaction of `gas` at `fees` would pass."""
        protection = kind in PROTECTION
        purse = self._protection if protection else self._work
        price, ceiling = fees.base + fees.tip, gas * fees.limit
        prefix = "protection_" if protection else ""
        if price > purse.gas_price:
            raise BudgetError(
                f"{kind}: gas costs {price / _GWEI:.3g} gwei, {prefix}gas_price allows "
                f"{purse.gas_price / _GWEI:.3g}; wait, or raise it"
            )
        if ceiling > purse.per_transaction:
            raise BudgetError(
                f"{kind}: may cost {ceiling / _ETHER:.3g} ether, {prefix}per_transaction allows "
                f"{purse.per_transaction / _ETHER:.3g}; wait for cheaper gas, or raise it"
            )
        if ceiling > self.left(protection):
            raise BudgetError(
                f"{kind}: may cost {ceiling / _ETHER:.3g} ether, {self.left(protection) / _ETHER:.3g} of "
                f"{prefix}per_day = {purse.per_day / _ETHER:.3g} are left; wait, or raise it"
            )
        if ceiling > self._balance():
            raise BudgetError(
                f"{kind}: may cost {ceiling / _ETHER:.3g} ether, the account holds "
                f"{self._balance() / _ETHER:.3g}; send it some"
            )
