"""The blend against its parts: one part alone, parts that are missing, and names that tell blends apart."""

from __future__ import annotations

import hashlib
from dataclasses import fields, replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.errors import EstimationError
from equipoise.estimation.blend import BlendConfig, blend
from equipoise.estimation.ewma import EstimationConfig, estimate
from equipoise.estimation.garch import garch_volatility
from equipoise.estimation.implied import ImpliedVolatility


def market(seed: int = 0, days: int = 400) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    common = rng.standard_t(5, days) * 0.02
    returns = np.stack([common, common + rng.standard_t(5, days) * 0.02], axis=1)
    index = pd.date_range("2023-01-01", periods=days, name="date")
    return pd.DataFrame(100 * np.exp(returns.cumsum(axis=0)), index=index, columns=["BTC", "ETH"])


def quotes(prices: pd.DataFrame, **levels: float) -> ImpliedVolatility:
    return ImpliedVolatility(pd.DataFrame(levels, index=prices.index))


def only(model: str) -> BlendConfig:
    return BlendConfig(**{name: float(name == model) for name in ("ewma", "garch", "implied")})  # type: ignore[arg-type]


def test_blend__one_model_has_all_the_weight__is_that_model() -> None:
    prices, base = market(), estimate(market())
    implied = quotes(prices, BTC=0.5, ETH=0.9)
    expected = {
        "ewma": base.vol_ann,
        "garch": np.array([garch_volatility(prices[name]) for name in prices]),
        "implied": np.array([0.5, 0.9]),
    }
    for model, vol_ann in expected.items():
        result = blend(prices, only(model), implied)
        np.testing.assert_allclose(result.estimate.vol_ann, vol_ann, rtol=1e-15)
        np.testing.assert_array_equal(result.estimate.correlation, base.correlation)
        assert (result.estimate.observed_at, result.estimate.observations) == (
            base.observed_at,
            base.observations,
        )
        assert result.components["ETH"] == {model: pytest.approx(vol_ann[1])}


def test_blend__three_models__weighted_mean_of_variances() -> None:
    prices = market()
    result = blend(prices, implied=quotes(prices, BTC=0.5, ETH=0.9))
    for j, name in enumerate(prices):
        parts = result.components[str(name)]
        variance = 0.25 * parts["ewma"] ** 2 + 0.25 * parts["garch"] ** 2 + 0.5 * parts["implied"] ** 2
        assert result.estimate.vol_ann[j] == pytest.approx(np.sqrt(variance), rel=1e-12)
    assert result.model_id == BlendConfig().model_id


@settings(max_examples=25)
@given(
    seed=st.integers(0, 1_000),
    raw=st.tuples(*[st.floats(0, 1)] * 3).filter(lambda raw: sum(raw) > 0.01),
    level=st.floats(0.01, 10),
    days=st.sampled_from([200, 400]),
)
def test_blend__any_weights__between_its_smallest_and_largest_part(
    seed: int, raw: tuple[float, float, float], level: float, days: int
) -> None:
    prices = market(seed, days)
    ewma, garch, implied = (weight / sum(raw) for weight in raw)
    try:
        result = blend(
            prices, BlendConfig(ewma=ewma, garch=garch, implied=implied), quotes(prices, BTC=level)
        )
    except EstimationError as error:
        assert "no model has a volatility of" in str(error)  # noqa: PT017
        assert ewma == 0
        return
    for vol, parts in zip(result.estimate.vol_ann, result.components.values(), strict=True):
        assert min(parts.values()) * (1 - 1e-12) <= vol <= max(parts.values()) * (1 + 1e-12)


@pytest.mark.parametrize("late_days", [None, 4], ids=["absent", "stale"])
def test_blend__no_implied_quote__others_share_its_weight(late_days: int | None) -> None:
    prices = market()
    implied = None
    if late_days is not None:
        implied = ImpliedVolatility(quotes(prices, BTC=0.5, ETH=0.9).values.iloc[:-late_days])
    result = blend(prices, BlendConfig(), implied)
    expected = blend(prices, BlendConfig(ewma=0.5, garch=0.5, implied=0.0))
    np.testing.assert_allclose(result.estimate.vol_ann, expected.estimate.vol_ann, rtol=1e-12)
    assert result.components == expected.components
    assert list(result.components["BTC"]) == ["ewma", "garch"]


def test_blend__quote_for_one_asset_only__the_other_is_renormalised() -> None:
    prices = market()
    result = blend(prices, BlendConfig(), quotes(prices, BTC=0.5, SOL=3.0))
    assert [list(parts) for parts in result.components.values()] == [
        ["ewma", "garch", "implied"],
        ["ewma", "garch"],
    ]


