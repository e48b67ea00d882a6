"""The Dutch auction's price curve, as in `AuctionMath`: P(t) = start * exp(-ln(start / end) * t / duration).

Prices are multiples of the oracle's mid, for what a bidder pays: 1.01 is a premium of 1 % in the vault's
favour, 0.995 a discount of 0.5 %.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, exp, isfinite, log

from equipoise.errors import InputError

__all__ = ["PriceCurve"]


@dataclass(frozen=True)
class PriceCurve:
    """Exponential decay from `start` to `end` (start >= end > 0) over `duration` whole seconds, > 0."""

    start: float
    end: float
    duration: int

    def __post_init__(self) -> None:
        if not (isfinite(self.start) and self.start >= self.end > 0):
            raise InputError(f"curve from {self.start} to {self.end}: prices must fall and be > 0")
        if self.duration <= 0:
            raise InputError(f"duration is {self.duration} s; it must be > 0")

    def price(self, elapsed: float) -> float:
        """Price after `elapsed` >= 0 seconds; from the duration on it stays at the end."""
        if not elapsed >= 0:
            raise InputError(f"{elapsed} s have elapsed; the auction starts at 0")
        if elapsed >= self.duration:
            return self.end
        return self.start * exp(-log(self.start / self.end) * elapsed / self.duration)

    def earliest(self, price: float) -> int | None:
        """First whole second at which the curve is at or below `price`; None when it never is.

        A filler who can sell at `price` (a multiple of mid, after its own costs) should bid then.
        """
        if not price > 0:
            raise InputError(f"price {price} is not > 0")
        if price >= self.start:
            return 0
        if price < self.end:
            return None
        second = ceil(self.duration * log(self.start / price) / log(self.start / self.end))
        # the logarithm may be off by one rounding: step to the exact second
        while second > 0 and self.price(min(second - 1, self.duration)) <= price:
            second -= 1
        while second < self.duration and self.price(second) > price:
            second += 1
        return min(second, self.duration)
