"""GARCH against a simulation whose variance is known, and against the optimiser's bad days."""

from __future__ import annotations

from typing import Any

import arch.univariate
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.errors import EstimationError
from equipoise.estimation.ewma import estimate
from equipoise.estimation.garch import CAP, garch_volatility

ALPHA, BETA, LONG_RUN = 0.08, 0.88, 0.03**2


def closes_of(returns: np.ndarray, start: str = "2019-01-01") -> pd.Series:
    index = pd.date_range(start, periods=len(returns) + 1, name="date")
    return pd.Series(100 * np.exp(np.append(0.0, returns.cumsum())), index=index, name="SIM")


def simulated(seed: int, days: int) -> tuple[pd.Series, float]:
    """Closes, and the variance of the day after the last."""
    rng = np.random.default_rng(seed)
    returns, variance = np.empty(days), LONG_RUN
    for k in range(days):
        returns[k] = np.sqrt(variance) * rng.standard_normal()
        variance = (1 - ALPHA - BETA) * LONG_RUN + ALPHA * returns[k] ** 2 + BETA * variance
    return closes_of(returns), variance


def ewma(closes: pd.Series) -> float:
    return float(estimate(closes.to_frame()).vol_ann[0])


@pytest.mark.parametrize("horizon", [1, 7, 30])
@pytest.mark.parametrize("seed", range(4))
def test_garch_volatility__simulated_garch__its_own_expected_variance(seed: int, horizon: int) -> None:
    closes, tomorrow = simulated(seed, 3_000)
    expected = LONG_RUN + (ALPHA + BETA) ** np.arange(horizon) * (tomorrow - LONG_RUN)
    truth = np.sqrt(expected.mean() * 365)
    assert garch_volatility(closes, horizon) == pytest.approx(truth, rel=0.1)


def test_garch_volatility__after_a_shock__falls_with_the_horizon() -> None:
    closes, _ = simulated(1, 2_000)
    closes.iloc[-1] *= np.exp(0.2)
    forecasts = [garch_volatility(closes, horizon) for horizon in (1, 7, 30, 90)]
    assert forecasts == sorted(forecasts, reverse=True)
    assert forecasts[0] > 1.2 * forecasts[-1]


def test_garch_volatility__weekday_market__annualised_and_stepped_with_its_own_days() -> None:
    closes = closes_of(np.random.default_rng(3).normal(0, 0.01, 1_500))
    closes = closes.where(closes.index.dayofweek < 5)  # type: ignore[attr-defined]
    traded = closes.dropna()
    truth = np.log(traded).diff().std() * np.sqrt(261)
    assert garch_volatility(closes) == pytest.approx(truth, rel=0.15)
    assert garch_volatility(closes) == garch_volatility(traded)
    assert garch_volatility(closes, 1) == garch_volatility(closes, 2)  # a weekend is no step: 0.7, 1.4 -> 1


@settings(max_examples=10)
@given(power=st.floats(1e-3, 3), seed=st.integers(0, 100))
def test_garch_volatility__log_prices_scaled__scales_with_them(power: float, seed: int) -> None:
    """A stablecoin's returns fit as well as a memecoin's."""
    closes, _ = simulated(seed, 600)
    assert garch_volatility(closes**power) == pytest.approx(power * garch_volatility(closes), rel=1e-3)


@settings(max_examples=10)
@given(seed=st.integers(0, 10_000), today=st.integers(300, 450))
def test_garch_volatility__future_changed__past_forecast_unchanged(seed: int, today: int) -> None:
    closes, _ = simulated(seed, 500)
    changed = closes.copy()
    changed.iloc[today + 1 :] *= np.random.default_rng(seed).uniform(0.5, 2, len(closes) - today - 1)
    day = closes.index[today]
    assert garch_volatility(closes.loc[:day]) == garch_volatility(changed.loc[:day])


