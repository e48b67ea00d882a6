"""The effect of a proposal on a terminal of 80 columns."""

from __future__ import annotations

from dataclasses import replace

from rich.console import Console

from equipoise.governance.simulate import Effect, RiskView
from equipoise.report.governance import print_effect

BEFORE = RiskView(
    mode="Normal",
    budgets={"BTC": 0.5, "ETH": 0.5},
    exposures={"BTC": 0.61, "ETH": 0.42},
    targets={"BTC": 0.6, "ETH": 0.4},
    leverage=1.03,
    target_leverage=1.0,
    volatility=0.31,
    target_volatility=0.3,
    parity_gap=0.004,
    may_open="no",
)


def printed(effect: Effect) -> str:
    console = Console(width=80, record=True, force_terminal=False)
    with console.capture() as capture:
        print_effect(console, effect)
    return capture.get()


def test_print_effect__new_budgets__shows_both_sides_in_80_columns() -> None:
    after = replace(
        BEFORE,
        budgets={"BTC": 0.7, "ETH": 0.3},
        targets={"BTC": 0.7, "ETH": 0.2},
        target_leverage=0.9,
        parity_gap=0.2,
        may_open="parity gap",
    )
    text = printed(Effect(BEFORE, after, 312_456))
    assert all(len(line) <= 80 for line in text.splitlines())
    lines = {
        line.split()[0]: line.replace("\N{NO-BREAK SPACE}", "").split()
        for line in text.splitlines()
        if line.split()
    }
    assert lines["BTC"] == ["BTC", "61.0%", "50.0%", "70.0%", "60.0%", "70.0%"]
    assert lines["target"][1:] in (["leverage", "1.00", "0.90"], ["volatility", "30.0%", "30.0%"])
    assert "parity gap" in text
    assert "gas of its calls: 312" in text


def test_print_effect__an_asset_that_comes_without_reports__has_dashes() -> None:
    blind = replace(
        BEFORE,
        budgets={"BTC": 0.4, "ETH": 0.3, "NEW": 0.3},
        exposures={},
        targets={},
        leverage=None,
        target_leverage=None,
        volatility=None,
        target_volatility=None,
        parity_gap=None,
    )
    text = printed(Effect(BEFORE, blind, 1))
    row = next(line.split() for line in text.splitlines() if line.strip().startswith("NEW"))
    assert [cell for cell in row if cell == "-"] == ["-"] * 4
    leverage = next(line for line in text.splitlines() if line.strip().startswith("leverage"))
    assert leverage.split()[1:] == ["1.03", "-"]
