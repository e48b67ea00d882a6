"""What the feeds say, whether it counts, and what a book is then worth. WAD prices, smallest units."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

BPS = 10_000


def up(value: int, numerator: int, denominator: int) -> int:
    """value x numerator / denominator, rounded up."""
    return -(-value * numerator // denominator)


def portion(whole: int, part: float) -> int:
    """That part in [0, 1] of a number, rounded down; all of it for 1."""
    return whole * round(part * 10**18) // 10**18


@dataclass
class Feed:
    """A feed's last round (8 decimals) and the terms under which the oracle takes it."""

    answer: int
    updated_at: int
    heartbeat: int
    half_spread_bps: int
    least_wad: int
    most_wad: int
    decimals: int

    @property
    def mid(self) -> int:
        return self.answer * 10**10

    @property
    def bid(self) -> int:
        return self.mid * (BPS - self.half_spread_bps) // BPS

    @property
    def ask(self) -> int:
        return up(self.mid, BPS + self.half_spread_bps, BPS)

    @property
    def unit(self) -> int:
        return int(10**self.decimals)

    def usable(self, now: int) -> bool:
        in_time = self.updated_at <= now <= self.updated_at + self.heartbeat
        return self.answer > 0 and in_time and self.least_wad <= self.mid <= self.most_wad


@dataclass(frozen=True)
class Nav:
    """In smallest units of cash."""

    bid: int
    mid: int
    ask: int


def nav(balances: Sequence[int], feeds: Sequence[Feed], debt: int) -> Nav:
    """Cash + what the basket is worth in cash - debt, at three prices; the cash last. Never below 0."""
    *basket, cash = zip(balances, feeds, strict=True)
    held, money = cash
    mid = sum(b * f.mid // f.unit for b, f in basket) * money.unit // money.mid
    bid = sum(b * f.bid // f.unit for b, f in basket) * money.unit // money.ask
    # an ask that the division cut would be too low by less than a wei
    ask = up(sum(b * f.ask // f.unit + 1 for b, f in basket if b), money.unit, money.bid)
    return Nav(*(max(0, held + value - debt) for value in (bid, mid, ask)))
