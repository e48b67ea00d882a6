"""Confidence intervals: they cover the truth, differences are paired, resting paths have none."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from equipoise.errors import InputError
from equipoise.simulation.backtest import run_backtest
from equipoise.simulation.benchmarks import Portfolio
from equipoise.simulation.bootstrap import FIGURES, bootstrap
from tests.unit.simulation.test_backtest import CALM, closes

MEAN, VOLATILITY = 0.001, 0.01
RUNS, DAYS = 60, 400


@pytest.fixture(scope="module")
def template() -> Portfolio:
    return run_backtest(closes(days=60), CALM).portfolio


def path(template: Portfolio, returns: np.ndarray, key: str = "vault") -> Portfolio:
    """A portfolio with those daily returns."""
    index = pd.date_range("2020-01-01", periods=len(returns) + 1)
    return replace(template, key=key, nav=pd.Series(np.concatenate([[1.0], np.cumprod(1 + returns)]), index))


def clustered(rng: np.random.Generator, days: int) -> np.ndarray:
    """Returns of a known mean and volatility whose size comes in waves (GARCH(1,1))."""
    moves, variance = np.empty(days), VOLATILITY**2
    for t in range(days):
        moves[t] = np.sqrt(variance) * rng.standard_normal()
        variance = 0.1 * VOLATILITY**2 + 0.1 * moves[t] ** 2 + 0.8 * variance
    return MEAN + moves


def test_bootstrap__many_histories_of_clustered_volatility__nine_in_ten_intervals_hold_the_truth(
    template: Portfolio,
) -> None:
    rng = np.random.default_rng(11)
    truth = {"sharpe": MEAN / VOLATILITY * 365**0.5, "volatility": VOLATILITY * 365**0.5}
    hits = dict.fromkeys(truth, 0)
    for seed in range(RUNS):
        portfolio = path(template, clustered(rng, DAYS))
        found = bootstrap([portfolio], resamples=200, level=0.9, seed=seed).figures["vault"]
        for name, value in truth.items():
            hits[name] += found[name].low <= value <= found[name].high
    # 0.9 less three standard errors of 60 runs and what a bootstrap of clustered days is known to miss
    assert 0.75 <= hits["sharpe"] / RUNS <= 1
    assert 0.70 <= hits["volatility"] / RUNS <= 1


def test_bootstrap__same_returns_twice__difference_is_exactly_nothing(template: Portfolio) -> None:
    """Both see the same days, so luck cancels."""
    moves = clustered(np.random.default_rng(1), 500)
    found = bootstrap([path(template, moves), path(template, 3 * moves, "levered")])
    gain = found.sharpe_gain["levered"]
    assert gain.low == pytest.approx(0, abs=1e-12)
    assert gain.high == pytest.approx(0, abs=1e-12)
    assert found.figures["levered"]["volatility"].low == pytest.approx(
        3 * found.figures["vault"]["volatility"].low
    )


def test_bootstrap__a_steady_advantage__interval_clear_of_zero(template: Portfolio) -> None:
    rng = np.random.default_rng(2)
    market = clustered(rng, 800)
    worse = market - 0.0005 + 0.001 * rng.standard_normal(800)
    found = bootstrap([path(template, market), path(template, worse, "worse")])
    alone = found.figures["worse"]["sharpe"]
    gain = found.sharpe_gain["worse"]
    assert gain.low > 0
    # unpaired it would be lost in the luck of the market
    assert gain.high - gain.low < 0.5 * (alone.high - alone.low)


def test_bootstrap__clustered_days__longer_blocks_than_independent_ones(template: Portfolio) -> None:
    rng = np.random.default_rng(3)
    waves = np.exp(1.2 * np.sin(np.arange(1500) / 40))
    noise = 0.01 * rng.standard_normal(1500)
    assert (
        bootstrap([path(template, noise * waves)], resamples=100).block
        > 2 * bootstrap([path(template, noise)], resamples=100).block
    )


@pytest.mark.filterwarnings("error")
def test_bootstrap__a_path_that_rests__no_sharpe_ratio_and_the_others_as_ever(template: Portfolio) -> None:
    moving, resting = path(template, clustered(np.random.default_rng(4), 300)), np.zeros(300)
    found = bootstrap([moving, path(template, resting, "cash")])
    assert found.figures["vault"] == bootstrap([moving]).figures["vault"]
    assert np.isnan([found.sharpe_gain["cash"].low, found.figures["cash"]["sharpe"].high]).all()
    assert found.figures["cash"]["max_drawdown"].high == 0
    assert set(found.figures["cash"]) == set(FIGURES)
    assert bootstrap([path(template, resting, "cash")]).block == 1


def test_bootstrap__drawdown_from_the_start__counts(template: Portfolio) -> None:
    """A loss on the first resampled day is a loss from the NAV of 1 before it."""
    found = bootstrap([path(template, np.full(100, -0.01) + 1e-9 * np.arange(100))], block=1)
    expected = 1 - 0.99**100
    assert found.figures["vault"]["max_drawdown"].low == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("block", [0, 301])
def test_bootstrap__block_outside_the_days__named(template: Portfolio, block: int) -> None:
    moves = clustered(np.random.default_rng(5), 300)
    with pytest.raises(InputError, match=f"block is {block}; give 1 to 300 days"):
        bootstrap([path(template, moves)], block=block)
