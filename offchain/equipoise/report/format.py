"""Numbers as people read them. A figure that does not exist (NaN) is an en dash."""

from __future__ import annotations

import math

__all__ = ["change", "count", "gas", "percent", "points", "ratio", "share_price", "usd"]

_MINUS, _NONE, _SPACE = "\N{MINUS SIGN}", "\N{EN DASH}", "\N{NO-BREAK SPACE}"


def _signed(text: str) -> str:
    zero = text.startswith("-") and not any(digit in text for digit in "123456789")
    return text.removeprefix("-") if zero else text.replace("-", _MINUS)


def _plain(value: float, digits: int) -> str:
    return _signed(f"{value:,.{digits}f}") if math.isfinite(value) else _NONE


def percent(value: float, digits: int = 1) -> str:
    """0.123 as 12.3 %."""
    return _plain(100 * value, digits) + (_SPACE + "%" if math.isfinite(value) else "")


def change(value: float, digits: int = 1) -> str:
    """As `percent`, with its sign: +12.3 %."""
    return ("+" if value > 0 else "") + percent(value, digits)


def points(value: float, digits: int = 1) -> str:
    """A difference of fractions in percentage points: 0.012 as 1.2."""
    return _plain(100 * value, digits)


def ratio(value: float, digits: int = 2) -> str:
    """A plain number with thousands separators."""
    return _plain(value, digits)


def count(value: float) -> str:
    """A whole number with thousands separators."""
    return _plain(value, 0)


def share_price(value: float) -> str:
    """USDC a share."""
    return _plain(value, 3 if abs(value) < 100 else 0)


def usd(value: float) -> str:
    """Dollars, with cents under 100."""
    if not math.isfinite(value):
        return _NONE
    text = _signed(f"{value:,.{0 if abs(value) >= 100 else 2}f}")
    return f"{_MINUS}${text.removeprefix(_MINUS)}" if text.startswith(_MINUS) else f"${text}"


def gas(value: float) -> str:
    """Gas in thousands (k) or millions (M) where that keeps three digits."""
    if not math.isfinite(value):
        return _NONE
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:.{3 if value < 1e12 else 6}g}{_SPACE}{unit}"
    return f"{value:.0f}"
