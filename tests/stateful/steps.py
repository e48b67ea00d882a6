"""A rule that remembers: its arguments for a replay, and whether it got its way."""

from __future__ import annotations

import functools
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from hypothesis.stateful import initialize, rule

__all__ = ["TALLY", "action", "never_done", "opening", "replay", "table"]

IDLE = "(nothing to do)"
DONE = "done"

NEVER = {"an_adversary_posts", "a_thief_tries_a_lever"}
"""Rules that must be refused."""
NEEDS_DEBT = {
    "a_crash_comes",
    "a_liquidator_comes",
    "a_reserve_freezes_or_thaws",
    "a_stranger_switches_collateral",
    "anybody_pulls_the_ripcord",
    "liquidity_leaves_or_returns",
    "purchases_meet_a_rising_bar",
    "receipts_are_donated",
    "somebody_repays",
    "the_ripcord_saves",
}
_RULES: list[str] = []

TALLY: defaultdict[str, Counter[str]] = defaultdict(Counter)
"""Outcomes of every rule in this process: done, the name of a refusal, or nothing to do."""


def action(**strategies: Any) -> Callable[[Callable[..., None]], Any]:
    """As hypothesis' `rule`; the step and its outcome are written down.

    A rule is done when one of its transactions went through, or when it said so by `self.did()`.
    """
    return lambda function: rule(**strategies)(_recorded(function))


def opening(**strategies: Any) -> Callable[[Callable[..., None]], Any]:
    """The same for hypothesis' `initialize`: the first step of every life."""
    return lambda function: initialize(**strategies)(_recorded(function))


def _recorded(function: Callable[..., None]) -> Callable[..., None]:
    _RULES.append(function.__name__)

    @functools.wraps(function)
    def step(self: Any, **arguments: Any) -> None:
        if self.inside:  # one rule calls another: the outer one is the step
            function(self, **arguments)
            return
        self.steps.append((function.__name__, arguments))
        self.outcomes.clear()
        self.inside = True
        try:
            function(self, **arguments)
        finally:
            self.inside = False
            outcomes = self.outcomes or [IDLE]
            TALLY[function.__name__][DONE if DONE in outcomes else outcomes[0]] += 1
        self.digests.append(self.digest())

    return step


def replay(machine: Any, steps: Iterable[tuple[str, dict[str, Any]]]) -> Any:
    """Run recorded steps on a fresh machine, every invariant after each; the machine is put away after."""
    try:
        for name, arguments in steps:
            getattr(machine, name)(**arguments)
            machine.check_invariants_now()
    finally:
        machine.teardown()
    return machine


def never_done(tally: Mapping[str, Counter[str]], levered: bool) -> set[str]:
    """Rules that ran and never got their way, or never ran: each is a defect of the machine."""
    wanted = set(_RULES) - NEVER - (set() if levered else NEEDS_DEBT)
    return {rule for rule in wanted if not tally.get(rule, Counter())[DONE]}


def table(tally: Mapping[str, Counter[str]] | None = None) -> list[str]:
    """Lines of a table: rule, calls, successes, what refused the others."""
    rows = TALLY if tally is None else tally
    if not rows:
        return []
    width = max(map(len, rows))
    lines = [f"{'rule':{width}} {'calls':>7} {'done':>7}  refusals"]
    for name in sorted(rows):
        counts = rows[name]
        others = ", ".join(f"{error} {n}" for error, n in counts.most_common() if error != DONE)
        lines.append(f"{name:{width}} {sum(counts.values()):7} {counts[DONE]:7}  {others}")
    return lines
