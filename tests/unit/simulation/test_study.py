"""A whole study: allocations, resampling, sweeps, and the page that shows them."""

from __future__ import annotations

import json
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from equipoise.client.config import AuctionConfig
from equipoise.errors import InputError
from equipoise.report.study import render_study, write_study
from equipoise.simulation import allocations
from equipoise.simulation.allocations import run_allocations
from equipoise.simulation.backtest import BacktestConfig, run_backtest
from equipoise.simulation.bootstrap import bootstrap
from equipoise.simulation.study import Study, run_study
from equipoise.simulation.sweep import run_sweep
from tests.unit.simulation.test_backtest import CALM, closes

GRID = {"parity_band": (0.01, 0.1), "volatility_band": (0.05, 0.3)}


@pytest.fixture(scope="module")
def study() -> Study:
    config = BacktestConfig(auction=AuctionConfig(target_volatility=0.8, max_leverage=3.0))
    return run_study(closes(days=420), config, grid=GRID, source="<b>synthetic</b>")


def test_run_allocations__every_rule__long_only_and_fully_invested(study: Study) -> None:
    assert len(study.portfolios) == 8
    for portfolio in study.portfolios[1:]:
        held = portfolio.weights.iloc[1:]
        assert (held >= -1e-12).all(axis=None), portfolio.key
        # a little cash appears when costs are paid, until the next month
        assert held.sum(axis=1).between(0.98, 1.02).all(), portfolio.key
        assert portfolio.nav.iloc[0] == 1.0


def test_run_allocations__an_optimiser_that_fails__holds_on_and_is_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Broken:
        def fit(self, _: pd.DataFrame) -> None:
            raise ValueError("the solver failed")

    found = allocations._skfolio()
    monkeypatch.setattr(allocations, "_skfolio", lambda: {**found, "mean_variance": Broken()})
    prices = closes(days=150)
    made = run_allocations(prices, run_backtest(prices, CALM))
    broken = next(p for p in made.portfolios if p.key == "mean_variance")
    assert made.held_on["mean_variance"] >= 4
    assert (broken.nav == 1).all()
    assert made.held_on["hierarchical"] == 0


def test_run_allocations__without_skfolio__the_others_remain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(allocations, "find_spec", lambda _: None)
    prices = closes(days=120)
    made = run_allocations(prices, run_backtest(prices, CALM))
    assert [p.key for p in made.portfolios] == [
        "buy_and_hold",
        "equal_weight",
        "sixty_forty",
        "inverse_volatility",
        "minimum_variance",
    ]


def test_bootstrap__intervals__hold_the_estimate_and_repeat(study: Study) -> None:
    again = bootstrap(study.portfolios)
    assert again == study.uncertainty
    for portfolio in study.portfolios:
        interval = study.uncertainty.figures[portfolio.key]["sharpe"]
        assert interval.low < portfolio.statistics.sharpe < interval.high
        vol = study.uncertainty.figures[portfolio.key]["volatility"]
        assert vol.low < portfolio.statistics.volatility < vol.high
    wider = bootstrap(study.portfolios, level=0.99)
    assert wider.figures["vault"]["sharpe"].low < study.uncertainty.figures["vault"]["sharpe"].low


def test_bootstrap__independent_normal_days__interval_of_the_sharpe_ratio_is_the_known_one() -> None:
    """Lo (2002): the standard error of a daily Sharpe ratio s over T days is sqrt((1 + s^2 / 2) / T)."""
    T = 1500
    moves = 0.0005 + 0.01 * np.random.default_rng(4).standard_normal(T)
    index = pd.date_range("2020-01-01", periods=T + 1)
    prices = pd.DataFrame({"A": np.concatenate([[1.0], np.cumprod(1 + moves)])}, index)
    held = run_backtest(closes(days=60), CALM).portfolio
    path = type(held)(**{**vars(held), "nav": prices["A"]})
    interval = bootstrap([path], level=0.9, resamples=2000).figures["vault"]["sharpe"]
    expected = 2 * 1.645 * np.sqrt(365 / T)
    assert interval.high - interval.low == pytest.approx(expected, rel=0.15)


def test_run_sweep__any_backend__same_as_one_by_one() -> None:
    prices = closes(days=150)
    grid = {"target_volatility": (0.3, 0.6), "volatility_decay": (0.9, 0.97)}
    alone = run_sweep(prices, CALM, grid)
    with joblib.parallel_config(backend="threading", n_jobs=2):
        threads = run_sweep(prices, CALM, grid)
    pd.testing.assert_frame_equal(alone, threads)
    pd.testing.assert_frame_equal(alone, run_sweep(prices, CALM, grid, jobs=2))
    config = BacktestConfig(
        auction=AuctionConfig(target_volatility=0.6, max_leverage=3.0),
        estimation=type(CALM.estimation)(volatility_decay=0.97),
    )
    expected = run_backtest(prices, config).portfolio.statistics
    assert alone.iloc[3]["volatility"] == expected.volatility
    assert alone.iloc[3]["trading_cost"] == expected.trading_cost


@pytest.mark.parametrize(
    ("grid", "message"),
    [
        ({"colour": (1.0,)}, "no parameter 'colour'.*parity_band"),
        ({"parity_band": ()}, "no values for parity_band"),
        ({"parity_band": (0.1, 2.0)}, "parity_band is 2.0; give 0 to 1"),
        ({"volatility_decay": (1.5,)}, "volatility_decay is 1.5"),
    ],
)
def test_run_sweep__bad_grid__named(grid: dict[str, tuple[float, ...]], message: str) -> None:
    with pytest.raises(InputError, match=message):
        run_sweep(closes(), CALM, grid)


def test_bootstrap__few_days_or_resamples__named(study: Study) -> None:
    with pytest.raises(InputError, match="resamples is 10"):
        bootstrap(study.portfolios, resamples=10)
    short = run_backtest(closes(days=60), CALM).portfolio
    with pytest.raises(InputError, match="30 days of returns; a bootstrap needs at least 60"):
        bootstrap([short])


def test_write_study__page__holds_every_chart_and_loads_nothing(study: Study, tmp_path: Path) -> None:
    report = write_study(study, tmp_path / "study")
    page = (report.directory / "study.html").read_text()
    keys = ["nav", "drawdown", "sharpe", "volatility", "risk_contributions", "leverage", "costs"]
    for key in [*keys, "sensitivity"]:
        assert f'<figure id="{key}">' in page
        assert (report.directory / f"{key}.png").stat().st_size > 10_000
    _, body = page.split("</script></head>", 1)
    for address in ("src=", "href=", "http"):
        assert address not in body.replace("http-equiv", ""), address
    assert "<b>synthetic" not in page
    summary = json.loads((report.directory / "summary.json").read_text())
    assert summary["portfolios"]["vault"]["sharpe"] == study.vault.statistics.sharpe
    assert len(summary["sweep"]) == 4
    assert "NaN" not in page.split("<h2>Charts</h2>")[0].split("</head>")[1]


def test_render_study__eighty_columns__every_figure_is_whole(study: Study) -> None:
    console = Console(width=80, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    console.print(render_study(study))
    text = console.export_text()
    assert "…" not in text
    for portfolio in study.portfolios:
        assert portfolio.name in text
