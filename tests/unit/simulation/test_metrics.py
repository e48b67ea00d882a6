from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from equipoise.errors import InputError
from equipoise.simulation import metrics


def path(values: list[float], freq: str = "D") -> pd.Series:
    return pd.Series(values, pd.date_range("2021-01-01", periods=len(values), freq=freq), dtype=float)


def test_annual_return__a_year_of_365_days__is_the_total_return() -> None:
    nav = path(list(np.linspace(100, 130, 366)))
    assert metrics.annual_return(nav) == pytest.approx(0.30, rel=1e-12)


def test_annual_return__half_a_year__compounds() -> None:
    nav = path([1.0] * 182 + [1.1])
    assert metrics.annual_return(nav) == pytest.approx(1.1 ** (365 / 182) - 1, rel=1e-12)


def test_annual_return__explosive_two_days__is_not_a_number() -> None:
    assert np.isnan(metrics.annual_return(path([1.0, 1e3])))


def test_annual_volatility__hand_computed__matches() -> None:
    nav = path([100, 110, 99, 108.9])  # returns +10 %, -10 %, +10 %
    by_hand = np.sqrt((2 * (0.1 - 0.1 / 3) ** 2 + (-0.1 - 0.1 / 3) ** 2) / 2) * np.sqrt(365)
    assert metrics.annual_volatility(nav) == pytest.approx(by_hand, rel=1e-12)


def test_annual_volatility__five_day_week__scales_by_its_own_rows_a_year() -> None:
    index = pd.bdate_range("2021-01-04", "2021-12-31")
    nav = pd.Series(np.cumprod(1 + 0.01 * (-1.0) ** np.arange(len(index))), index)
    assert metrics.per_year(index) == pytest.approx(261, abs=1)
    expected = nav.pct_change().std() * np.sqrt(metrics.per_year(index))
    assert metrics.annual_volatility(nav) == pytest.approx(expected, rel=1e-12)


def test_sharpe__hand_computed__matches() -> None:
    nav = path([100, 102, 101, 104])
    returns = np.array([0.02, 101 / 102 - 1, 104 / 101 - 1])
    expected = returns.mean() * 365 / (returns.std(ddof=1) * np.sqrt(365))
    assert metrics.sharpe(nav) == pytest.approx(expected, rel=1e-12)


def test_sharpe__no_volatility__is_not_a_number() -> None:
    assert np.isnan(metrics.sharpe(path([1, 1, 1, 1])))


def test_max_drawdown__hand_computed__is_a_positive_fraction() -> None:
    assert metrics.max_drawdown(path([100, 120, 90, 130, 117])) == pytest.approx(0.25)
    assert metrics.max_drawdown(path([1, 2, 3])) == 0


def test_drawdown__against_pandas__matches() -> None:
    rng = np.random.default_rng(3)
    nav = path(list(np.exp(rng.normal(0, 0.05, 300).cumsum())))
    running = nav.expanding().max()
    pd.testing.assert_series_equal(metrics.drawdown(nav), (nav - running) / running)


@pytest.mark.parametrize("values", [[1.0], [1.0, 0.0], [1.0, float("nan")], [1.0, -2.0]])
def test_annual_return__not_a_path__input_error(values: list[float]) -> None:
    with pytest.raises(InputError):
        metrics.annual_return(path(values))


def test_annual_return__no_dates__input_error() -> None:
    with pytest.raises(InputError, match="dates"):
        metrics.annual_return(pd.Series([1.0, 2.0]))


def test_ex_ante_risk_shares__two_uncorrelated_assets__hand_computed() -> None:
    weights = pd.DataFrame({"A": [0.5, 0.0], "B": [0.25, 0.0]})
    covariances = np.array([np.diag([0.04, 0.16])] * 2)
    shares = metrics.ex_ante_risk_shares(weights, covariances)
    # variances 0.25 * 0.04 and 0.0625 * 0.16 are equal; the second day holds nothing
    np.testing.assert_allclose(shares.to_numpy(), [[0.5, 0.5], [0, 0]])


def test_ex_ante_risk_shares__wrong_shape__input_error() -> None:
    with pytest.raises(InputError, match="shape"):
        metrics.ex_ante_risk_shares(pd.DataFrame({"A": [1.0]}), np.ones((1, 2, 2)))


def test_ex_post_risk_shares__constant_weights__equal_the_sample_covariance_formula() -> None:
    rng = np.random.default_rng(5)
    dates = pd.date_range("2020-01-01", periods=400)
    prices = pd.DataFrame(np.exp(rng.normal(0, 0.03, (400, 3)).cumsum(axis=0)), dates, list("ABC"))
    w = np.array([0.2, 0.5, 0.1])
    weights = pd.DataFrame(np.tile(w, (400, 1)), dates, list("ABC"))
    cov = prices.pct_change().iloc[1:].cov().to_numpy()
    expected = w * (cov @ w) / (w @ cov @ w)
    shares = metrics.ex_post_risk_shares(weights, prices)
    np.testing.assert_allclose(shares.to_numpy(), expected, rtol=1e-10)
    assert shares.sum() == pytest.approx(1)


def test_ex_post_risk_shares__weights_of_the_same_evening__are_not_used() -> None:
    """What is held at the end of the last day has no return yet."""
    prices = pd.DataFrame(
        {"A": [1, 1.1, 1.0, 1.2], "B": [1, 0.9, 1.1, 1.0]}, pd.date_range("2020-01-01", periods=4)
    )
    weights = pd.DataFrame(0.5, prices.index, prices.columns)
    changed = weights.copy()
    changed.iloc[-1] = [9.0, -3.0]
    pd.testing.assert_series_equal(
        metrics.ex_post_risk_shares(weights, prices), metrics.ex_post_risk_shares(changed, prices)
    )


def test_ex_post_risk_shares__other_dates__input_error() -> None:
    prices = pd.DataFrame({"A": [1.0, 2.0]}, pd.date_range("2020-01-01", periods=2))
    with pytest.raises(InputError, match="same dates"):
        metrics.ex_post_risk_shares(prices.shift(1, freq="D"), prices)
