from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise

import pandas as pd
import pytest

from equipoise.report.charts import all_charts
from equipoise.report.draw import EndLabel, end_labels, log_ticks
from equipoise.report.html import render_page
from equipoise.report.summary import summarise
from equipoise.report.theme import new_figure
from equipoise.simulation import ReplayResult, compare
from tests.unit.simulation.synthetic import make_result

HOSTILE = "</script><img src=http://evil.example onerror=alert(1)>"


class Loads(HTMLParser):
    """Collects what a browser would load, the text, and the tags."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.loads: list[str] = []
        self.tags: list[str] = []
        self.styles: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        loading = {"src", "href", "srcset", "data", "poster", "action", "background"}
        self.loads += [value or "" for name, value in attrs if name in loading]

    def handle_data(self, data: str) -> None:
        if self.tags and self.tags[-1] == "style":
            self.styles.append(data)


def page(result: ReplayResult) -> str:
    portfolios = compare(result)
    return render_page(result, portfolios, all_charts(result, portfolios), summarise(result, portfolios))


def parse(text: str) -> Loads:
    parser = Loads()
    parser.feed(text)
    return parser


@pytest.fixture(scope="module")
def text() -> str:
    return page(make_result(days=90, assets=3))


def test_render_page__any_replay__loads_nothing_from_anywhere(text: str) -> None:
    parser = parse(text)
    assert parser.loads == ["data:,"]  # the empty icon, so that a browser asks for none
    assert not {"iframe", "object", "embed", "img", "base"} & set(parser.tags)
    assert not re.search(r"url\(|@import", "".join(parser.styles))
    assert "cdn.plot.ly/plotly" not in text
    assert "MathJax.js" not in text


def test_render_page__any_replay__plotly_is_inlined_once(text: str) -> None:
    assert len(re.findall(r"plotly\.js v\d", text)) == 1
    assert text.count("Plotly.newPlot(") >= 7


def test_render_page__any_replay__tables_and_charts_are_there(text: str) -> None:
    for key in ("nav", "drawdown", "risk_contributions", "weights", "parity_gap", "gas", "volatility"):
        assert f'<figure id="{key}">' in text
    for name in ("Vault", "Buy and hold", "Equal dollars", "Min. variance", "100 % BTC"):
        assert f"<td>{name}</td>" in text


def test_render_page__hostile_names_and_settings__are_text(text: str) -> None:
    result = make_result(days=60, assets=3)
    names = {"BNB": HOSTILE}
    by_asset = {
        name: getattr(result, name).rename(columns=names) for name in ("prices", "weights", "risk_shares")
    }
    hostile = replace(
        result,
        **by_asset,
        budgets=result.budgets.rename(names),
        config={HOSTILE: HOSTILE, "when": pd.Timestamp("2020-01-01")},
        rebalances=result.rebalances.assign(reason=HOSTILE),
    )
    parser = parse(page(hostile))
    assert parser.loads == ["data:,"]
    assert "img" not in parser.tags
    assert parser.tags.count("script") == parse(text).tags.count("script")


def test_charts__hostile_names__reach_plotly_escaped() -> None:
    """Plotly reads a little HTML in its labels; none of a user's may survive."""
    result = make_result(days=60, assets=3)
    names = {"BNB": "<b>B</b>"}
    by_asset = {
        name: getattr(result, name).rename(columns=names) for name in ("prices", "weights", "risk_shares")
    }
    hostile = replace(result, **by_asset, budgets=result.budgets.rename(names))
    for chart in all_charts(hostile, compare(hostile)):
        texts = [trace.name or "" for trace in chart.figure.data]
        texts += [note.text for note in chart.figure.layout.annotations]
        assert not any("<b>B</b>" in text for text in texts)


def test_charts__any_replay__titles_say_something_and_carry_no_not_a_number(text: str) -> None:
    for days, assets in ((3, 2), (12, 2), (60, 8), (200, 5)):
        result = make_result(days=days, assets=assets)
        for chart in all_charts(result, compare(result)):
            assert len(chart.title) > 20
            assert "nan" not in f"{chart.title} {chart.subtitle}".lower().split()


def test_end_labels__close_values__do_not_overlap() -> None:
    figure = new_figure(pd.date_range("2020-01-01", periods=2))
    labels = [EndLabel(f"line {i}<br>second", 0.5 + i / 1000, "#000") for i in range(6)]
    end_labels(figure, labels, (0.0, 1.0), plot_height=500)
    places = sorted(500 * note.y for note in figure.layout.annotations)
    assert min(b - a for a, b in pairwise(places)) >= 36
    assert places[0] >= 18
    assert places[-1] <= 482


@pytest.mark.parametrize("limits", [(0.9, 1.1), (0.5, 20), (0.99, 1.01), (0.001, 400)])
def test_log_ticks__any_range__a_few_rounded_values_inside(limits: tuple[float, float]) -> None:
    ticks = log_ticks(*limits)
    assert ticks == sorted(ticks)
    assert 2 <= len(ticks) <= 20
    assert all(limits[0] <= tick <= limits[1] for tick in ticks)
