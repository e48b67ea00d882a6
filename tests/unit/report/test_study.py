"""The study's page and tables: every figure, no address, names as text, paths without a Sharpe ratio."""

from __future__ import annotations

import json
import re

import pandas as pd
import pytest
from rich.console import Console

from equipoise.client.config import AuctionConfig
from equipoise.report.study.charts import study_charts
from equipoise.report.study.table import HEADERS, held_on, render_equal_risk, study_rows
from equipoise.report.study.write import render_study_page, summarise_study
from equipoise.report.summary import to_json
from equipoise.report.theme import titled
from equipoise.simulation import allocations
from equipoise.simulation.backtest import BacktestConfig
from equipoise.simulation.study import Study, run_study
from tests.unit.report.test_page import HOSTILE, parse
from tests.unit.simulation.test_backtest import closes

GRID = {"parity_band": (0.01, 0.1), "volatility_band": (0.05, 0.3)}
CONFIG = BacktestConfig(auction=AuctionConfig(target_volatility=0.8, max_leverage=3.0))
SEED = 5  # portfolios and equal-risk ones would choose blocks of their own
KEYS = {
    "nav",
    "drawdown",
    "nav_equal_risk",
    "sharpe",
    "volatility",
    "risk_contributions",
    "leverage",
    "costs",
    "sensitivity",
}


class _NoOptimiser:
    def fit(self, _: pd.DataFrame) -> None:
        raise ValueError("infeasible")


def make(n: int = 3, **change: object) -> Study:
    arguments: dict[str, object] = {"grid": GRID, "source": "synthetic"}
    return run_study(closes(SEED, days=200, n=n), CONFIG, **(arguments | change))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def study() -> Study:
    return make()


@pytest.fixture(scope="module")
def resting() -> Study:
    """Mean-variance never finds weights, so it rests in cash."""
    found = allocations._skfolio()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(allocations, "_skfolio", lambda: {**found, "mean_variance": _NoOptimiser()})
        return make()


def body(study: Study) -> str:
    return render_study_page(study, study_charts(study)).split("</head>", 1)[1]


def test_study_charts__any_study__all_of_them_with_a_finding(study: Study) -> None:
    charts = study_charts(study)
    assert {chart.key for chart in charts} == KEYS
    for chart in charts:
        assert len(chart.title) > 20
        assert "nan" not in f"{chart.title} {chart.subtitle}".lower().split()


def test_render_study_page__any_study__charts_both_tables_and_no_address(study: Study) -> None:
    page = render_study_page(study, study_charts(study))
    parser = parse(page)
    assert parser.loads == ["data:,"]
    assert not {"iframe", "object", "embed", "img", "base", "link rel=stylesheet"} & set(parser.tags)
    shown = page.split("</head>", 1)[1]
    assert "http" not in shown
    for key in KEYS:
        assert f'<figure id="{key}">' in shown
    for portfolio in study.portfolios:
        assert shown.count(f"<td>{portfolio.name}</td>") == 2
    for word in ("At equal risk", "How to read it", "What is assumed", "volatility_decay", "Cash"):
        assert word in shown


def test_render_study_page__hostile_asset_and_source__are_text() -> None:
    prices = closes(days=150).rename(columns={"A1": HOSTILE})
    hostile = run_study(prices, CONFIG, grid={"parity_band": (0.05,)}, source=HOSTILE)
    parser = parse(render_study_page(hostile, study_charts(hostile)))
    assert parser.loads == ["data:,"]
    assert "img" not in parser.tags


@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_render_study_page__an_optimiser_that_never_works__shown_as_a_dash(resting: Study) -> None:
    assert study_charts(resting)[3].figure.data[0].y == ("Mean-variance",)
    row = next(row for row in study_rows(resting.portfolios, resting.uncertainty) if "Mean" in row[0])
    assert row[HEADERS.index("Sharpe")] == "–"
    assert row[HEADERS.index("Return a year")] == "0.0\N{NO-BREAK SPACE}%"
    (line,) = held_on(resting)
    assert re.match(r"Mean-variance kept its weights on \d+ first days of a month", line)
    before_charts = body(resting).split("<h2>Charts</h2>")[0]
    assert line in before_charts
    assert not re.search(r"\bnan\b", before_charts, re.IGNORECASE)
    figures = json.loads(to_json(summarise_study(resting)))["portfolios"]["mean_variance"]
    assert figures["sharpe"] is None
    assert figures["intervals"]["sharpe"] == [None, None]


def test_summarise_study__any_study__reproducible_and_complete(study: Study) -> None:
    summary = json.loads(to_json(summarise_study(study)))
    assert summary["bootstrap"] == {
        "level": 0.9,
        "resamples": 1000,
        "seed": 7,
        "block": study.uncertainty.block,
    }
    assert summary["config"]["auction"]["target_volatility"] == 0.8
    assert set(summary["portfolios"]) == set(summary["equal_risk"]["portfolios"])
    # resampled on the same days: the vault is the same beside both
    vault = summary["portfolios"]["vault"]["intervals"]
    assert summary["equal_risk"]["portfolios"]["vault"]["intervals"] == vault
    assert set(summary["equal_risk"]["sharpe_gain"]) == set(summary["portfolios"]) - {"vault"}


def test_render_equal_risk__eighty_columns__every_figure_is_whole(study: Study) -> None:
    console = Console(width=80, record=True, quiet=False)
    with console.capture() as capture:
        console.print(render_equal_risk(study))
    text = capture.get()
    assert "…" not in text
    for portfolio in study.equal_risk:
        assert portfolio.name in text


@pytest.mark.parametrize("n", [2, 8])
def test_study_charts__other_numbers_of_assets__drawn_with_their_mix(n: int) -> None:
    mix = [0.5, 0.5, *[0.0] * (n - 2)]
    made = make(n=n, mix=mix, grid={"parity_band": (0.02, 0.05)})
    charts = study_charts(made)
    assert {chart.key for chart in charts} == KEYS - {"sensitivity"}
    page = body(made)
    assert "<td>Own mix</td>" in page
    assert "There are no bonds" not in page


def test_titled__wide_left_margin__title_starts_at_the_edge(study: Study) -> None:
    """Charts with names on their axis have a margin of their own."""
    for chart in study_charts(study):
        figure = titled(chart)
        note = next(n for n in figure.layout.annotations if n.text.startswith(f"<b>{chart.title[:20]}"))
        assert note.xshift + figure.layout.margin.l == 20
