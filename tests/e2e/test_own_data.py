"""A user's own prices: other assets, other budgets, up to eight of them, markets that close."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.e2e.conftest import prices, summary_of

EIGHT = {f"COIN{i}": 0.01 + 0.004 * i for i in range(8)}


def test_demo__three_unknown_assets_with_unequal_budgets__each_carries_its_budget(
    equipoise: Callable[..., Any], tmp_path: Path
) -> None:
    """Of three columns out of four, in the user's order; one market closes on weekends."""
    frame = prices({"IGNORED": 0.1, "GOLD": 0.01, "OIL": 0.025, "SHARE": 0.015}, days=80)
    frame.loc[frame.index.dayofweek >= 5, "SHARE"] = np.nan
    frame.loc[frame.index[20], "IGNORED"] = -1  # not chosen, so not looked at
    frame.to_csv(tmp_path / "mine.csv")
    done = equipoise(
        "demo",
        *("--prices", tmp_path / "mine.csv", "--assets", "OIL, SHARE,GOLD", "--budgets", "0.5,0.3,0.2"),
        *("--target-vol", 0.1, "--out", tmp_path / "out"),
    )
    assert done.returncode == 0, done.stderr
    summary = summary_of(tmp_path / "out")
    assert summary["assets"] == ["OIL", "SHARE", "GOLD"]
    assert summary["budgets"] == {"OIL": 0.5, "SHARE": 0.3, "GOLD": 0.2}
    assert summary["days"] == 80
    assert summary["volatility"]["target"] == 0.1
    for asset, share in summary["realised_risk_shares"].items():
        assert share == pytest.approx(summary["budgets"][asset], abs=0.025)
    assert summary["latency_round_trips"]["max_profit_usd"] < 0


def test_demo__eight_assets_and_days_and_seed__a_full_basket_at_parity(
    equipoise: Callable[..., Any], tmp_path: Path
) -> None:
    prices(EIGHT, days=70).to_csv(tmp_path / "eight.csv")
    options = ("--prices", tmp_path / "eight.csv", "--days", 60, "--seed", 11, "--out", tmp_path / "out")
    done = equipoise("demo", *options)
    assert done.returncode == 0, done.stderr
    summary = summary_of(tmp_path / "out")
    assert (summary["days"], summary["seed"], len(summary["assets"])) == (60, 11, 8)
    assert summary["largest_budget_deviation"] < 0.025
    assert summary["parity_gap"]["max"] <= summary["parity_gap"]["band"]
