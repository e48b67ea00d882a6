from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

from equipoise.errors import InputError
from equipoise.simulation import VAULT, Portfolio, ReplayResult, compare, minimum_variance_weights
from tests.unit.simulation.synthetic import make_result


def by_key(result: ReplayResult) -> dict[str, Portfolio]:
    return {portfolio.key: portfolio for portfolio in compare(result)}


def costless(result: ReplayResult) -> ReplayResult:
    return dataclasses.replace(result, days=result.days.assign(trading_cost_usd=0.0))


@pytest.fixture(scope="module")
def result() -> ReplayResult:
    return make_result(days=500)


@pytest.fixture(scope="module")
def portfolios(result: ReplayResult) -> dict[str, Portfolio]:
    return by_key(result)


def test_compare__any_replay__vault_first_and_on_its_share_price(result: ReplayResult) -> None:
    vault, *others = compare(result)
    assert vault.key == VAULT
    price = result.days["share_price"].iloc[result.base :]
    pd.testing.assert_series_equal(vault.nav, price / price.iloc[0])
    assert all(other.nav.index.equals(vault.nav.index) for other in others)
    assert all(other.nav.iloc[0] == 1 for other in others)


def test_compare__no_cost__buy_and_hold_is_the_mean_of_price_relatives(result: ReplayResult) -> None:
    nav = by_key(costless(result))["buy_and_hold"].nav
    prices = result.prices.iloc[result.start :]
    np.testing.assert_allclose(nav.iloc[1:], (prices / prices.iloc[0]).mean(axis=1), rtol=1e-12)


def test_compare__no_cost__single_asset_is_bitcoin(result: ReplayResult) -> None:
    portfolio = by_key(costless(result))["single_asset"]
    btc = result.prices["BTC"].iloc[result.start :]
    assert portfolio.name == "100 % BTC"
    np.testing.assert_allclose(portfolio.nav.iloc[1:], btc / btc.iloc[0], rtol=1e-12)


def test_compare__no_bitcoin_in_the_basket__single_asset_is_the_first() -> None:
    result = make_result(days=80)
    names = {"BTC": "GOLD"}
    renamed = dataclasses.replace(
        result,
        **{
            name: getattr(result, name).rename(columns=names) for name in ("prices", "weights", "risk_shares")
        },
        budgets=result.budgets.rename(names),
    )
    assert by_key(renamed)["single_asset"].name == "100 % GOLD"


def test_compare__costs__first_trade_costs_the_vaults_rate(result: ReplayResult) -> None:
    portfolio = by_key(result)["buy_and_hold"]
    days = result.days.iloc[result.base :]
    rate = days["trading_cost_usd"].sum() / days["turnover_usd"].sum()
    assert portfolio.nav.iloc[1] == pytest.approx(1 - rate)
    assert portfolio.turnover.sum() == pytest.approx(1)
    assert portfolio.cost_usd.sum() == pytest.approx(rate * days["nav_usd"].iloc[0])


def test_compare__gas__fills_times_gas_of_a_fill(result: ReplayResult) -> None:
    portfolios = by_key(result)
    a_fill = result.rebalances["gas"].sum() / result.rebalances["fills"].sum()
    # five buys from cash; then each month five positions change, each in a fill against cash
    assert portfolios["buy_and_hold"].gas.sum() == pytest.approx(5 * a_fill)
    months = len(set(result.days.index[result.start :].to_period("M"))) - 1
    assert portfolios["equal_dollars"].gas.sum() == pytest.approx((5 + 5 * months) * a_fill)
    paid = portfolios["buy_and_hold"].gas_usd.sum()
    assert paid == pytest.approx(5 * a_fill * 15e-9 * result.eth_price.iloc[result.start])