def test_garch_volatility__forecast_far_from_ewma__capped_on_both_sides(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    closes, _ = simulated(5, 400)
    for variance, bound in ((1e6, CAP), (1e-6, 1 / CAP)):
        monkeypatch.setattr("equipoise.estimation.garch._forecast", lambda *_, value=variance: value)
        assert garch_volatility(closes) == pytest.approx(bound * ewma(closes), rel=1e-12)


@settings(max_examples=10)
@given(seed=st.integers(0, 1_000), calm=st.integers(1, 150), ratio=st.sampled_from([0.001, 30.0]))
def test_garch_volatility__regime_breaks__stays_within_the_cap(seed: int, calm: int, ratio: float) -> None:
    returns = np.random.default_rng(seed).normal(0, 0.02, 500)
    returns[-calm:] *= ratio
    closes = closes_of(returns)
    try:
        forecast = garch_volatility(closes)
    except EstimationError as error:
        assert "did not converge" in str(error)  # noqa: PT017
    else:
        assert 1 / CAP - 1e-9 <= forecast / ewma(closes) <= CAP + 1e-9


def test_garch_volatility__optimiser_gives_up__estimation_error_not_a_number(
    monkeypatch: pytest.MonkeyPatch, recwarn: pytest.WarningsRecorder, capfd: pytest.CaptureFixture[str]
) -> None:
    closes, _ = simulated(5, 400)
    monkeypatch.setattr("arch.univariate.base.ARCHModelResult.convergence_flag", 9)
    with pytest.raises(EstimationError, match=r"GARCH of SIM did not converge \(flags 9, 9, 9, 9, 9, 9;"):
        garch_volatility(closes)
    assert not recwarn.list
    assert capfd.readouterr() == ("", "")


def test_garch_volatility__too_few_returns__estimation_error() -> None:
    closes, _ = simulated(1, 249)
    with pytest.raises(EstimationError, match="SIM has 249 returns; GARCH needs at least 250"):
        garch_volatility(closes)
    assert garch_volatility(closes, min_observations=249) > 0
    with pytest.raises(EstimationError, match="has 0 returns"):
        garch_volatility(closes * np.nan)


@pytest.mark.parametrize(
    ("value", "message"),
    [(np.inf, "SIM has a price of inf"), (0.0, "> 0"), (-1.0, "> 0")],
    ids=["inf", "zero", "negative"],
)
def test_garch_volatility__impossible_price__estimation_error(value: float, message: str) -> None:
    closes, _ = simulated(1, 300)
    closes.iloc[100] = value
    with pytest.raises(EstimationError, match=message):
        garch_volatility(closes)


def test_garch_volatility__unusable_input__estimation_error() -> None:
    closes, _ = simulated(1, 300)
    for horizon in (0, np.nan):
        with pytest.raises(EstimationError, match="horizon_days is"):
            garch_volatility(closes, horizon)  # type: ignore[arg-type]
    with pytest.raises(EstimationError, match="does not move"):
        garch_volatility(closes * 0 + 1)
    with pytest.raises(EstimationError, match="ascending"):
        garch_volatility(closes.iloc[::-1])


def test_garch_volatility__one_start_stops_short__the_likelier_fit_counts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    closes, _ = simulated(2, 1_000)
    good = garch_volatility(closes)
    stuck = np.array([0.9, 0.05, 0.05])
    fit = arch.univariate.ZeroMean.fit

    def first_gets_stuck(model: Any, starting_values: Any = None, **options: Any) -> Any:
        if starting_values is not None:
            return fit(model, starting_values=starting_values, **options)
        return fit(model, starting_values=stuck, **options, options={"maxiter": 1})

    monkeypatch.setattr("arch.univariate.ZeroMean.fit", first_gets_stuck)
    monkeypatch.setattr("arch.univariate.base.ARCHModelResult.convergence_flag", 0)
    assert garch_volatility(closes) == pytest.approx(good, rel=1e-3)


@pytest.mark.parametrize("shock", [0.0, 0.3])
def test_garch_volatility__last_digits_of_the_prices__do_not_matter(shock: float) -> None:
    """Signers whose feeds differ by rounding agree, after a jump too; from one start alone they do not."""
    for seed in range(0, 100, 2):
        closes, _ = simulated(seed, 400)
        closes.iloc[-(1 + 3 * seed) :] *= np.exp(shock)
        noise = 1 + 1e-12 * np.random.default_rng(seed).standard_normal(len(closes))
        assert garch_volatility(closes * noise) == pytest.approx(garch_volatility(closes), rel=1e-3)
