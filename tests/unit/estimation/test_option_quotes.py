"""Option quotes back to the volatility that made them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from vollib.black import black

from equipoise.errors import EstimationError
from equipoise.estimation.option_quotes import black_implied, quoted_volatility

STRIKES = np.array([70.0, 80.0, 90.0, 97.0, 103.0, 110.0, 120.0, 140.0])


def quotes(term: dict[float, float], skew: float = 0.0, spread: float = 0.0) -> pd.DataFrame:
    """Both kinds at every strike, with a smile that is linear in log strike."""
    rows = []
    for days, vol in term.items():
        for strike in STRIKES:
            for kind in ("call", "put"):
                sigma = vol + skew * np.log(strike / 100)
                mid = black(kind[0], 100.0, strike, days / 365, 0.0, sigma)
                rows.append((kind, strike, 100.0, days, mid * (1 - spread), mid * (1 + spread)))
    return pd.DataFrame(rows, columns=["kind", "strike", "forward", "days", "bid", "ask"])


@settings(max_examples=50, deadline=None)
@given(vol=st.floats(0.1, 2.0), skew=st.floats(-0.1, 0.1), spread=st.floats(0, 0.001))
def test_quoted_volatility__a_smile__read_at_the_forward(vol: float, skew: float, spread: float) -> None:
    found = quoted_volatility(quotes({20.0: vol, 50.0: vol}, skew, spread), 30.0)
    assert found.vol_ann == pytest.approx(vol, rel=1e-3)
    assert set(found.term) == {20.0, 50.0}


def test_quoted_volatility__a_term_structure__total_variance_between() -> None:
    found = quoted_volatility(quotes({10.0: 0.9, 50.0: 0.5}), 30.0)
    total = (0.9**2 * 10 + 0.5**2 * 50) / 2
    assert found.vol_ann == pytest.approx(np.sqrt(total / 30), rel=1e-4)
    assert quoted_volatility(quotes({10.0: 0.9, 50.0: 0.5}), 10.0).vol_ann == pytest.approx(0.9, rel=1e-4)


def test_quoted_volatility__bad_quotes__dropped_and_counted() -> None:
    table = quotes({20.0: 0.6, 50.0: 0.6})
    out = ((table["kind"] == "call") & (table["strike"] > 100)).to_numpy().nonzero()[0]
    table.loc[out[0], "bid"] = 0.0
    table.loc[out[1], ["bid", "ask"]] = [2.0, 1.0]
    table.loc[out[2], ["bid", "ask"]] = 500.0  # above the forward: no volatility gives it
    found = quoted_volatility(table, 30.0)
    assert found.vol_ann == pytest.approx(0.6, rel=1e-3)
    assert found.dropped["no bid, or bid above ask"] == 2
    assert found.dropped["no volatility gives the price"] == 1
    assert found.used + sum(found.dropped.values()) == len(table)


def test_black_implied__arrays__as_one_by_one_and_nan_without_solution() -> None:
    vols = np.array([0.2, 0.6, 1.5])
    prices = [black("c", 100.0, 110.0, 0.1, 0.0, vol) for vol in vols]
    np.testing.assert_allclose(black_implied(prices, 100.0, 110.0, 0.1, True), vols, rtol=1e-9)
    np.testing.assert_array_equal(black_implied([5.0, 200.0], 100.0, [90.0, 90.0], 0.1, True), [np.nan] * 2)


@pytest.mark.parametrize(
    ("change", "days", "message"),
    [
        (lambda t: t.drop(columns="bid"), 30.0, "quotes lack bid"),
        (lambda t: t.assign(kind="C"), 30.0, "kind is 'C'; write call or put"),
        (lambda t: t.assign(strike=-1.0), 30.0, "strike of row 0 is -1"),
        (lambda t: t, 0.0, "maturity_days is 0"),
        (lambda t: t, 90.0, "are 20, 50 days away; give quotes on both sides of 90 days"),
        (lambda t: t[t["strike"] > 100], 30.0, "none days away"),
        (lambda t: t.iloc[:0], 30.0, "none days away"),
    ],
)
def test_quoted_volatility__bad_input__named(change: object, days: float, message: str) -> None:
    with pytest.raises(EstimationError, match=message):
        quoted_volatility(change(quotes({20.0: 0.6, 50.0: 0.6})), days)  # type: ignore[operator]
