"""The report of a vault that borrows: tables, charts, figures; and none of them of one that does not."""

from __future__ import annotations

import io
import json

import pytest
from rich.console import Console

from equipoise.report import render
from equipoise.report.charts import all_charts
from equipoise.report.html import render_page
from equipoise.report.summary import summarise, to_json
from equipoise.report.table import crash_rows, hand_rows, leverage_rows
from equipoise.simulation import ReplayResult, compare
from tests.unit.simulation.synthetic import make_crash, make_result


@pytest.fixture(scope="module")
def levered() -> ReplayResult:
    return make_result(days=400, levered=True)


def printed(result: ReplayResult) -> str:
    screen = io.StringIO()
    Console(file=screen, width=100).print(render(result, compare(result)))
    return screen.getvalue()


def test_charts__of_debt__only_where_there_is_any(levered: ReplayResult) -> None:
    keys = [chart.key for chart in all_charts(levered, compare(levered))]
    assert keys[7:] == ["leverage", "health_factor", "crashes"]
    plain = make_result(days=90)
    assert len(all_charts(plain, compare(plain))) == 7


def test_tables__of_debt__say_how_safe_it_was(levered: ReplayResult) -> None:
    lowest = levered.min_health_factor
    assert ("Lowest health factor, any hour", f"{lowest:.2f}") in leverage_rows(levered)
    assert next(row[1] for row in crash_rows(levered)) == "as it stood"
    by_hand = hand_rows(levered, compare(levered)[0])[1]
    assert by_hand[0] == "By hand, same target"
    assert by_hand[-2:] == ("1", "0.5\N{NO-BREAK SPACE}%")
    text = printed(levered)
    assert "keepers out 24 h: The health factor fell to 1.20" in text
    assert "Liquidations" in text
    assert "Lowest health factor" not in printed(make_result(days=90))


def test_page__of_debt__has_the_crash_chapter(levered: ReplayResult) -> None:
    portfolios = compare(levered)
    page = render_page(levered, portfolios, all_charts(levered, portfolios), summarise(levered, portfolios))
    assert "<h2>Crashes</h2>" in page
    assert "<h2>Leverage</h2>" in page
    assert 'id="chart-crashes"' in page


def test_summary__of_debt__is_strict_json(levered: ReplayResult) -> None:
    found = json.loads(to_json(summarise(levered, compare(levered))))
    assert found["health_factor"] == {
        "min": pytest.approx(levered.min_health_factor),
        "trigger": 1.3,
        "target": 1.6,
    }
    assert len(found["crashes"]) == 4
    assert found["peers"][0]["liquidations"] == 1
    assert found["liquidations"] == 0
    assert found["borrow_cost"]["interest_usd"] > 0
    plain = json.loads(to_json(summarise(make_result(days=90), compare(make_result(days=90)))))
    assert plain["health_factor"]["min"] is None
    assert plain["crashes"] == plain["peers"] == []


def test_charts__a_liquidation__is_in_the_title(levered: ReplayResult) -> None:
    result = make_result(days=120, levered=True, crashes=(make_crash("keepers out 24 h", 2, 0.9),))
    chart = all_charts(result, compare(result))[-1]
    assert "1 of 1 runs were liquidated" in chart.title
