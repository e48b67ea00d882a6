"""Estimators in scikit-learn's manners: what they find, and that they fit into skfolio and back."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.covariance import OAS, LedoitWolf

from equipoise.errors import EstimationError
from equipoise.estimation.covariance import (
    DccCovariance,
    EwmaCovariance,
    ShrunkCovariance,
    estimate_with,
)
from equipoise.estimation.ewma import EstimationConfig, estimate, estimate_path
from equipoise.types import FloatArray

EVERY = [EwmaCovariance(), ShrunkCovariance(), ShrunkCovariance("oas"), DccCovariance()]


def returns(T: int = 400, n: int = 4, seed: int = 0) -> FloatArray:
    rng = np.random.default_rng(seed)
    return (rng.standard_normal((T, n)) + rng.standard_normal((T, 1))) * rng.uniform(0.01, 0.05, n)


def prices(T: int = 400) -> pd.DataFrame:
    table = 100 * np.exp(returns(T).cumsum(axis=0))
    return pd.DataFrame(table, pd.date_range("2021-01-01", periods=T), list("ABCD"))


@pytest.mark.parametrize("estimator", EVERY, ids=repr)
def test_fit__returns_of_known_covariance__found(estimator: EwmaCovariance) -> None:
    X = returns(3000)
    found = clone(estimator).fit(X)
    sample = np.corrcoef(X.T)
    assert np.abs(found.correlation_ - sample).max() < 0.35
    np.testing.assert_allclose(np.diag(found.covariance_) ** 0.5, X.std(axis=0), rtol=0.35)
    assert np.linalg.eigvalsh(found.covariance_)[0] > 0
    assert found.n_features_in_ == 4
    np.testing.assert_array_equal(found.location_, np.zeros(4))
    assert list(clone(estimator).fit(pd.DataFrame(X, columns=list("ABCD"))).feature_names_in_) == list("ABCD")


def test_dcc__correlation_that_jumped__followed_where_the_sample_does_not() -> None:
    rng = np.random.default_rng(1)
    common = rng.standard_normal((1200, 1))
    loading = np.where(np.arange(1200) < 1000, 0.2, 2.0)[:, None]
    X = 0.02 * (rng.standard_normal((1200, 3)) + loading * common)
    dcc = DccCovariance(intensity=0.0).fit(X)
    off = ~np.eye(3, dtype=bool)
    assert dcc.correlation_[off].mean() > np.corrcoef(X.T)[off].mean() + 0.1
    assert 0 < dcc.a_ < 0.5
    assert dcc.a_ + dcc.b_ < 1


@pytest.mark.parametrize("estimator", [*EVERY, LedoitWolf(assume_centered=True), OAS()], ids=repr)
def test_estimate_with__future_shuffled__the_past_does_not_change(estimator: object) -> None:
    table, cut = prices(), 300
    other = table.copy()
    other.iloc[cut:] = table.iloc[cut:].to_numpy()[::-1] * 2
    before, after = (estimate_with(t.iloc[:cut], clone(estimator)) for t in (table, other))
    np.testing.assert_array_equal(before.vol_ann, after.vol_ann)
    np.testing.assert_array_equal(before.correlation, after.correlation)
    assert before.observed_at == table.index[cut - 1].date()


@pytest.mark.parametrize("shrinkage", ["constant", "ledoit-wolf", "oas"])
def test_estimate_path__future_shuffled__the_past_does_not_change(shrinkage: str) -> None:
    config = EstimationConfig(shrinkage=shrinkage)  # type: ignore[arg-type]
    table, cut = prices(200), 120
    other = table.copy()
    other.iloc[cut:] = table.iloc[cut:].to_numpy()[::-1] * 2
    before, after = (estimate_path(t, config) for t in (table, other))
    np.testing.assert_array_equal(before.vol_ann[:cut], after.vol_ann[:cut])
    np.testing.assert_array_equal(before.correlation[:cut], after.correlation[:cut])


def test_estimate_with__our_ewma__same_as_estimate() -> None:
    ours, theirs = estimate(prices()), estimate_with(prices(), EwmaCovariance())
    np.testing.assert_allclose(theirs.vol_ann, ours.vol_ann, rtol=1e-9)
    np.testing.assert_allclose(theirs.correlation, ours.correlation, rtol=1e-9)


def test_estimate__oas__is_scikit_learns() -> None:
    table = prices()
    r = np.diff(np.log(table.to_numpy()), axis=0)
    scaled = r / np.sqrt((r**2).mean(axis=0))
    expected = OAS(assume_centered=True).fit(scaled[-250:]).covariance_
    sigma = np.sqrt(np.diag(expected))
    found = estimate(table, EstimationConfig(shrinkage="oas")).correlation
    np.testing.assert_allclose(found, expected / np.outer(sigma, sigma), atol=2e-3)


def test_skfolio__takes_ours__and_gives_theirs() -> None:
    pytest.importorskip("skfolio")
    from skfolio.moments import GerberCovariance
    from skfolio.optimization import MeanRisk
    from skfolio.prior import EmpiricalPrior

    from equipoise.estimation.skfolio import SkfolioCovariance

    X = pd.DataFrame(returns(), pd.date_range("2021-01-01", periods=400), list("ABCD"))
    prior = EmpiricalPrior(covariance_estimator=SkfolioCovariance(DccCovariance()))
    model = MeanRisk(prior_estimator=prior).fit(X)
    assert model.weights_.sum() == pytest.approx(1.0)
    used = model.prior_estimator_.covariance_estimator_.covariance_
    np.testing.assert_allclose(used, DccCovariance().fit(X).covariance_, rtol=1e-6)
    theirs = estimate_with(prices(), GerberCovariance())
    assert (theirs.vol_ann > 0).all()


class Odd:
    """An estimator that fits nothing."""

    def fit(self, _: pd.DataFrame) -> Odd:
        self.fitted_ = True
        return self


@pytest.mark.parametrize(
    ("act", "error", "message"),
    [
        (lambda: EwmaCovariance().fit(returns(10)), EstimationError, "10 returns; at least 30"),
        (lambda: EwmaCovariance().fit(returns() * [0, 1, 1, 1]), EstimationError, "column 0 does not move"),
        (lambda: EwmaCovariance().fit(returns() * np.nan), ValueError, "NaN"),
        (lambda: EwmaCovariance().fit(returns()[:, 0]), ValueError, "2D array"),
        (lambda: EwmaCovariance(decay=1.5).fit(returns()), EstimationError, "decay is 1.5"),
        (lambda: ShrunkCovariance("none").fit(returns()), EstimationError, "method is 'none'"),
        (lambda: estimate_with(prices(20), EwmaCovariance()), EstimationError, "19 common returns"),
        (lambda: estimate_with(prices(), Odd()), EstimationError, r"Odd has a covariance_ of shape \(\)"),
        (lambda: EstimationConfig(shrinkage="x"), EstimationError, "constant, ledoit-wolf or oas"),  # type: ignore[arg-type]
    ],
)
def test_covariance__bad_input__named(act: object, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        act()  # type: ignore[operator]


def test_dcc__few_rows__volatilities_of_the_recursion_from_the_first_month() -> None:
    X = returns(40, 3) * [1.0, 10.0, 0.1]
    variance = (X[:30] ** 2).mean(axis=0)
    for row in X:
        variance = 0.9 * variance + 0.1 * row**2
    found = DccCovariance(decay=0.9).fit(X)
    np.testing.assert_allclose(np.diag(found.covariance_), variance, rtol=1e-12)


def test_dcc__one_asset__no_correlation_to_fit() -> None:
    found = DccCovariance().fit(returns(40, 1))
    assert (found.a_, found.b_) == (0.0, 0.0)
    assert found.correlation_.tolist() == [[1.0]]
