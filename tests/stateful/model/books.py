"""Shares, cash and fees as they must be after every action of a user. A refusal is the error's name."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from fractions import Fraction

from tests.stateful.model.prices import Nav, up

WAD = 10**18
YEAR = 365 * 86_400
VIRTUAL = 10**12
MARK_END = 2**96 - 1


def _dilution(supply: int, part: int) -> int:
    """New shares that then are `part` {WAD} of all."""
    return supply * part // (WAD - part)


@dataclass
class Books:
    """Fees are WAD fractions; `cash` in smallest units; `shares` of each holder."""

    supply: int
    cash: int
    entry: int
    exit: int
    management: int
    performance: int
    mark: int
    accrued_at: int
    cap: int
    recipient: str
    shares: dict[str, int] = field(default_factory=dict)

    # ------------------------------------------------------------------ fees

    def price_wad(self, mid: int, supply: int) -> int:
        return (mid + 1) * VIRTUAL * WAD // (supply + VIRTUAL)

    def price_after_fees_wad(self, mid: int, now: int) -> int:
        return self.price_wad(mid, self.supply + self.due(mid, now))

    def management_part(self, now: int) -> Fraction:
        """Of all shares, what the management fee of the time since the last accrual makes."""
        return Fraction(min(self.management * (now - self.accrued_at) // YEAR, WAD // 2), WAD)

    def management_due(self, now: int) -> int:
        return _dilution(self.supply, int(self.management_part(now) * WAD))

    def due(self, mid: int, now: int) -> int:
        """Shares that an accrual would mint."""
        supply = self.supply + (management := self.management_due(now))
        price = self.price_wad(mid, supply)
        if not self.performance or price <= self.mark or self.mark == MARK_END:
            return management
        gain = (price - self.mark) * WAD // price
        return management + _dilution(supply, gain * self.performance // WAD)

    def price(self, mid: int, now: int) -> Fraction:
        """Smallest units of cash for 1e-12 share, exactly, after the fees that are due."""
        return Fraction((mid + 1) * VIRTUAL, self.supply + self.due(mid, now) + VIRTUAL)

    def accrue(self, mid: int, now: int) -> None:
        self._mint(self.recipient, self.due(mid, now))
        self.accrued_at = now
        if self.performance:
            self.mark = min(MARK_END, max(self.mark, self.price_wad(mid, self.supply)))

    def accrue_management(self, now: int) -> None:
        self._mint(self.recipient, self.management_due(now))
        self.accrued_at = now

    def set_fees(self, fees: tuple[int, int, int, int], recipient: str, mid: int, now: int) -> None:
        self.accrue(mid, now)
        self.mark = min(MARK_END, max(self.mark, self.price_wad(mid, self.supply)))
        self.entry, self.exit, self.management, self.performance = fees
        self.recipient = recipient

    def _mint(self, who: str, shares: int) -> None:
        self.supply += shares
        self.shares[who] = self.shares.get(who, 0) + shares

    # ---------------------------------------------------------------- quotes

    def quote_deposit(self, assets: int, value: Nav, now: int) -> int:
        net = assets - up(assets, self.entry, WAD)
        return net * (self._supply_after(value, now) + VIRTUAL) // (value.ask + 1)

    def quote_mint(self, shares: int, value: Nav, now: int) -> int:
        net = up(shares, value.ask + 1, self._supply_after(value, now) + VIRTUAL)
        return up(net, WAD, WAD - self.entry)

    def quote_withdraw(self, assets: int, value: Nav, now: int) -> int:
        gross = up(assets, WAD, WAD - self.exit)
        return up(gross, self._supply_after(value, now) + VIRTUAL, value.bid + 1)

    def quote_redeem(self, shares: int, value: Nav, now: int) -> int:
        gross = shares * (value.bid + 1) // (self._supply_after(value, now) + VIRTUAL)
        return gross - up(gross, self.exit, WAD)

    def _supply_after(self, value: Nav, now: int) -> int:
        return self.supply + self.due(value.mid, now)

    # --------------------------------------------------------------- actions

    def enter(self, who: str, assets: int, shares: int, value: Nav, now: int) -> None:
        self.accrue(value.mid, now)
        self._mint(who, shares)
        self.cash += assets

    def leave(self, who: str, assets: int, shares: int, value: Nav, now: int) -> None:
        self.accrue(value.mid, now)
        self._mint(who, -shares)
        self.cash -= assets

    def leave_in_kind(
        self, who: str, shares: int, balances: list[int], debt: int, skip: Collection[int], now: int
    ) -> tuple[list[int], int]:
        """Amounts paid, the cash last, and debt repaid."""
        self.accrue_management(now)
        net, whole = shares - up(shares, self.exit, WAD), self.supply + VIRTUAL
        amounts = [0 if i in skip else b * net // whole for i, b in enumerate(balances)]
        self._mint(who, -shares)
        self.cash -= amounts[-1]
        return amounts, debt if net == whole - VIRTUAL else up(debt, net, whole)
