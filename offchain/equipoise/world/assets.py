"""What a world is made of: a token, its price, its pool."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from equipoise.errors import InputError

__all__ = [
    "CASH",
    "DEFAULT_ASSETS",
    "PLEDGE",
    "PLEDGE_DECIMALS",
    "POOL_FEES",
    "AssetSpec",
    "check_assets",
    "check_terms",
]

CASH = "USDC"
PLEDGE, PLEDGE_DECIMALS = "PLEDGE", 18
"""A token that only the lending market's outside borrower has, so that it can drain any other reserve."""
POOL_FEES = (500, 3000, 10_000)
MIN_PRICE, MAX_PRICE = 1e-6, 1e6
MIN_DEPTH_USD, MAX_DEPTH_USD = 1_000.0, 1e11
_POINT, _MAX_BONUS = 1e-4, 5.55  # Aave keeps 1 + bonus in 16 bits of basis points

# symbol: (token, its name, decimals, pool fee in millionths, USD in the pool,
#          loan to value, liquidation threshold, liquidation bonus at the lending market)
# Aave V3's Ethereum market had about these for WBTC, WETH and LINK, its BNB Chain market for BNB. Nothing
# lends against tokenised funds there yet: theirs are what brokers grant on an index fund, rounded down.
_KNOWN = {
    "BTC": ("WBTC", "Wrapped BTC", 8, 500, 60e6, 0.73, 0.78, 0.05),
    "ETH": ("WETH", "Wrapped Ether", 18, 500, 80e6, 0.805, 0.83, 0.05),
    "BNB": ("BNB", "Binance Coin", 18, 3000, 20e6, 0.70, 0.75, 0.10),
    "LINK": ("LINK", "ChainLink Token", 18, 3000, 15e6, 0.53, 0.68, 0.07),
    "SPX": ("SPX", "S&P 500, tokenised", 18, 3000, 60e6, 0.70, 0.75, 0.06),
    "USMV": ("USMV", "Minimum volatility fund, tokenised", 18, 3000, 60e6, 0.70, 0.75, 0.06),
}
_UNKNOWN_DECIMALS, _UNKNOWN_FEE, _UNKNOWN_DEPTH = 18, 3000, 10e6
_UNKNOWN_LTV, _UNKNOWN_THRESHOLD, _UNKNOWN_BONUS = 0.60, 0.70, 0.08


@dataclass(frozen=True)
class AssetSpec:
    """One asset of a basket. `AssetSpec.of` fills in what is realistic for its symbol.

    Attributes
    ----------
    symbol
        Name in the basket and in a price file, e.g. BTC. ETH is always the real WETH9.
    price
        USD per whole token at the start [1e-6, 1e6].
    decimals
        Of the token [2, 18].
    pool_fee
        Of the Uniswap V3 pool against USDC, in millionths: 500, 3000 or 10000.
    depth_usd
        Value of the pool's liquidity, both sides together [1e3, 1e11].
    ltv, liquidation_threshold, liquidation_bonus
        At the lending market: what may be borrowed against a dollar of it, at which debt it is liquidated,
        and what a liquidator earns, fractions; 0 <= ltv <= threshold, threshold (1 + bonus) <= 1.
    """

    symbol: str
    price: float
    decimals: int = _UNKNOWN_DECIMALS
    pool_fee: int = _UNKNOWN_FEE
    depth_usd: float = _UNKNOWN_DEPTH
    ltv: float = _UNKNOWN_LTV
    liquidation_threshold: float = _UNKNOWN_THRESHOLD
    liquidation_bonus: float = _UNKNOWN_BONUS

    def __post_init__(self) -> None:
        if not isinstance(self.symbol, str) or not self.symbol.strip() or self.symbol in (CASH, PLEDGE):
            raise InputError(f"asset symbol {self.symbol!r} must be a name other than {CASH} and {PLEDGE}")
        _check(self.symbol, "price", self.price, MIN_PRICE, MAX_PRICE)
        _check(self.symbol, "decimals", self.decimals, 2, 18)
        _check(self.symbol, "depth_usd", self.depth_usd, MIN_DEPTH_USD, MAX_DEPTH_USD)
        check_terms(self.symbol, self.ltv, self.liquidation_threshold, self.liquidation_bonus)
        if self.pool_fee not in POOL_FEES:
            raise InputError(f"{self.symbol}: pool_fee {self.pool_fee} must be one of {POOL_FEES}")
        if self.symbol == "ETH" and self.decimals != 18:
            raise InputError(f"ETH: decimals {self.decimals} must be 18, because its token is the real WETH9")

    @classmethod
    def of(cls, symbol: str, price: float) -> AssetSpec:
        """A realistic token and pool; an unknown symbol has 18 decimals and a thin 0.3 % pool."""
        if symbol not in _KNOWN:
            return cls(symbol, price)
        return cls(symbol, price, *_KNOWN[symbol][2:])

    @property
    def token_symbol(self) -> str:
        return _KNOWN[self.symbol][0] if self.symbol in _KNOWN else self.symbol

    @property
    def token_name(self) -> str:
        return _KNOWN[self.symbol][1] if self.symbol in _KNOWN else self.symbol


def check_terms(symbol: str, ltv: float, threshold: float, bonus: float) -> None:
    """Raises InputError unless Aave takes these lending terms, fractions to a basis point.

    0 <= ltv <= threshold, 0 < threshold, 0 < bonus, threshold (1 + bonus) <= 1: seized collateral covers
    the bonus.
    """
    _check(symbol, "ltv", ltv, 0, 1)
    _check(symbol, "liquidation_threshold", threshold, max(ltv, _POINT), 1 / (1 + _POINT))
    _check(symbol, "liquidation_bonus", bonus, _POINT, min(1 / threshold - 1, _MAX_BONUS))


def _check(symbol: str, name: str, value: float, low: float, high: float) -> None:
    if not isinstance(value, int | float) or not math.isfinite(value) or not low <= value <= high:
        raise InputError(f"{symbol}: {name} {value!r} must lie in [{low:g}, {high:g}]")


def check_assets(assets: Sequence[AssetSpec]) -> tuple[AssetSpec, ...]:
    """Raises InputError unless there are 1 to 8 assets with different symbols."""
    symbols = [asset.symbol for asset in assets]
    if not 1 <= len(symbols) <= 8:
        raise InputError(f"{len(symbols)} assets: a world has 1 to 8")
    if repeated := sorted({s for s in symbols if symbols.count(s) > 1}):
        raise InputError(f"assets {repeated} occur more than once: give each symbol once")
    return tuple(assets)


DEFAULT_ASSETS = (
    AssetSpec.of("BTC", 40_000.0),
    AssetSpec.of("ETH", 2_500.0),
    AssetSpec.of("BNB", 300.0),
    AssetSpec.of("LINK", 15.0),
    AssetSpec.of("SPX", 4_500.0),
)
