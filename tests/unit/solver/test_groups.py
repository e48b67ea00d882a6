"""Budgets by groups: a tree against its flat budgets, the report of shares, and trees that are none."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.errors import SolverError
from equipoise.solver import group_budgets, solve_parity, solve_parity_constrained

TREE = {"crypto": {"majors": ["BTC", "ETH"], "small": ["LINK"]}, "metal": ["GOLD"]}
TOP = {"crypto": 0.4, "metal": 0.6, "majors": 0.75, "small": 0.25}


def test_group_budgets__nested_by_hand__products_along_the_branches() -> None:
    made = group_budgets(TREE, TOP, {"BTC": 0.9, "ETH": 0.1})
    assert made.assets == ("BTC", "ETH", "LINK", "GOLD")
    np.testing.assert_allclose(made.budgets, [0.4 * 0.75 * 0.9, 0.4 * 0.75 * 0.1, 0.4 * 0.25, 0.6])
    assert made.totals == pytest.approx({"crypto": 0.4, "majors": 0.3, "small": 0.1, "metal": 0.6})
    assert made.members == {"crypto": (0, 1, 2), "majors": (0, 1), "small": (2,), "metal": (3,)}


def test_group_budgets__nothing_said__equal_on_every_level() -> None:
    np.testing.assert_allclose(group_budgets(TREE).budgets, [1 / 8, 1 / 8, 1 / 4, 1 / 2])


def test_group_budgets__sums_slightly_off__divided_by_them() -> None:
    made = group_budgets(TREE, {"crypto": 0.4 + 8e-7, "metal": 0.6})
    assert made.budgets.sum() == pytest.approx(1.0, abs=1e-15)
    assert made.totals["metal"] == pytest.approx(0.6 - 4.8e-7, abs=1e-12)


def test_group_budgets__other_order__follows_the_rows() -> None:
    rows = ["GOLD", "LINK", "BTC", "ETH"]
    made = group_budgets(TREE, TOP, assets=rows)
    np.testing.assert_allclose(made.budgets, [0.6, 0.1, 0.15, 0.15])
    assert made.members["crypto"] == (2, 3, 1)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), sizes=st.lists(st.integers(1, 4), min_size=1, max_size=5))
def test_group_budgets__solved__groups_and_assets_carry_their_parts(seed: int, sizes: list[int]) -> None:
    rng = np.random.default_rng(seed)
    n = sum(sizes)
    S = np.cov(rng.standard_normal((3 * n + 5, n)), rowvar=False).reshape(n, n)
    edges = np.cumsum([0, *sizes])
    groups = {f"g{k}": [int(i) for i in range(edges[k], edges[k + 1])] for k in range(len(sizes))}
    top = dict(zip(groups, rng.dirichlet(np.full(len(sizes), 5.0)), strict=True))
    inner = {
        i: part
        for at in groups.values()
        for i, part in zip(at, rng.dirichlet(np.full(len(at), 5.0)), strict=True)
    }
    made = group_budgets(groups, top, inner)
    solution = solve_parity(S, made.budgets)
    assert made.shares(solution.contributions) == pytest.approx(top, abs=1e-9)
    shares = solution.contributions / solution.volatility
    for group, at in groups.items():
        np.testing.assert_allclose(shares[at] / top[group], [inner[i] for i in at], rtol=1e-8)


def test_shares__group_under_a_cap__says_what_it_lacks() -> None:
    made = group_budgets(TREE, TOP)
    capped = solve_parity_constrained(np.diag([0.3, 0.4, 0.5, 0.02]), made.budgets, upper=0.5)
    shares = made.shares(capped.contributions)
    assert shares["metal"] < 0.6
    assert shares["metal"] + shares["crypto"] == pytest.approx(1)
    with pytest.raises(SolverError, match=r"contributions have shape \(2,\)"):
        made.shares(np.ones(2))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"groups": {}}, "the top level is empty"),
        ({"groups": {"a": [], "b": ["x"]}}, "group 'a' is empty"),
        ({"groups": {"a": {}, "b": ["x"]}}, "group 'a' is empty"),
        ({"groups": {"a": "BTC"}}, "group 'a' is 'BTC'; give a list"),
        ({"groups": {"a": 3}}, "group 'a' is 3; give a list"),
        ({"groups": ["x", "y"]}, "give a mapping"),
        ({"groups": {"a": ["x", "y"], "b": ["x"]}}, "asset 'x' is named twice, again in group 'b'"),
        ({"groups": {"a": ["x", "x"]}}, "asset 'x' is named twice"),
        ({"groups": {"a": {"b": ["x"]}, "b": ["y"]}}, "group 'b' is named twice"),
        ({"assets": ["x", "y", "z", "w"]}, "asset 'w' is in no group"),
        ({"assets": ["x", "y"]}, "asset 'z' of a group is not among the assets"),
        ({"assets": ["x", "y", "z", "x"]}, "asset 'x' stands twice"),
        ({"budgets": {"a": 0.5, "b": 0.6}}, r"budgets in the top level sum to 1\.1"),
        ({"budgets": {"a": 1.0, "b": 0.0}}, r"budget 0\.0 of 'b' in the top level is not > 0"),
        ({"assets": ["x", "y", "y", "z"]}, "asset 'y' stands twice"),
        ({"budgets": {"a": float("inf"), "b": 0.5}}, "budget inf of 'a'"),
        ({"budgets": {"a": 0.5, "b": float("nan")}}, "budget nan of 'b'"),
        ({"budgets": {"a": 0.5, "b": "half"}}, "budget 'half' of 'b'"),
        ({"budgets": {"a": 0.5}}, "'b' in the top level has no budget"),
        ({"budgets": {"a": 0.5, "b": 0.5, "c": 0.1}}, "budget of group 'c', which is not in the groups"),
        ({"within": {"x": 0.5, "y": 0.4}}, r"budgets in group 'a' sum to 0\.9"),
        ({"within": {"x": 0.5}}, "'y' in group 'a' has no budget"),
        ({"within": {"w": 1.0}}, "budget of asset 'w', which is not in the groups"),
    ],
)
def test_group_budgets__not_a_tree_of_budgets__named(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(SolverError, match=message):
        group_budgets(**{"groups": {"a": ["x", "y"], "b": ["z"]}, **arguments})
