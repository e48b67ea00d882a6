"""Medians after a warm-up, and the one look of the tables."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence

import numpy as np
from rich import box
from rich.table import Table

__all__ = ["median_seconds", "show_seconds", "table"]


def median_seconds(
    function: Callable[[], object],
    *,
    least: int = 5,
    seconds: float = 0.5,
    clock: Callable[[], float] = time.perf_counter,
) -> float:
    """Median time of a call {s}, over at least `least` calls and `seconds`, after one that does not count."""
    function()
    times: list[float] = []
    while len(times) < least or sum(times) < seconds:
        started = clock()
        function()
        times.append(clock() - started)
    return float(np.median(times))


def show_seconds(value: float) -> str:
    """Three digits in s, ms or µs."""
    for unit, scale in (("s", 1.0), ("ms", 1e3), ("µs", 1e6)):
        if value * scale >= 1 or unit == "µs":
            return f"{value * scale:.3g} {unit}"
    raise AssertionError


def table(
    title: str, headers: Sequence[str], rows: Iterable[Sequence[str]], caption: str = "", words: int = 1
) -> Table:
    """The first `words` columns left, figures right; 80 characters are enough."""
    made = Table(title=title, caption=caption, box=box.SIMPLE_HEAD, pad_edge=False, padding=0)
    made.title_justify = made.caption_justify = "left"
    made.title_style = "bold"
    for i, header in enumerate(headers):
        made.add_column(header, justify="left" if i < words else "right", no_wrap=i < words)
    for row in rows:
        made.add_row(*row)
    return made
