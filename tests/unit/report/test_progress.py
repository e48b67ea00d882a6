"""What is printed while a replay runs: a bar on a terminal, the stages alone in a pipe."""

from __future__ import annotations

import io

import pandas as pd
import pytest
from rich.console import Console

from equipoise.report.progress import DemoProgress
from equipoise.simulation.replay import DayView

VIEW = DayView(pd.Timestamp("2020-03-12"), 0.9876, 0.0234, "Normal", 12, 1.25)


def shown(terminal: bool) -> str:
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=terminal, width=120, color_system=None)
    with DemoProgress(console) as progress:
        progress.stage("3 days are replayed")
        for _ in range(3):
            progress.day(VIEW, 3)
    return screen.getvalue()


def test_day__terminal__shows_date_price_gap_and_mode() -> None:
    text = shown(terminal=True)
    for word in ("2020-03-12", "0.9876", "2.3%", "Normal", "12 rebalances", "3 days are replayed"):
        assert word in text


def test_day__pipe__prints_the_stages_only() -> None:
    assert shown(terminal=False) == "· 3 days are replayed\n"


def test_exit__interrupted__passes_it_on() -> None:
    with pytest.raises(KeyboardInterrupt), DemoProgress(Console(file=io.StringIO())):
        raise KeyboardInterrupt
