"""Estimates by hand, the path against the single day, and the future that must not matter."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.errors import EstimationError
from equipoise.estimation.covariance import EwmaCovariance, estimate_with
from equipoise.estimation.ewma import EstimationConfig, estimate, estimate_path


def market(seed: int, days: int = 120, holidays: float = 0.0) -> pd.DataFrame:
    """Two correlated crypto assets that trade daily, and an index that rests on weekends and holidays."""
    rng = np.random.default_rng(seed)
    index = pd.date_range("2023-01-02", periods=days, name="date")
    common = rng.normal(0, 0.02, days)
    returns = np.stack([common, common + rng.normal(0, 0.02, days), rng.normal(0, 0.01, days)], axis=1)
    prices = pd.DataFrame(100 * np.exp(returns.cumsum(axis=0)), index=index, columns=["BTC", "ETH", "SPX"])
    closed = (index.dayofweek >= 5) | (rng.random(days) < holidays)
    closed[0] = False
    prices.loc[closed, "SPX"] = np.nan
    return prices


def test_estimate__constant_absolute_return__its_annual_volatility() -> None:
    steps = np.where(np.arange(60) % 2 == 0, 0.01, -0.01)
    prices = pd.DataFrame(
        {"A": np.exp(steps.cumsum()), "B": np.exp((2 * steps).cumsum())},
        index=pd.date_range("2024-01-01", periods=60),
    )
    result = estimate(prices)
    np.testing.assert_allclose(result.vol_ann, [0.01 * np.sqrt(365), 0.02 * np.sqrt(365)], rtol=1e-12)
    assert result.correlation[0, 1] == pytest.approx(0.95)  # 1, shrunk by 5 %
    assert result.observed_at == prices.index[-1].date()
    assert result.observations == 59


def test_estimate__weekday_market__annualised_with_its_own_days() -> None:
    index = pd.date_range("2023-01-02", periods=364)
    steps = pd.Series(np.where(np.arange(364) % 2 == 0, 0.01, -0.01), index=index)
    weekday = np.asarray(index.dayofweek) < 5
    trading = steps[weekday].mul(0).add(np.where(np.arange(weekday.sum()) % 2 == 0, 0.01, -0.01))
    prices = pd.DataFrame({"BTC": np.exp(steps.cumsum()), "SPX": np.exp(trading.cumsum())})
    vol_ann = estimate(prices).vol_ann
    assert vol_ann[0] == pytest.approx(0.01 * np.sqrt(365), rel=1e-12)
    assert vol_ann[1] == pytest.approx(0.01 * np.sqrt(261), rel=2e-3)


def test_estimate__shock__weights_decay_as_configured() -> None:
    steps = np.zeros(41)
    steps[1:] = np.where(np.arange(40) % 2 == 0, 1e-9, -1e-9)
    steps[-3] = 0.1  # two returns before the last
    prices = pd.DataFrame(
        {"A": np.exp(steps.cumsum()), "B": np.exp(np.tile([0.0, 0.01], 21)[:41])},
        index=pd.date_range("2024-01-01", periods=41),
    )
    weight = 0.94**2 * (1 - 0.94) / (1 - 0.94**40)
    assert estimate(prices).vol_ann[0] == pytest.approx(0.1 * np.sqrt(weight * 365), rel=1e-6)


def test_estimate__lagging_index_over_weekends__correlation_uses_common_days() -> None:
    """The index moves on Monday by crypto's move since Friday: fully correlated on common days."""
    prices = market(5, 200)
    prices["SPX"] = prices["BTC"].where(prices.index.dayofweek < 5)  # type: ignore[attr-defined]
    config = EstimationConfig(intensity=0.0, eigenvalue_floor=1e-9)
    assert estimate(prices[["BTC", "SPX"]], config).correlation[0, 1] == pytest.approx(1.0, abs=1e-6)


def test_estimate__correlation_by_hand__matches_pandas() -> None:
    prices = market(11, 90)[["BTC", "ETH"]]
    config = EstimationConfig(intensity=0.0)
    r = np.log(prices).diff().dropna().to_numpy()
    w = 0.97 ** np.arange(len(r))[::-1]
    expected = (w * r[:, 0] * r[:, 1]).sum() / np.sqrt((w * r[:, 0] ** 2).sum() * (w * r[:, 1] ** 2).sum())
    assert estimate(prices, config).correlation[0, 1] == pytest.approx(expected, rel=1e-12)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), method=st.sampled_from(["constant", "ledoit-wolf"]))
def test_estimate_path__every_day__equals_the_estimate_of_that_day(seed: int, method: str) -> None:
    prices = market(seed, 80, holidays=0.05)
    config = EstimationConfig(shrinkage=method, window=40)  # type: ignore[arg-type]
    path = estimate_path(prices, config)
    assert len(path) == len(prices)
    for k in range(len(prices)):
        if not path.ready(k):
            with pytest.raises(EstimationError, match="at least 30"):
                estimate(prices.iloc[: k + 1], config)
            with pytest.raises(EstimationError, match="at least 30"):
                path[k]
            continue
        one, other = estimate(prices.iloc[: k + 1], config), path[k]
        np.testing.assert_allclose(other.vol_ann, one.vol_ann, rtol=1e-10)
        np.testing.assert_allclose(other.correlation, one.correlation, atol=1e-10)
        assert (other.observed_at, other.observations) == (one.observed_at, one.observations)
    assert 40 <= path.first_ready <= 55


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), today=st.integers(50, 118))
def test_estimate_path__future_shuffled__past_estimates_unchanged(seed: int, today: int) -> None:
    prices = market(seed)
    changed = prices.copy()
    order = np.random.default_rng(seed).permutation(np.arange(today + 1, len(prices)))
    changed.iloc[today + 1 :] = prices.iloc[order].to_numpy() * 3
    before, after = estimate_path(prices), estimate_path(changed)
    np.testing.assert_array_equal(before.vol_ann[: today + 1], after.vol_ann[: today + 1])
    np.testing.assert_array_equal(before.correlation[: today + 1], after.correlation[: today + 1])