def test_blend__quote_at_the_greatest_age__still_heard() -> None:
    prices = market()
    implied = ImpliedVolatility(quotes(prices, BTC=0.5).values.iloc[:-3])
    assert blend(prices, BlendConfig(), implied).components["BTC"]["implied"] == 0.5
    assert "implied" not in blend(prices, BlendConfig(implied_max_age_days=2), implied).components["BTC"]


def test_blend__garch_has_nothing_to_say__left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    young = market(days=200)
    result = blend(young)
    np.testing.assert_allclose(result.estimate.vol_ann, estimate(young).vol_ann, rtol=1e-15)
    assert list(result.components["BTC"]) == ["ewma"]
    monkeypatch.setattr("arch.univariate.base.ARCHModelResult.convergence_flag", 9)
    assert list(blend(market()).components["BTC"]) == ["ewma"]


def test_blend__nobody_has_anything_to_say__estimation_error_names_the_asset() -> None:
    prices = market()
    with pytest.raises(EstimationError, match="no model has a volatility of ETH on 2024-02-04"):
        blend(prices, only("implied"), quotes(prices, BTC=0.5))
    with pytest.raises(EstimationError, match="no model has a volatility of BTC"):
        blend(market(days=200), only("garch"))


@settings(max_examples=10)
@given(seed=st.integers(0, 1_000), today=st.integers(260, 390))
def test_blend__future_changed__past_blend_unchanged(seed: int, today: int) -> None:
    prices = market(seed)
    implied = quotes(prices, BTC=0.5, ETH=0.9)
    later = implied.values.copy()
    later.iloc[today + 1 :] = 5.0
    past = prices.iloc[: today + 1]
    known = ImpliedVolatility(implied.values.iloc[: today + 1])
    one, *others = [
        blend(past, BlendConfig(), source) for source in (known, implied, ImpliedVolatility(later))
    ]
    for other in others:
        np.testing.assert_array_equal(other.estimate.vol_ann, one.estimate.vol_ann)
        assert other.components == one.components


def test_blend__too_few_days__estimation_error() -> None:
    with pytest.raises(EstimationError, match="at least 30"):
        blend(market(days=20))


def test_model_id__defaults__readable_and_pinned() -> None:
    """Signers compare this text: a change here is a new model."""
    config = BlendConfig()
    assert config.model_id == (
        "blend-2:ewma(0.94)*0.25+garch(1,1,7d)*0.25+implied(3d)*0.5"
        ";corr(0.97,constant,0.05,window=250,floor=0.02);min=30"
    )
    assert config.model_hash == hashlib.sha256(config.model_id.encode()).hexdigest()


CHANGED = [
    BlendConfig(ewma=0.0, garch=0.5),
    BlendConfig(garch=0.75, implied=0.0),
    BlendConfig(ewma=0.5, implied=0.25),
    BlendConfig(horizon_days=8),
    BlendConfig(implied_max_age_days=4),
    *(
        BlendConfig(base=replace(EstimationConfig(), **{name: value}))  # type: ignore[arg-type]
        for name, value in {
            "volatility_decay": 0.9400000001,
            "correlation_decay": 0.98,
            "shrinkage": "ledoit-wolf",
            "intensity": 0.06,
            "window": 251,
            "eigenvalue_floor": 0.03,
            "min_observations": 31,
        }.items()
    ),
]


def test_model_id__any_field_changed__another_id_and_hash() -> None:
    configs = [BlendConfig(), *CHANGED]
    assert len({config.model_id for config in configs}) == len(configs)
    assert len({config.model_hash for config in configs}) == len(configs)
    touched = {
        f.name for c in CHANGED for f in fields(c) if getattr(c, f.name) != getattr(configs[0], f.name)
    }
    assert touched == {f.name for f in fields(BlendConfig)}  # a new field needs a line above, and in the id
    bases = [c.base for c in CHANGED]
    touched = {f.name for b in bases for f in fields(b) if getattr(b, f.name) != f.default}
    assert touched == {f.name for f in fields(EstimationConfig)}


def test_model_id__equal_numbers_of_other_types__same_id() -> None:
    assert BlendConfig(ewma=1, garch=0, implied=0).model_id == only("ewma").model_id
    assert BlendConfig(ewma=np.float64(0.25)).model_id == BlendConfig().model_id  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"ewma": -0.5, "garch": 1.25}, "the weight of ewma is -0.5"),
        ({"garch": float("nan")}, "the weight of garch is nan"),
        ({"implied": 0.75}, "the weights of ewma, garch, implied sum to 1.25; they must sum to 1"),
        ({"implied": float("inf")}, "sum to inf"),
        ({"horizon_days": 0}, "horizon_days is 0"),
        ({"implied_max_age_days": -1}, "implied_max_age_days is -1"),
    ],
)
def test_blend_config__outside_its_range__estimation_error(wrong: dict[str, float], message: str) -> None:
    with pytest.raises(EstimationError, match=message):
        BlendConfig(**wrong)  # type: ignore[arg-type]
