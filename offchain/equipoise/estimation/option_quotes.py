"""Implied volatility from the quotes of options: at the money forward, at one constant maturity.

Each mid is inverted by Jaeckel's "Let's be rational" (2015) through `vollib`, on the forward (Black 1976).
The smile is read where strike equals forward, linearly in log strike; between expiries total variance is
linear in time, so that no calendar spread of these volatilities has a negative price.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from equipoise.errors import EstimationError
from equipoise.types import FloatArray
from equipoise.units import YEAR_DAYS

__all__ = ["QuotedVolatility", "black_implied", "quoted_volatility"]

COLUMNS = ("kind", "strike", "forward", "days", "bid", "ask")


@dataclass(frozen=True)
class QuotedVolatility:
    """What a table of quotes says.

    Attributes
    ----------
    vol_ann
        Per sqrt(year of 365 days), at the asked maturity.
    term
        Days to expiry -> volatility at the money forward.
    used
        Quotes behind them.
    dropped
        Reason -> quotes that were left out.
    """

    vol_ann: float
    term: Mapping[float, float]
    used: int
    dropped: Mapping[str, int]


def black_implied(
    price: ArrayLike, forward: ArrayLike, strike: ArrayLike, years: ArrayLike, is_call: ArrayLike
) -> FloatArray:
    """Black volatilities of undiscounted prices, broadcast; NaN where no volatility gives the price."""
    from py_lets_be_rational.exceptions import VolatilityValueException
    from vollib.black.implied_volatility import implied_volatility

    def one(p: float, f: float, k: float, t: float, call: bool) -> float:
        try:
            return float(implied_volatility(p, f, k, 0.0, t, "c" if call else "p"))
        except VolatilityValueException:
            return float("nan")

    found = np.vectorize(one, otypes=[float])(price, forward, strike, years, is_call)
    return np.where((found > 0) & np.isfinite(found), found, np.nan)


def quoted_volatility(quotes: pd.DataFrame, maturity_days: float = 30.0) -> QuotedVolatility:
    """Volatility at the money forward, `maturity_days` ahead.

    Parameters
    ----------
    quotes
        A row an option: `kind` ("call" or "put"), `strike` and `forward` of its expiry (> 0, USD), `days` to
        expiry (> 0), `bid` and `ask` (USD, undiscounted: in crypto-markets rates are in the forward).
    maturity_days
        Between the first and the last expiry that can be read; there is no extrapolation.

    Raises
    ------
    EstimationError
        A column is missing, a number is outside its range, or no two expiries (or the one asked for) surround
        the maturity.
    """
    _check(quotes, maturity_days)
    crossed = ~((quotes["bid"] > 0) & (quotes["ask"] >= quotes["bid"]))
    call = quotes["kind"] == "call"
    # the side that is out of the money is the liquid one, and holds no intrinsic value
    inside = np.where(call, quotes["strike"] < quotes["forward"], quotes["strike"] > quotes["forward"])
    kept = quotes[~crossed & ~inside]
    mids = (kept["bid"] + kept["ask"]) / 2
    vols = black_implied(
        mids, kept["forward"], kept["strike"], kept["days"] / YEAR_DAYS, kept["kind"] == "call"
    )
    dropped = {
        "no bid, or bid above ask": int(crossed.sum()),
        "in the money": int((~crossed & inside).sum()),
        "no volatility gives the price": int(np.isnan(vols).sum()),
    }
    table = kept.assign(vol=vols, moneyness=np.log(kept["strike"] / kept["forward"])).dropna(subset="vol")
    term = {float(str(days)): vol for days, part in table.groupby("days") if (vol := _at_the_money(part))}
    vol_ann = _between(term, maturity_days, dropped)
    return QuotedVolatility(vol_ann, term, len(table), dropped)


def _at_the_money(part: pd.DataFrame) -> float | None:
    """Where strike equals forward, between the nearest strikes on both sides; None when a side is empty."""
    smile = part.groupby("moneyness")["vol"].mean()
    at = smile.index.to_numpy(dtype=float)
    if not (at.min() <= 0 <= at.max()):
        return None
    return float(np.interp(0.0, at, smile.to_numpy(dtype=float)))


def _between(term: Mapping[float, float], maturity_days: float, dropped: Mapping[str, int]) -> float:
    days = np.array(sorted(term))
    if not len(days) or not days[0] <= maturity_days <= days[-1]:
        left_out = ", ".join(f"{count} {reason}" for reason, count in dropped.items() if count)
        raise EstimationError(
            f"expiries that can be read are {', '.join(f'{d:g}' for d in days) or 'none'} days away; give "
            f"quotes on both sides of {maturity_days:g} days, with strikes on both sides of the forward"
            + (f" (left out: {left_out})" if left_out else "")
        )
    total = np.interp(maturity_days, days, [term[d] ** 2 * d for d in days])
    return float(np.sqrt(total / maturity_days))


def _check(quotes: pd.DataFrame, maturity_days: float) -> None:
    if missing := [name for name in COLUMNS if name not in quotes]:
        raise EstimationError(f"quotes lack {', '.join(missing)}; give {', '.join(COLUMNS)}")
    if not maturity_days > 0:
        raise EstimationError(f"maturity_days is {maturity_days}; it must be > 0")
    kinds = ~quotes["kind"].isin(["call", "put"])
    if kinds.any():
        raise EstimationError(f"kind is {quotes.loc[kinds, 'kind'].iloc[0]!r}; write call or put")
    for name in ("strike", "forward", "days"):
        values = quotes[name].to_numpy(dtype=float)
        wrong = ~((values > 0) & np.isfinite(values))
        if wrong.any():
            raise EstimationError(
                f"{name} of row {int(wrong.argmax())} is {values[wrong.argmax()]:g}; it is > 0"
            )
