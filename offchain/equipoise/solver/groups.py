"""Budgets by groups: what a sector or class is to carry of the variance, and who carries it within.

Contributions to variance add up, so a tree of budgets is the flat problem whose budgets are the products
along its branches: `solve_parity` and every other solver here take them as they are.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from equipoise.errors import SolverError
from equipoise.solver.checks import BUDGET_SUM
from equipoise.types import FloatArray

__all__ = ["GroupBudgets", "group_budgets"]


@dataclass(frozen=True)
class GroupBudgets:
    """Flat budgets, and where the groups are in them.

    Attributes
    ----------
    assets
        Names in the order of the covariance's rows.
    budgets
        Shape (n,), > 0, sum 1: of the portfolio's variance.
    totals
        Group, of every level, to its budget of the portfolio's variance.
    members
        Group to the places of its assets, those of its own groups among them.
    """

    assets: tuple[Hashable, ...]
    budgets: FloatArray
    totals: dict[Hashable, float]
    members: dict[Hashable, tuple[int, ...]]

    def shares(self, contributions: FloatArray) -> dict[Hashable, float]:
        """Group to its share of the variance, from the contributions (n,) that a solver reports."""
        parts = np.asarray(contributions, dtype=float)
        if parts.shape != self.budgets.shape:
            raise SolverError(
                f"contributions have shape {parts.shape}; give one an asset, {self.budgets.shape}"
            )
        return {name: float(parts[list(at)].sum() / parts.sum()) for name, at in self.members.items()}


def group_budgets(
    groups: Mapping[Hashable, Any],
    budgets: Mapping[Hashable, float] | None = None,
    within: Mapping[Hashable, float] | None = None,
    *,
    assets: Sequence[Hashable] | None = None,
) -> GroupBudgets:
    """Budgets of assets from budgets of groups.

    Parameters
    ----------
    groups
        Name to the assets of the group, or to a mapping of groups within it, to any depth.
    budgets
        Group to its part of what contains it, > 0; those side by side sum to 1 (within 1e-6) or are all left
        out, which makes them equal.
    within
        Asset to its part of its group, likewise.
    assets
        Order of the covariance's rows; as they appear in `groups` by default.

    Raises
    ------
    SolverError
        A group is empty or named twice, an asset is in none or in two, a budget is missing, of nobody or not
        > 0, or those side by side do not sum to 1.
    """
    budgets, within = dict(budgets or {}), dict(within or {})
    flat: dict[Hashable, float] = {}
    totals: dict[Hashable, float] = {}
    inside: dict[Hashable, list[Hashable]] = {}

    def walk(tree: Any, total: float, above: tuple[Hashable, ...]) -> None:
        where = f"group {above[-1]!r}" if above else "the top level"
        if isinstance(tree, str) or not isinstance(tree, Iterable):
            raise SolverError(
                f"{where} is {tree!r}; give a list of its assets, or a mapping of groups within it"
            )
        names = list(tree)
        if not names:
            raise SolverError(f"{where} is empty; leave it out, or name its assets")
        nested = tree if isinstance(tree, Mapping) else None
        for name, part in _parts(names, within if nested is None else budgets, where):
            if name in (flat if nested is None else totals):
                kind = "asset" if nested is None else "group"
                raise SolverError(f"{kind} {name!r} is named twice, again in {where}; let it be in one group")
            if nested is None:
                flat[name] = total * part
                for group in above:
                    inside[group].append(name)
            else:
                totals[name], inside[name] = total * part, []
                walk(nested[name], total * part, (*above, name))

    if not isinstance(groups, Mapping):
        raise SolverError(f"groups are {groups!r}; give a mapping of names to lists of assets")
    walk(groups, 1.0, ())
    for kind, given, known in (("group", budgets, totals), ("asset", within, flat)):
        if strange := [name for name in given if name not in known]:
            raise SolverError(f"budget of {kind} {strange[0]!r}, which is not in the groups; leave it out")
    order = tuple(flat if assets is None else assets)
    if alone := [name for name in order if name not in flat]:
        raise SolverError(f"asset {alone[0]!r} is in no group; put it into one, or leave it out")
    if extra := [name for name in flat if name not in order]:
        raise SolverError(f"asset {extra[0]!r} of a group is not among the assets; leave it out of the group")
    if len(set(order)) < len(order):
        twice = next(name for name in order if order.count(name) > 1)
        raise SolverError(f"asset {twice!r} stands twice among the assets; name each once")
    place = {name: i for i, name in enumerate(order)}
    members = {group: tuple(place[name] for name in names) for group, names in inside.items()}
    return GroupBudgets(order, np.array([flat[name] for name in order]), totals, members)


def _parts(
    names: list[Hashable], given: Mapping[Hashable, float], where: str
) -> list[tuple[Hashable, float]]:
    """Parts that siblings have of what contains them: as given, with sum 1 exactly, or equal."""
    if not any(name in given for name in names):
        return [(name, 1.0 / len(names)) for name in names]
    if missing := [name for name in names if name not in given]:
        raise SolverError(f"{missing[0]!r} in {where} has no budget; give all of them one, or none")
    for name in names:
        value = given[name]
        if not (isinstance(value, int | float | np.number) and 0 < value < np.inf):
            raise SolverError(
                f"budget {value!r} of {name!r} in {where} is not > 0 and finite; leave out what has no risk"
            )
    total = float(sum(given[name] for name in names))
    if not abs(total - 1) <= BUDGET_SUM:
        raise SolverError(
            f"budgets in {where} sum to {total:.9g}; they must sum to 1, divide each by the sum"
        )
    return [(name, float(given[name]) / total) for name in names]
