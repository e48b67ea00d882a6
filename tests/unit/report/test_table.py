from __future__ import annotations

import io

import pytest
from rich.console import Console

from equipoise.report import format as fmt
from equipoise.report import render
from equipoise.simulation import compare
from tests.unit.simulation.synthetic import make_result


def printed(days: int, width: int) -> str:
    result = make_result(days=days)
    console = Console(file=io.StringIO(), width=width)
    console.print(render(result, compare(result)))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.mark.parametrize("days", [60, 500])
def test_render__eighty_columns__nothing_is_cut(days: int) -> None:
    text = printed(days, 80)
    assert "…" not in text
    assert max(len(line) for line in text.splitlines()) <= 80
    for word in ("Vault", "Min. variance", "Turnover", "Gas", "Cost", "Budget", "as realised"):
        assert word in text


def test_render__less_than_a_year__return_is_not_annualised() -> None:
    assert "Return/y" in printed(500, 100)
    assert "Return/y" not in printed(100, 100)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (fmt.percent(0.1234), "12.3 %"),
        (fmt.percent(-0.5, 0), "−50 %"),
        (fmt.percent(-0.00001), "0.0 %"),
        (fmt.percent(float("nan")), "–"),
        (fmt.change(0.05), "+5.0 %"),
        (fmt.points(0.0123), "1.2"),
        (fmt.usd(1234.5), "$1,234"),
        (fmt.usd(-12.345), "−$12.35"),
        (fmt.gas(559_380_000), "559 M"),
        (fmt.gas(145_000), "145 k"),
        (fmt.gas(21), "21"),
    ],
)
def test_format__numbers__read_well(text: str, expected: str) -> None:
    assert text.replace("\N{NO-BREAK SPACE}", " ") == expected
