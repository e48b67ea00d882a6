"""A vault that borrows, on the real Uniswap and Aave, under any sequence of everybody's actions."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import settings

LIVES = max(60, settings().max_examples)
STEPS = 40


def test_levered_life__any_sequence__keeps_its_promises(
    live: Callable[[str, int, int], None],
) -> None:
    """EQ-24 EQ-33 EQ-50 EQ-51 EQ-53 EQ-54 EQ-55 EQ-57 EQ-58 EQ-61 EQ-62 EQ-84 EQ-88 EQ-89 EQ-100 EQ-112
    EQ-124 EQ-132 EQ-133: every sentence of tests/stateful/invariants.py and of the rules."""
    live("levered", LIVES, STEPS)
