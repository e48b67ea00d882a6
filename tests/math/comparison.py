"""What it means for a function on the chain to agree with its reference, and the grids it is tried on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import product
from math import log2
from typing import Any

import numpy as np

__all__ = ["WAD", "Comparison", "Interval", "grid", "log_uniform", "table"]

WAD = 10**18
Interval = tuple[Any, Any]
"""Least and greatest number that a result may be; ints, fractions or mpmath numbers."""
Arguments = tuple[Any, ...]


@dataclass(frozen=True)
class Comparison:
    """One function of a harness against numbers that do not come from its own formula."""

    harness: str
    function: str
    reference: str
    bound: str
    """In words, what `allowed` asserts; a unit is the result's smallest."""
    arguments: Callable[[np.random.Generator], list[Arguments]]
    allowed: Callable[..., Iterable[Interval]]
    """Of the arguments: an interval for each number of the result, in order."""
    read: Callable[[Any], Any] = lambda result: result
    """The numbers in the result, where it packs them."""

    @property
    def name(self) -> str:
        return f"{self.harness}.{self.function}"

    def cases(self) -> list[Arguments]:
        """The same in every run."""
        return self.arguments(np.random.default_rng(sum(self.name.encode())))

    def violations(self, arguments: Arguments, result: Any) -> Iterator[str]:
        """Every number of `result` that its interval does not hold."""
        got = list(_flat(self.read(result)))
        allowed = list(self.allowed(*arguments))
        assert len(got) == len(allowed), f"{self.name}: {len(got)} numbers, {len(allowed)} intervals"
        for k, (value, (low, high)) in enumerate(zip(got, allowed, strict=True)):
            if not low <= value <= high:
                yield f"{self.name}{arguments}[{k}] = {value}, allowed [{low}, {high}]"


def _flat(result: Any) -> Iterator[Any]:
    if isinstance(result, list | tuple):
        for each in result:
            yield from _flat(each)
    elif hasattr(result, "_asdict"):
        yield from _flat(tuple(result))
    else:
        yield int(result)


def grid(*edges: Iterable[Any]) -> list[Arguments]:
    """Every combination of the edges."""
    return list(product(*edges))


def log_uniform(rng: np.random.Generator, low: int, high: int) -> int:
    """An integer in [low, high] whose magnitude is uniform; the last digits are random too."""
    value = int(2 ** rng.uniform(log2(low + 1), log2(high + 1))) - 1
    return min(high, max(low, value + int(rng.integers(0, 1000)) * (value > 10**6)))


def table(comparisons: Iterable[Comparison]) -> str:
    """A row a function: reference, bound, size of the grid."""
    rows = ["| function | reference | bound | points |", "|---|---|---|---|"]
    for c in comparisons:
        rows.append(f"| `{c.name}` | {c.reference} | {c.bound} | {len(c.cases()):,} |")
    return "\n".join(rows) + "\n"
