"""Returns span closed days; none is made up."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from equipoise.marketdata.returns import common_returns, log_returns

PRICES = pd.DataFrame(
    {"BTC": [1.0, 2.0, 4.0, 8.0, 4.0], "SPX": [10.0, np.nan, np.nan, 20.0, 10.0]},
    index=pd.date_range("2024-01-05", periods=5, name="date"),
)
LN2 = float(np.log(2))


def test_log_returns__market_closed__next_return_spans_the_closed_days() -> None:
    expected = [[np.nan, np.nan], [LN2, np.nan], [LN2, np.nan], [LN2, LN2], [-LN2, -LN2]]
    np.testing.assert_allclose(log_returns(PRICES), expected)


def test_common_returns__weekend__crypto_s_three_days_meet_the_index_s_one() -> None:
    np.testing.assert_allclose(common_returns(PRICES), [[3 * LN2, LN2], [-LN2, -LN2]])


def test_common_returns__any_prices__sum_is_the_whole_move() -> None:
    total = common_returns(PRICES).sum()
    assert total["BTC"] == pytest.approx(np.log(4.0))
    assert total["SPX"] == pytest.approx(0.0, abs=1e-15)
