from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from equipoise.report import summarise, to_json
from equipoise.simulation import ReplayResult, compare
from tests.unit.simulation.synthetic import make_result

FIGURES = {"return", "volatility", "max_drawdown", "sharpe", "turnover", "gas", "trading_cost"}


def refuse(constant: str) -> None:
    raise AssertionError(f"{constant} is not JSON")


def load(result: ReplayResult) -> dict[str, Any]:
    loaded = json.loads(to_json(summarise(result, compare(result))), parse_constant=refuse)
    assert isinstance(loaded, dict)
    return loaded


@pytest.fixture(scope="module")
def result() -> ReplayResult:
    return make_result(days=400)


@pytest.fixture(scope="module")
def summary(result: ReplayResult) -> dict[str, Any]:
    return load(result)


def test_summarise__any_replay__holds_the_promised_keys(summary: dict[str, Any]) -> None:
    assert {
        "days",
        "assets",
        "vault",
        "benchmarks",
        "parity_gap",
        "realised_risk_shares",
        "ex_post_risk_shares",
        "budgets",
        "rebalances",
        "mode_days",
        "wall_s",
        "latency_round_trips",
        "seed",
        "config",
    } <= set(summary)
    assert set(summary["vault"]) >= FIGURES
    assert set(summary["benchmarks"]) == {"buy_and_hold", "equal_dollars", "minimum_variance", "single_asset"}
    assert all(set(figures) >= FIGURES for figures in summary["benchmarks"].values())
    assert set(summary["parity_gap"]) >= {"mean", "p95", "max", "band"}
    assert set(summary["latency_round_trips"]) == {"attempts", "max_profit_usd", "max_profit_bps"}


def test_summarise__values__are_those_of_the_replay(result: ReplayResult, summary: dict[str, Any]) -> None:
    held = result.risk_shares.sum(axis=1) > 0.5
    gap = result.days["parity_gap"][held]
    assert summary["days"] == 400
    assert summary["rebalances"] == len(result.rebalances)
    assert summary["parity_gap"]["mean"] == pytest.approx(gap.mean())
    assert summary["parity_gap"]["max"] == pytest.approx(gap.max())
    assert summary["parity_gap"]["p95"] == pytest.approx(np.quantile(gap, 0.95))
    for asset in result.assets:
        assert summary["realised_risk_shares"][asset] == pytest.approx(result.risk_shares[asset][held].mean())
    assert sum(summary["realised_risk_shares"].values()) == pytest.approx(1)
    assert sum(summary["ex_post_risk_shares"].values()) == pytest.approx(1)
    assert sum(summary["mode_days"].values()) == 400
    assert summary["latency_round_trips"] == {
        "attempts": 2,
        "max_profit_usd": -12.0,
        "max_profit_bps": -11.0,
    }
    assert summary["vault"]["gas"] == result.days["gas_used"].iloc[result.base :].sum()


def test_summarise__no_latency_attempts__null_profit(result: ReplayResult) -> None:
    quiet = load(dataclasses.replace(result, latency=result.latency.iloc[:0]))
    assert quiet["latency_round_trips"] == {"attempts": 0, "max_profit_usd": None, "max_profit_bps": None}


def test_summarise__two_invested_days__undefined_figures_are_null() -> None:
    summary = load(make_result(days=3, assets=2))
    assert summary["benchmarks"]["single_asset"]["volatility"] is not None
    assert to_json({"a": float("nan"), "b": np.float64("inf")}) == '{\n  "a": null,\n  "b": null\n}\n'


def test_to_json__values_of_every_kind__become_plain() -> None:
    values = {
        "path": Path("/x"),
        "day": pd.Timestamp("2020-02-03"),
        "flag": np.bool_(True),
        "number": np.int64(3),
        "array": np.array([1.5, np.nan]),
        "series": pd.Series({"BTC": 1.0}),
        "nested": {"tuple": (1, None, "a")},
    }
    assert json.loads(to_json(values)) == {
        "path": "/x",
        "day": "2020-02-03",
        "flag": True,
        "number": 3,
        "array": [1.5, None],
        "series": {"BTC": 1.0},
        "nested": {"tuple": [1, None, "a"]},
    }
