"""A vault without a lending account, its tokens its own, under any sequence of everybody's actions."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import settings

LIVES = max(60, settings().max_examples)
STEPS = 40


def test_unlevered_life__any_sequence__keeps_its_promises(
    live: Callable[[str, int, int], None],
) -> None:
    """EQ-50 EQ-53 EQ-54 EQ-55 EQ-57 EQ-58 EQ-61 EQ-63 EQ-84 EQ-85 EQ-100 EQ-112: without debt the books are
    exact to the last unit."""
    live("unlevered", LIVES, STEPS)
