"""Allocations with a mix of one's own, and all of them at the vault's volatility."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.client.config import AuctionConfig
from equipoise.errors import InputError
from equipoise.simulation.allocations import run_allocations
from equipoise.simulation.backtest import BacktestConfig, run_backtest
from equipoise.simulation.equal_risk import run_at_volatility
from tests.unit.simulation.test_backtest import CALM, FREE, closes

EQUAL = np.full(3, 1 / 3)


def config(target: float, leverage: float, band: float = 0.1) -> BacktestConfig:
    auction = AuctionConfig(target_volatility=target, max_leverage=leverage, volatility_band=band)
    return BacktestConfig(auction=auction)


def test_run_allocations__mix_of_ones_own__is_held_in_the_place_of_sixty_forty() -> None:
    prices, mix = closes(days=150), (0.6, 0.3, 0.1)
    made = run_allocations(prices, run_backtest(prices, CALM), mix)
    keys = [p.key for p in made.portfolios]
    assert "mix" in keys
    assert "sixty_forty" not in keys
    own = made.portfolios[keys.index("mix")]
    assert "60 / 30 / 10 %" in own.rule
    traded = own.turnover > 0
    assert traded.sum() >= 4
    np.testing.assert_allclose(own.weights[traded], np.tile(mix, (traded.sum(), 1)), atol=0.01)


@pytest.mark.parametrize(
    ("mix", "message"),
    [
        ((0.6, 0.4), "the mix 0.6, 0.4 has 2 weights for 3 assets; give one each"),
        ((0.6, 0.6, 0.1), "the mix 0.6, 0.6, 0.1 sums to 1.3; give weights >= 0 that sum to 1"),
        ((1.2, -0.2, 0.0), "the mix 1.2, -0.2, 0 sums to 1; give weights >= 0"),
        ((float("nan"), 0.5, 0.5), "the mix nan, .* give weights >= 0"),
    ],
)
def test_run_allocations__mix_outside_its_domain__named(mix: Sequence[float], message: str) -> None:
    prices = closes(days=60)
    with pytest.raises(InputError, match=message):
        run_allocations(prices, run_backtest(prices, CALM), mix)


def test_run_allocations__future_shuffled_after_a_turn__the_past_does_not_change() -> None:
    """The turn is the last day that is known, so that a rule which sees a day too far is found out."""
    prices = closes(days=300)
    turn = prices.index.get_loc("2021-08-01")
    other = prices.copy()
    order = np.random.default_rng(5).permutation(len(prices) - turn - 1)
    jumps = 1 + 0.5 * np.arange(3)
    other.iloc[turn + 1 :] = prices.iloc[turn + 1 :].to_numpy()[order] * jumps
    before, after = (run_allocations(p, run_backtest(p, CALM)) for p in (prices, other))
    last = prices.index[turn]
    for a, b in zip(
        (*before.portfolios, *before.equal_risk), (*after.portfolios, *after.equal_risk), strict=True
    ):
        pd.testing.assert_series_equal(a.nav.loc[:last], b.nav.loc[:last])
        pd.testing.assert_frame_equal(a.weights.loc[:last], b.weights.loc[:last])
        assert not a.nav.equals(b.nav)
    assert (before.portfolios[-1].turnover[last], before.equal_risk[-1].turnover[last]) > (0, 0)


def test_run_allocations__equal_risk__volatilities_beside_the_vaults() -> None:
    prices = closes(days=500)
    result = run_backtest(prices, config(0.25, 3.0))
    made = run_allocations(prices, result)
    spread = [p.statistics.volatility for p in made.portfolios]
    assert min(spread) > 1.5 * 0.25
    for portfolio in made.equal_risk:
        # weights of the past do badly by what they overfit, so that some room is left
        assert portfolio.statistics.volatility == pytest.approx(0.25, rel=0.15), portfolio.key
    assert [p.key for p in made.equal_risk] == [p.key for p in made.portfolios]


@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    target=st.floats(0.1, 1.0),
    leverage=st.sampled_from([0.5, 1.0, 2.0, 4.0]),
)
def test_run_at_volatility__any_market__caps_of_the_vault_hold(
    seed: int, target: float, leverage: float
) -> None:
    prices = closes(seed)
    result = run_backtest(prices, config(target, leverage))
    held = run_at_volatility(prices, {result.oracle.first: EQUAL}, result, key="k", name="n", rule="r")
    traded = (held.turnover > 0).to_numpy()
    size = held.weights.sum(axis=1).to_numpy()
    # weights are fractions of what the cost left
    most = size[traded] * (1 - held.cost.to_numpy()[traded])
    assert (most <= leverage + 1e-9).all()
    if leverage > 1:
        debt = np.maximum(0, most - 1 + result.config.auction.cash_buffer)
        backing = 0.75 * most
        health = result.config.guard.target_health
        assert (backing[debt > 0] / debt[debt > 0] > health * 0.98).all()
    estimate = np.sqrt(
        np.einsum("ti,tij,tj->t", held.weights.to_numpy(), _in_use(result), held.weights.to_numpy())
    )
    assert (estimate[traded] <= target * 1.02).all()


def test_run_at_volatility__between_months__only_the_size_is_steered() -> None:
    prices = closes(days=200)
    result = run_backtest(prices, replace(config(0.3, 1.0, band=0.05), costs=FREE))
    first = result.oracle.first
    held = run_at_volatility(prices, {first: EQUAL}, result, key="k", name="n", rule="r")
    assert (held.turnover > 0).sum() > 5
    mixes = held.weights.iloc[1:].div(held.weights.iloc[1:].sum(axis=1), axis=0)
    grown = prices.iloc[first:] / prices.iloc[first]
    np.testing.assert_allclose(mixes, grown.div(grown.sum(axis=1), axis=0), rtol=1e-9)


def test_run_at_volatility__inside_the_band__left_alone() -> None:
    prices = closes(days=200)
    trades = []
    for band in (0.02, 0.2, 1.0):
        result = run_backtest(prices, config(0.3, 1.0, band))
        held = run_at_volatility(prices, {result.oracle.first: EQUAL}, result, key="k", name="n", rule="r")
        trades.append(int((held.turnover > 0).sum()))
    assert trades[0] > trades[1] > trades[2] >= 1


def test_run_at_volatility__sold_out_asset__no_negative_rest() -> None:
    """A position that is sold whole leaves a rounding error of either sign."""
    prices = closes(days=160)
    result = run_backtest(prices, config(0.3, 3.0))
    turns = range(result.oracle.first, len(prices))
    mixes = {t: np.eye(3)[t % 3] for t in turns}
    held = run_at_volatility(prices, mixes, result, key="k", name="n", rule="r")
    assert (held.weights > -1e-12).all(axis=None)
    assert ((held.weights > 1e-9).sum(axis=1).iloc[1:] == 1).all()


def _in_use(result: object) -> np.ndarray:
    oracle = result.oracle  # type: ignore[attr-defined]
    base = max(oracle.first - 1, 0)
    sigma = oracle.vol_ann * oracle.ratio[:, None]
    matrices = oracle.correlation * sigma[:, :, None] * sigma[:, None, :]
    return np.nan_to_num(matrices[base:])
