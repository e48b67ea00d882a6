"""What trading, borrowing and gas cost, in fractions and dollars."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from equipoise.errors import InputError
from equipoise.types import FloatArray

__all__ = ["CostModel"]

_ETHER_PER_GWEI = 1e-9
_DEPTH_MOVE = 0.01
_ITERATIONS = 50
_TOLERANCE = 1e-12


@dataclass(frozen=True)
class CostModel:
    """Costs of a portfolio of `nav_usd` dollars at its start.

    Attributes
    ----------
    fee
        Fraction of each dollar traded that pool fee, spread and fillers take, in [0, 0.1].
    depth_usd
        Dollars that move a pool's price by 1 %, > 0, of every asset or one for each; a trade of q pays half
        of its move, q / depth / 200. Infinite for no impact.
    borrow_rate
        Interest on debt a year, in [0, 1].
    nav_usd
        > 0: how much money the impact and the gas are for.
    gas_per_rebalance, gas_per_fill, gas_per_report
        Gas of opening an auction, of a trade between one asset and cash, and of a day's oracle posts.
    gas_price_gwei, eth_usd
        For gas in USD. Keepers pay it: it stands beside the path, never in it.
    """

    fee: float = 0.003
    depth_usd: float | tuple[float, ...] = 20e6
    borrow_rate: float = 0.04
    nav_usd: float = 1e6
    gas_per_rebalance: int = 200_000
    gas_per_fill: int = 350_000
    gas_per_report: int = 250_000
    gas_price_gwei: float = 20.0
    eth_usd: float = 2_000.0

    def __post_init__(self) -> None:
        for name, low, high in (
            ("fee", 0.0, 0.1),
            ("borrow_rate", 0.0, 1.0),
            ("gas_per_rebalance", 0, 1e8),
            ("gas_per_fill", 0, 1e8),
            ("gas_per_report", 0, 1e8),
            ("gas_price_gwei", 0.0, 1e6),
            ("eth_usd", 0.0, 1e7),
        ):
            if not low <= getattr(self, name) <= high:
                raise InputError(f"{name} is {getattr(self, name)}; give {low:g} to {high:g}")
        if not 0 < self.nav_usd < np.inf:
            raise InputError(f"nav_usd is {self.nav_usd}; it must be finite and > 0")
        for depth in self.depth_usd if isinstance(self.depth_usd, tuple) else (self.depth_usd,):
            if not depth > 0:
                raise InputError(f"depth_usd is {depth}; it must be > 0, inf for no impact")

    def check_assets(self, n: int) -> None:
        """InputError unless the depths are for n assets."""
        if isinstance(self.depth_usd, tuple) and len(self.depth_usd) != n:
            raise InputError(f"{len(self.depth_usd)} of depth_usd for {n} assets; give one each, or a number")

    def of(self, trades: FloatArray, nav: float) -> float:
        """Fraction of NAV that trades (n,), fractions of it, give away at a NAV of `nav` times the first."""
        sizes = np.abs(trades)
        impact = 0.5 * _DEPTH_MOVE * self.nav_usd * nav / np.asarray(self.depth_usd)
        return float(self.fee * sizes.sum() + (impact * sizes) @ sizes)

    def to_reach(self, targets: FloatArray, exposures: FloatArray, nav: float) -> float:
        """Fraction of NAV, at most 1, that it takes to hold `targets` (n,), fractions of what it leaves."""
        cost = 0.0
        for _ in range(_ITERATIONS):  # each makes the rest smaller by the cost of a dollar traded
            last, cost = cost, min(1.0, self.of(targets * (1 - cost) - exposures, nav))
            if abs(cost - last) < _TOLERANCE:
                break
        return cost

    def gas_usd(self, gas: float) -> float:
        """Price of gas."""
        return gas * self.gas_price_gwei * _ETHER_PER_GWEI * self.eth_usd
