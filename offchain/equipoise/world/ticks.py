"""Uniswap V3's prices and liquidity, exact enough to place positions and the same on every platform."""

from __future__ import annotations

from decimal import Decimal, localcontext
from math import isqrt

from equipoise.errors import InputError

__all__ = [
    "MAX_TICK",
    "TICK_SPACING",
    "position_amounts",
    "price_of",
    "sqrt_price_x96",
    "tick_at",
    "tick_range",
]

Q96 = 1 << 96
MAX_TICK = 887_272
TICK_SPACING = {500: 10, 3000: 60, 10_000: 200}
_BASE = Decimal("1.0001")
_DIGITS = 60


def sqrt_price_x96(numerator: int, denominator: int) -> int:
    """Square root of raw token1 per raw token0, given as a fraction, in Q64.96, rounded down."""
    if numerator <= 0 or denominator <= 0:
        raise InputError(f"price {numerator}/{denominator} must be positive")
    return isqrt((numerator << 192) // denominator)


def price_of(sqrt_x96: int) -> float:
    """Raw token1 per raw token0."""
    return (sqrt_x96 / Q96) ** 2


def tick_at(sqrt_x96: int) -> int:
    """Greatest tick whose price is not above; exact except within 1e-50 of a tick."""
    with localcontext() as context:
        context.prec = _DIGITS
        ratio = Decimal(sqrt_x96) / Q96
        return int((2 * ratio.ln() / _BASE.ln()).to_integral_value(rounding="ROUND_FLOOR"))


def tick_range(tick: int, width: float | None, spacing: int) -> tuple[int, int]:
    """Usable ticks from price / (1 + width) to price * (1 + width); width None is the full range."""
    edge = MAX_TICK // spacing * spacing
    if width is None:
        return -edge, edge
    with localcontext() as context:
        context.prec = _DIGITS
        reach = int((1 + Decimal(str(width))).ln() / _BASE.ln())
    lower = (tick - reach) // spacing * spacing
    upper = -(-(tick + reach) // spacing) * spacing
    return max(lower, -edge), min(max(upper, lower + spacing), edge)


def position_amounts(sqrt_x96: int, ticks: tuple[int, int], value1: int) -> tuple[int, int]:
    """Raw amounts of token0 and token1 of a position that holds the price and is worth `value1` token1."""
    with localcontext() as context:
        context.prec = _DIGITS
        root = Decimal(sqrt_x96) / Q96
        low, high = ((_BASE**tick).sqrt() for tick in ticks)
        root = min(max(root, low), high)
        per0, per1 = 1 / root - 1 / high, root - low  # amounts of one unit of liquidity
        liquidity = Decimal(value1) / (per0 * root * root + per1)
        return int(liquidity * per0) + 1, int(liquidity * per1) + 1
