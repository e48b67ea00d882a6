"""Rolling forecasts: no look-ahead in any of them, and known processes are found again."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.errors import EstimationError
from equipoise.estimation import garch_model, har, models, yang_zhang
from equipoise.estimation.garch_model import GarchModel
from equipoise.estimation.har import HarModel
from equipoise.estimation.implied import ImpliedVolatility
from equipoise.estimation.models import BlendModel, EwmaModel, ImpliedModel, VolatilityModel
from equipoise.estimation.range_based import ESTIMATORS, garman_klass, parkinson
from equipoise.estimation.yang_zhang import YangZhangModel

T = 700
INDEX = pd.date_range("2020-01-01", periods=T, name="date")


def garch_closes(seed: int = 1, gamma: float = 0.0, days: int = T) -> tuple[pd.Series, pd.Series]:
    """Closes of a GJR process and its own variance of the next day."""
    rng = np.random.default_rng(seed)
    omega, alpha, beta = 4e-5, 0.08, 0.85 - gamma / 2
    variance, moves, ahead = omega / (1 - alpha - beta - gamma / 2), [], []
    for z in rng.standard_normal(days):
        moves.append(np.sqrt(variance) * z)
        variance = omega + (alpha + gamma * (z < 0)) * moves[-1] ** 2 + beta * variance
        ahead.append(variance)
    index = pd.date_range("2020-01-01", periods=days, name="date")
    return pd.Series(100 * np.exp(np.cumsum(moves)), index, name="A"), pd.Series(ahead, index)


def bars_of(closes: pd.Series, seed: int = 2) -> pd.DataFrame:
    """Bars that end at the closes, by walks of 50 steps from one to the next."""
    rng = np.random.default_rng(seed)
    logs = np.log(closes.to_numpy())
    moves = np.diff(logs, prepend=logs[0])
    walks = (rng.standard_normal((len(closes), 50)) / 50**0.5 * 0.03).cumsum(axis=1)
    bridges = walks + np.outer(moves - walks[:, -1], np.arange(1, 51) / 50) + (logs - moves)[:, None]
    paths = np.column_stack([logs - moves, bridges])
    table = np.exp(np.column_stack([paths[:, 0], paths.max(axis=1), paths.min(axis=1), paths[:, -1]]))
    return pd.DataFrame(table, closes.index, ["open", "high", "low", "close"])


BARS = bars_of(garch_closes()[0])
QUOTES = ImpliedVolatility(pd.DataFrame({"A": np.random.default_rng(3).uniform(0.3, 0.9, T)}, INDEX))
EVERY: dict[str, VolatilityModel] = {
    "EwmaModel": EwmaModel(),
    "GarchModel": GarchModel(),
    "GarchModel, asymmetric": GarchModel(asymmetric=True),
    "HarModel": HarModel(),
    "HarModel, range": HarModel(garman_klass(BARS)),
    "YangZhangModel": YangZhangModel(BARS),
    "ImpliedModel": ImpliedModel(QUOTES, "A"),
    "BlendModel": BlendModel([EwmaModel(), GarchModel()], [0.5, 0.5]),
}


def test_every_model__of_the_package__is_tested_here() -> None:
    names = {
        name
        for module in (models, garch_model, har, yang_zhang)
        for name in module.__all__
        if name.endswith("Model")
    }
    assert names - {"VolatilityModel"} == {name.split(",")[0] for name in EVERY}


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("horizon", [1, 7, 30])
def test_forecasts__future_shuffled__the_past_does_not_change(name: str, horizon: int) -> None:
    closes, cut = garch_closes()[0], 520
    order = np.random.default_rng(0).permutation(T - cut)
    other = closes.copy()
    other.iloc[cut:] = closes.iloc[cut:].to_numpy()[order] * 3
    model = EVERY[name]
    before = model.forecasts(closes, horizon).iloc[:cut]
    assert before.notna().sum() > 200
    pd.testing.assert_series_equal(before, model.forecasts(other, horizon).iloc[:cut])
    # nor when the future is not there at all
    pd.testing.assert_series_equal(before, model.forecasts(closes.iloc[:cut], horizon), check_freq=False)


@pytest.mark.parametrize("horizon", [1, 30])
@pytest.mark.parametrize("name", ["yang-zhang", *ESTIMATORS])
def test_range_models__future_bars_shuffled__the_past_does_not_change(name: str, horizon: int) -> None:
    closes, cut = garch_closes()[0], 520
    order = np.random.default_rng(1).permutation(T - cut)
    other = BARS.copy()
    other.iloc[cut:] = BARS.iloc[cut:].to_numpy()[order] * 2
    before, after = (
        (YangZhangModel(bars) if name == "yang-zhang" else HarModel(ESTIMATORS[name](bars)))
        .forecasts(closes, horizon)
        .iloc[: cut - 1]
        for bars in (BARS, other)
    )
    assert before.notna().sum() > 200
    pd.testing.assert_series_equal(before, after)


def test_har_model__range_of_another_level__same_forecasts() -> None:
    closes, proxy = garch_closes()[0], parkinson(BARS)
    one, other = (HarModel(p).forecasts(closes, 7) for p in (proxy, proxy * 9))
    pd.testing.assert_series_equal(one, other)


@pytest.mark.parametrize("wild", [1e-12, 1e6])
def test_har_model__range_that_explodes_for_a_day__within_the_cap(wild: float) -> None:
    """As EGARCH's forecasts were seen to do: whatever the model says, it is not far from the EWMA's."""
    closes, proxy = garch_closes()[0], garman_klass(BARS)
    proxy.iloc[500] *= wild
    ratio = (HarModel(proxy).forecasts(closes, 1) / EwmaModel().forecasts(closes, 1)).dropna()
    assert ratio.between(0.25 - 1e-9, 4 + 1e-9).all()


def test_har_model__range_that_begins_with_rest__finite() -> None:
    """A bar without a move has a variance of 0, which is no division."""
    proxy = parkinson(BARS)
    proxy.iloc[:5] = 0.0
    assert HarModel(proxy).forecasts(garch_closes()[0], 1).iloc[300:].gt(0).all()


def test_implied_model__future_quotes_changed__the_past_does_not_change() -> None:
    closes = garch_closes()[0]
    other = QUOTES.values.copy()
    other.iloc[500:] = 5.0
    before, after = (
        ImpliedModel(q, "A").forecasts(closes, 7).iloc[:500] for q in (QUOTES, ImpliedVolatility(other))
    )
    pd.testing.assert_series_equal(before, after)


@pytest.mark.parametrize("asymmetric", [False, True])
def test_garch_model__its_own_process__follows_the_true_variance(asymmetric: bool) -> None:
    closes, ahead = garch_closes(seed=5, gamma=0.1 if asymmetric else 0.0, days=2500)
    forecast = GarchModel(asymmetric).forecasts(closes, 1).iloc[1500:]
    true = np.sqrt(ahead * 365).iloc[1500:]
    assert np.abs(np.log(forecast / true)).mean() < 0.08
    ewma = EwmaModel().forecasts(closes, 1).iloc[1500:]
    assert np.abs(np.log(forecast / true)).mean() < 0.6 * np.abs(np.log(ewma / true)).mean()


def test_garch_model__far_ahead__returns_to_its_mean() -> None:
    closes, ahead = garch_closes(seed=6, days=1500)
    near, far = (GarchModel().forecasts(closes, days).iloc[600:] for days in (1, 365))
    assert far.std() < 0.5 * near.std()
    assert far.mean() == pytest.approx(np.sqrt(ahead.mean() * 365), rel=0.15)


def test_har_model__with_ranges__closer_than_with_squares() -> None:
    rng = np.random.default_rng(8)
    daily = 0.02 * np.exp(np.convolve(rng.normal(0, 0.3, T + 20), np.ones(20) / 4, "valid")[:T])
    walks = (rng.standard_normal((T, 60)) * daily[:, None] / 60**0.5).cumsum(axis=1)
    closes = pd.Series(100 * np.exp(walks[:, -1].cumsum()), INDEX, name="A")
    starts = np.zeros((T, 1))
    paths = np.exp(np.column_stack([starts, walks]))
    bars = pd.DataFrame(
        {"open": 1.0, "high": paths.max(axis=1), "low": paths.min(axis=1), "close": paths[:, -1]}, INDEX
    )
    true = pd.Series(daily, INDEX).shift(-1) * 365**0.5
    plain, ranged = (
        np.abs(np.log(m.forecasts(closes, 1) / true)).mean() for m in (HarModel(), HarModel(parkinson(bars)))
    )
    assert ranged < 0.8 * plain


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1000), weights=st.lists(st.floats(0.01, 1), min_size=2, max_size=2))
def test_blend_model__any_weights__variance_between_its_parts(seed: int, weights: list[float]) -> None:
    closes = garch_closes(seed, days=330)[0]
    parts = [EwmaModel(), GarchModel()]
    shares = np.array(weights) / sum(weights)
    blend = BlendModel(parts, shares.tolist()).forecasts(closes, 7)
    each = pd.concat([part.forecasts(closes, 7) for part in parts], axis=1)
    known = blend.notna()
    assert (blend[known] <= each.max(axis=1)[known] + 1e-12).all()
    assert (blend[known] >= each.min(axis=1)[known] - 1e-12).all()
    # before GARCH has enough days the EWMA speaks alone
    alone = known & each.iloc[:, 1].isna()
    assert alone.any()
    np.testing.assert_allclose(blend[alone], each.iloc[:, 0][alone])


@pytest.mark.parametrize("name", [name for name in EVERY if name != "ImpliedModel"])
def test_forecasts__a_jump_of_ten_times__stay_within_the_cap(name: str) -> None:
    closes = garch_closes()[0].copy()
    closes.iloc[400:] *= 10
    model = EVERY[name]
    forecast = model.forecasts(closes, 7)
    ratio = (forecast / EwmaModel().forecasts(closes, 7)).dropna()
    assert ratio.between(0.25 - 1e-9, 4 + 1e-9).all()


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda: EwmaModel().forecasts(garch_closes()[0], 0), "horizon_days is 0"),
        (lambda: ImpliedModel(QUOTES, "B").forecasts(garch_closes()[0], 1), "no implied volatility of B"),
        (lambda: BlendModel([EwmaModel()], [0.5]), "sum to 1"),
        (lambda: BlendModel([EwmaModel()], [0.5, 0.5]), "2 weights for 1 models"),
        (lambda: GarchModel().forecasts(garch_closes()[0].iloc[::-1], 1), "ascending"),
        (lambda: GarchModel().forecasts(-garch_closes()[0], 1), "not > 0"),
        (
            lambda: HarModel(pd.Series(dtype=float)).forecasts(garch_closes()[0], 1),
            "the variance proxy of A is nan on 2020-01-02; give one",
        ),
        (
            lambda: HarModel(pd.Series(-1.0, INDEX)).forecasts(garch_closes()[0], 1),
            "the variance proxy of A is -1 on",
        ),
        (
            lambda: EwmaModel().forecasts(garch_closes()[0].tz_localize("UTC"), 1),
            "the days have the time zone UTC; drop it",
        ),
        (
            lambda: HarModel().forecasts(garch_closes()[0].tz_localize("UTC"), 1),
            "the days have the time zone UTC; drop it",
        ),
        (lambda: GarchModel().forecasts(garch_closes()[0].iloc[:0], 1), "A has 0 closes; give at least two"),
        (lambda: EwmaModel().forecasts(garch_closes()[0].iloc[:0], 1), "empty table"),
    ],
)
def test_models__bad_input__named(act: object, message: str) -> None:
    with pytest.raises(EstimationError, match=message):
        act()  # type: ignore[operator]
