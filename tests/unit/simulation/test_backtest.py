"""The fast backtest: books that balance, nothing seen before its day, the policy's own limits."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.client.config import AuctionConfig
from equipoise.errors import EquipoiseError, InputError
from equipoise.simulation.backtest import BacktestConfig, backtest_oracle, run_backtest
from equipoise.simulation.costs import CostModel

FREE = CostModel(fee=0.0, depth_usd=np.inf, borrow_rate=0.0)
CALM = BacktestConfig(auction=AuctionConfig(target_volatility=0.6, max_leverage=3.0))


def closes(seed: int = 1, days: int = 160, n: int = 3, vol: float = 0.02) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    moves = vol * (rng.standard_normal((days, n)) + rng.standard_normal((days, 1)))
    index = pd.date_range("2021-01-01", periods=days, name="date")
    return pd.DataFrame(100 * np.exp(moves.cumsum(axis=0)), index, [f"A{i}" for i in range(n)])


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    target=st.floats(0.05, 1.0),
    leverage=st.floats(0.3, 4.0),
    fee=st.floats(0, 0.02),
    rate=st.floats(0, 0.3),
)
def test_run_backtest__any_market__books_balance_and_limits_hold(
    seed: int, target: float, leverage: float, fee: float, rate: float
) -> None:
    auction = AuctionConfig(target_volatility=target, max_leverage=leverage)
    config = BacktestConfig(auction=auction, costs=CostModel(fee=fee, borrow_rate=rate))
    result = run_backtest(closes(seed), config)
    days, path = result.days, result.portfolio
    assert path.nav.iloc[0] == 1.0
    # exposures beyond NAV are debt, less the cash that is kept beside it
    cash = 1 - days["leverage"] + days["debt"]
    assert (cash > -1e-9).all()
    assert (cash[days["debt"] > 1e-12] >= 0).all()
    assert (days["target_leverage"] <= leverage + 1e-9).all()
    assert (days["health_factor"] > 1.3).all()
    assert (days["cost"] <= auction.loss_budget + 1e-12).all()
    traded = days["turnover"] > 0
    assert (days["reason"][traded] != "none").all()
    # what the NAV did is what the weights of yesterday earned, less interest and costs
    moves = path.prices.pct_change().to_numpy()[1:]
    earned = (path.weights.to_numpy()[:-1] * moves).sum(axis=1)
    owed = days["debt"].to_numpy()[:-1] * rate / 365
    expected = (1 + earned - owed) * (1 - days["cost"].to_numpy()[1:])
    np.testing.assert_allclose(path.nav.to_numpy()[1:] / path.nav.to_numpy()[:-1], expected, rtol=1e-9)


def test_run_backtest__future_shuffled__the_past_does_not_change() -> None:
    prices, cut = closes(days=220), 150
    rng = np.random.default_rng(3)
    other = prices.copy()
    other.iloc[cut:] = prices.iloc[cut:].to_numpy()[rng.permutation(len(prices) - cut)] * 1.7
    before, after = run_backtest(prices, CALM), run_backtest(other, CALM)
    last = prices.index[cut - 1]
    pd.testing.assert_frame_equal(before.days.loc[:last], after.days.loc[:last])
    pd.testing.assert_series_equal(before.portfolio.nav.loc[:last], after.portfolio.nav.loc[:last])
    assert not before.days.equals(after.days)


def test_run_backtest__rebalanced_evening__shares_at_budgets_and_volatility_at_target() -> None:
    budgets = (0.5, 0.3, 0.2)
    config = replace(CALM, budgets=budgets, costs=FREE, min_trade=0.0)
    days = run_backtest(closes(), config).days
    settled = days[(days["reason"] != "none")]
    assert len(settled) > 3
    np.testing.assert_allclose(settled["parity_gap"], 0.0, atol=1e-9)
    np.testing.assert_allclose(settled["leverage"], settled["target_leverage"], rtol=1e-9)


def test_run_backtest__wider_bands__fewer_trades() -> None:
    prices = closes(days=300)
    narrow, wide = (
        run_backtest(
            prices,
            replace(CALM, auction=replace(CALM.auction, parity_band=band, volatility_band=4 * band)),
        )
        for band in (0.01, 0.08)
    )
    assert wide.rebalances < narrow.rebalances
    assert wide.days["turnover"].sum() < narrow.days["turnover"].sum()


def test_run_backtest__small_loss_budget__invests_over_several_days() -> None:
    auction = AuctionConfig(target_volatility=0.3, max_leverage=1.0, loss_budget=0.001)
    days = run_backtest(closes(), BacktestConfig(auction=auction, costs=CostModel(fee=0.003))).days
    assert days["leverage"].iloc[1] < 0.5 * days["target_leverage"].iloc[1]
    assert days["leverage"].iloc[8] == pytest.approx(days["target_leverage"].iloc[8], rel=0.15)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000), leverage=st.floats(0.3, 1.0), budget=st.sampled_from([0.001, 0.005, 1.0]))
def test_run_backtest__vault_that_does_not_borrow__owes_nothing(
    seed: int, leverage: float, budget: float
) -> None:
    auction = AuctionConfig(target_volatility=0.9, max_leverage=leverage, loss_budget=budget)
    days = run_backtest(closes(seed), BacktestConfig(auction=auction, costs=CostModel(fee=0.01))).days
    np.testing.assert_allclose(days["debt"], 0.0, atol=1e-12)
    assert days["leverage"].max() <= 1 + 1e-12


def test_run_backtest__unlimited_wishes__health_factor_at_its_target_after_trades() -> None:
    thresholds = (0.8, 0.7, 0.6)
    auction = AuctionConfig(target_volatility=1.0, max_leverage=4.0, loss_budget=1.0)
    config = BacktestConfig(auction=auction, thresholds=thresholds)
    days = run_backtest(closes(vol=0.012), config).days
    traded = days[days["turnover"] > 0]
    assert len(traded) > 3
    # a trade that is too small to make leaves a trace
    np.testing.assert_allclose(traded["health_factor"], config.guard.target_health, rtol=3e-3)


def test_run_backtest__dear_credit__does_not_borrow_more() -> None:
    dear = replace(CALM, costs=CostModel(borrow_rate=0.21))
    prices = closes()
    assert run_backtest(prices, CALM).days["leverage"].max() > 1.2
    assert run_backtest(prices, dear).days["debt"].max() < 0.02


def test_run_backtest__small_trades__left_out() -> None:
    config = replace(CALM, min_trade=0.02)
    path = run_backtest(closes(days=250), config).portfolio
    drifted = path.weights.shift() * (path.prices / path.prices.shift())
    moves = drifted.mul(path.nav.shift() / path.nav, axis=0)
    sizes = np.abs(path.weights - moves)[path.turnover > 0].to_numpy()[1:]
    assert ((sizes > 0.015) | (sizes < 1e-3)).all()
    assert (sizes < 1e-3).any()


def test_run_backtest__oracle_at_hand__same_path() -> None:
    prices = closes()
    shared = run_backtest(prices, CALM, oracle=backtest_oracle(prices, CALM))
    pd.testing.assert_frame_equal(shared.days, run_backtest(prices, CALM).days)
    with pytest.raises(InputError, match=r"oracle is of a table \(160, 3\), the closes are \(160, 4\)"):
        run_backtest(closes(n=4), CALM, oracle=shared.oracle)


@pytest.mark.parametrize(
    ("prices", "config", "message"),
    [
        (closes(n=1), CALM, r"1 assets \(A0\): parity needs at least 2"),
        (closes().iloc[:0], CALM, "at least one row"),
        (closes().iloc[::-1], CALM, "ascending"),
        (closes().tz_localize("Europe/Berlin"), CALM, "time zone Europe/Berlin"),
        (closes() * -1, CALM, "A0 is -.* prices are > 0"),
        (closes(days=20), CALM, "give more days"),
        (closes(), replace(CALM, budgets=(0.5, 0.6, 0.1)), "sum to 1.2"),
        (closes(), replace(CALM, budgets=(0.5, 0.5)), "2 budgets for 3 assets"),
        (closes(), replace(CALM, budgets=(1.5, -0.3, -0.2)), "budget -0.3 of asset 1"),
        (closes(), replace(CALM, correlations_every=0), "correlations_every is 0"),
        (closes(), replace(CALM, correlations_every=2.5), "correlations_every is 2.5"),
        (closes(), replace(CALM, thresholds=(0.7, np.nan, 0.7)), "thresholds .* must be in"),
        (closes().assign(A1=5.0), CALM, "A1 does not move on any day"),
        (closes().set_axis(["A", "A", "B"], axis=1), CALM, "two columns are named A"),
        (closes().assign(A1="x"), CALM, "A1 holds object, not numbers"),
        (closes().set_axis(pd.date_range("2021", periods=160, freq="h")), CALM, "keep the last of each day"),
    ],
)
def test_run_backtest__bad_input__named(prices: pd.DataFrame, config: BacktestConfig, message: str) -> None:
    with pytest.raises(EquipoiseError, match=message):
        run_backtest(prices, config)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: BacktestConfig(min_trade=-1), "min_trade is -1"),
        (lambda: BacktestConfig(auction=AuctionConfig(target_volatility=3)), "target_volatility is 3"),
    ],
)
def test_configs__outside_the_domain__named(make: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        make()  # type: ignore[operator]