def test_compare__every_benchmark__weights_sum_to_one_once_invested(portfolios: dict[str, Portfolio]) -> None:
    for key, portfolio in portfolios.items():
        if key != VAULT:
            np.testing.assert_allclose(portfolio.weights.iloc[1:].sum(axis=1), 1, rtol=1e-12)
            assert (portfolio.weights.to_numpy() >= -1e-12).all()
            assert (portfolio.weights.iloc[0] == 0).all()


def test_compare__equal_dollars__equal_on_the_first_day_of_each_month(
    portfolios: dict[str, Portfolio],
) -> None:
    weights = portfolios["equal_dollars"].weights
    firsts = weights[weights.index.day == 1]
    np.testing.assert_allclose(firsts, 1 / 5, rtol=1e-12)


def test_compare__path_and_weights__daily_return_is_yesterdays_weights_times_returns(
    result: ReplayResult,
) -> None:
    portfolio = by_key(costless(result))["minimum_variance"]
    gains = (portfolio.weights.shift(1) * portfolio.prices.pct_change()).sum(axis=1)
    np.testing.assert_allclose(portfolio.nav, (1 + gains.fillna(0)).cumprod(), rtol=1e-10)


def test_compare__future_changed__past_unchanged(result: ReplayResult) -> None:
    """No look-ahead: what happens after a day does not move any benchmark before it."""
    cut = 300
    prices, covariances = result.prices.copy(), result.covariances.copy()
    prices.iloc[cut:] *= np.linspace(0.5, 3, len(prices) - cut)[:, None]
    covariances[cut:] *= np.diag([9.0, 1, 1, 1, 1]) + 1
    changed = by_key(dataclasses.replace(result, prices=prices, covariances=covariances))
    until = result.days.index[cut - 1]
    for key, portfolio in by_key(result).items():
        pd.testing.assert_series_equal(portfolio.nav[:until], changed[key].nav[:until])
        pd.testing.assert_frame_equal(portfolio.weights[:until], changed[key].weights[:until])


def test_compare__minimum_variance__least_estimated_variance_on_its_first_day(
    result: ReplayResult, portfolios: dict[str, Portfolio]
) -> None:
    covariance = result.covariances[result.start]
    variances = {
        key: float(w @ covariance @ w)
        for key, portfolio in portfolios.items()
        if key != VAULT
        for w in [portfolio.weights.iloc[1].to_numpy()]
    }
    assert min(variances, key=lambda key: variances[key]) == "minimum_variance"


def test_compare__risk_shares__sum_to_one(portfolios: dict[str, Portfolio]) -> None:
    for portfolio in portfolios.values():
        assert portfolio.ex_post_shares.sum() == pytest.approx(1)
        assert portfolio.ex_ante_shares.sum() == pytest.approx(1)
    assert portfolios["single_asset"].ex_post_shares["BTC"] == pytest.approx(1)


@pytest.mark.parametrize("n", range(2, 9))
def test_minimum_variance_weights__random_covariances__meet_the_optimality_conditions(n: int) -> None:
    """Held assets share one marginal variance; the others would add more (Kuhn and Tucker)."""
    rng = np.random.default_rng(n)
    for _ in range(25):
        factor = rng.normal(size=(n, n + 2))
        covariance = factor @ factor.T
        w = minimum_variance_weights(covariance)
        variance = w @ covariance @ w
        marginal = covariance @ w
        assert w.sum() == pytest.approx(1)
        assert (w >= 0).all()
        assert (marginal >= variance * (1 - 1e-9)).all()
        np.testing.assert_allclose(marginal[w > 1e-9], variance, rtol=1e-7)


def test_minimum_variance_weights__uncorrelated__inverse_variances() -> None:
    np.testing.assert_allclose(minimum_variance_weights(np.diag([0.01, 0.04])), [0.8, 0.2])


def test_minimum_variance_weights__indefinite__input_error() -> None:
    with pytest.raises(InputError, match="positive definite"):
        minimum_variance_weights(np.array([[1.0, 2.0], [2.0, 1.0]]))