def test_estimate__market_closed_today__last_estimate_stands() -> None:
    prices = market(1, 91)  # 2023-04-01 and -02 are a weekend
    friday, sunday = estimate(prices.loc[:"2023-03-31"]), estimate(prices.loc[:"2023-04-02"])  # type: ignore[misc]
    assert sunday.vol_ann[2] == friday.vol_ann[2]
    assert sunday.vol_ann[0] != friday.vol_ann[0]
    np.testing.assert_array_equal(sunday.correlation, friday.correlation)


def test_estimate__two_columns_alike__still_positive_definite() -> None:
    prices = market(2)[["BTC"]].assign(COPY=market(2)["BTC"])
    for config in (
        EstimationConfig(),
        EstimationConfig(intensity=0.0),
        EstimationConfig(shrinkage="ledoit-wolf"),
    ):
        assert np.linalg.eigvalsh(estimate(prices, config).correlation)[0] >= 0.02 - 1e-12


def test_estimate__price_never_moves__estimation_error_names_it() -> None:
    with pytest.raises(EstimationError, match="STILL does not move"):
        estimate(market(1).assign(STILL=1.0))


def test_estimate__too_few_days__estimation_error() -> None:
    with pytest.raises(EstimationError, match=r"29 observations; at least 30"):
        estimate(market(1, 30)[["BTC", "ETH"]])
    with pytest.raises(EstimationError, match="at least 30"):
        _ = estimate_path(market(1, 30)).first_ready


@pytest.mark.parametrize(
    ("prices", "message"),
    [
        (pd.DataFrame(), "an empty table"),
        (market(1).iloc[:0], "an empty table"),
        (market(1)[[]], "an empty table"),
        (market(1).reset_index(drop=True), "indexed by day"),
        (market(1).iloc[::-1], "2023-04-30 follows 2023-05-01; sort them"),
        (pd.concat([market(1), market(1).tail(1)]), "2023-05-01 follows 2023-05-01; .* keep one row a day"),
        (market(1).tz_localize("Asia/Tokyo"), "the days have the time zone Asia/Tokyo; drop it"),
        (market(1) * -1, "BTC is -.* on 2023-01-02; prices are finite and > 0"),
        (market(1) * np.inf, "BTC is inf on 2023-01-02"),
        (market(1)[["BTC", "BTC"]], "two columns are named BTC"),
        (market(1).astype({"ETH": str}), "ETH holds .*, not numbers"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_estimate__unchecked_prices__estimation_error(prices: pd.DataFrame, message: str) -> None:
    for function in (estimate, estimate_path, lambda p: estimate_with(p, EwmaCovariance())):
        with pytest.raises(EstimationError, match=message):
            function(prices)


@pytest.mark.parametrize(
    "wrong",
    [
        {"volatility_decay": 1.0},
        {"correlation_decay": 0.0},
        {"intensity": 1.5},
        {"shrinkage": "none"},
        {"min_observations": 1},
        {"window": 10},
        {"eigenvalue_floor": 0.0},
    ],
)
def test_estimation_config__outside_its_range__estimation_error(wrong: dict[str, object]) -> None:
    with pytest.raises(EstimationError):
        EstimationConfig(**wrong)  # type: ignore[arg-type]


def test_estimation_config__ends_of_its_ranges__in_or_out() -> None:
    EstimationConfig(min_observations=2, window=2, intensity=0.0)
    EstimationConfig(min_observations=30, window=30, intensity=1.0)
    for setting, message in (
        ({"min_observations": 1}, "min_observations must be >= 2"),
        ({"window": 29}, "at most window"),
        ({"intensity": -0.01}, r"intensity is -0\.01; it must be in \[0, 1\]"),
        ({"intensity": 1.01}, r"intensity is 1\.01"),
        ({"volatility_decay": 1.0}, r"volatility_decay is 1\.0; it must be in \(0, 1\)"),
        ({"correlation_decay": 0.0}, r"correlation_decay is 0\.0"),
        ({"eigenvalue_floor": 1.0}, r"eigenvalue_floor is 1\.0"),
        ({"shrinkage": "none"}, "shrinkage is 'none'; choose constant, ledoit-wolf or oas"),
    ):
        with pytest.raises(EstimationError, match=message):
            EstimationConfig(**setting)  # type: ignore[arg-type]


def test_estimate_path__before_there_is_enough__nothing_is_known() -> None:
    path = estimate_path(market(1, 60)[["BTC", "ETH"]], EstimationConfig(min_observations=10))
    for known in (path.vol_ann, path.correlation):
        assert np.isnan(known[:10]).all()
        assert np.isfinite(known[10:]).all()
    assert path.first_ready == 10
    assert path.observations.tolist() == list(range(60))
    assert np.issubdtype(path.observations.dtype, np.integer)
    with pytest.raises(EstimationError, match="9 observations; at least 10 returns are needed"):
        path[9]


def test_estimate_path__asset_that_has_not_moved_yet__unknown_without_a_warning() -> None:
    prices = market(2, 80)[["BTC", "ETH"]]
    prices.iloc[:40, 1] = 100.0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        path = estimate_path(prices)
    assert np.isnan(path.vol_ann[:40, 1]).all()
    assert np.isfinite(path.vol_ann[30:, 0]).all()
    assert path.first_ready == 40
