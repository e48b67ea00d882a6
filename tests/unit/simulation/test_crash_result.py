"""What a crash run says of itself."""

from __future__ import annotations

import pandas as pd
import pytest

from equipoise.errors import InputError
from equipoise.simulation.crash_result import KEEPERS_ACT, CrashRun
from tests.unit.simulation.synthetic import make_crash


def test_run__figures__are_of_its_path() -> None:
    run = make_crash(KEEPERS_ACT, lowest=1.2)
    assert run.min_health_factor == pytest.approx(1.2)
    assert run.nav_change == pytest.approx(-0.2)
    assert run.max_drawdown == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("lowest", "liquidations", "words"),
    [
        (1.2, 0, "fell to 1.20, under the trigger of 1.30, 1 ripcord pulled; no liquidation."),
        (1.4, 0, "fell to 1.40, above the trigger of 1.30"),
        (0.9, 3, "fell to 0.90: 3 liquidations, at a cost of 0.30% of NAV."),
        (0.9, 1, "1 liquidation, at a cost of 0.10% of NAV."),
        (float("inf"), 0, "No debt: nothing to liquidate."),
    ],
)
def test_verdict__any_end__is_told_in_a_sentence(lowest: float, liquidations: int, words: str) -> None:
    run = make_crash(KEEPERS_ACT, liquidations, 1.2)
    path = run.path.assign(health_factor=run.path["health_factor"] - 1.2 + lowest)
    told = CrashRun(**{**vars(run), "path": path})
    assert words in told.verdict


def test_run__bad_path__is_refused() -> None:
    run = make_crash(KEEPERS_ACT)
    for path in (run.path.drop(columns="mode"), run.path.iloc[:1], run.path.iloc[::-1], pd.DataFrame()):
        with pytest.raises(InputError):
            CrashRun(**{**vars(run), "path": path})
