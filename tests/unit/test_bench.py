"""The goals of the bench are judged on its figures, whichever way they fall."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from equipoise.solver import solve_parity
from tests.bench.goals import goals
from tests.bench.problems import FAMILIES, error_of, problems


def measured(**changes: Any) -> dict[str, Any]:
    seconds = {
        ("equipoise", 8): 40e-6,
        ("riskparityportfolio", 8): 3e-6,
        ("skfolio", 8): 12e-3,
        ("equipoise, numba", 8): 20e-6,
        ("equipoise, assume_definite", 500): 0.3e-3,
        ("equipoise, numba, assume_definite", 500): 0.2e-3,
        ("riskparityportfolio", 500): 0.7e-3,
        ("equipoise, assume_definite", 1000): 1e-3,
        ("equipoise, numba, assume_definite", 1000): 0.8e-3,
        ("riskparityportfolio", 1000): 2.5e-3,
    }
    rows = [
        {"solver": solver, "n": n, "family": "well", "seconds": s, "failed": 0, "tried": 20}
        for (solver, n), s in seconds.items()
    ]
    batch = {"ours": 0.01, "cpp": 0.03, "ours_wrong": 0, "tried": 500}
    memory = {"10000": 900.0, "100000": 800.0}
    return {"rows": rows, "batch_well": batch, "batch_hedged": batch, "memory": memory} | changes


def test_goals__good_figures__all_met() -> None:
    assert all(goal.met for goal in goals(measured()))


@pytest.mark.parametrize(
    ("solver", "key", "value", "missed"),
    [
        ("equipoise", "failed", 1, 1),
        ("equipoise, numba", "failed", None, 1),
        ("equipoise", "seconds", 1.0, 2),
        ("equipoise, numba", "seconds", 1.0, 2),
        ("riskparityportfolio", "seconds", 1e-6, 2),
        ("equipoise, assume_definite", "seconds", None, 1),
        ("equipoise, numba, assume_definite", "seconds", 1.0, 1),
    ],
)
def test_goals__a_worse_figure__not_met(solver: str, key: str, value: float | None, missed: int) -> None:
    found = measured()
    next(row for row in found["rows"] if row["solver"] == solver)[key] = value
    assert sum(not goal.met for goal in goals(found)) == missed


@pytest.mark.parametrize("family", FAMILIES)
def test_problems__every_family__we_solve_it_and_a_wrong_answer_is_seen(family: str) -> None:
    covariances, budgets = problems(family, 6, 10)
    for S, b in zip(covariances, budgets, strict=True):
        weights = solve_parity(S, b).weights
        assert error_of(S, weights, b) <= 1e-8
        # twice the holding of the asset with most of the risk
        wrong = weights * np.where(b == b.max(), 2.0, 1.0)
        assert error_of(S, wrong / wrong.sum(), b) > 1e-6
        assert error_of(S, weights * np.nan, b) == float("inf")
