"""What the engine is to reach beside the libraries, judged on the figures of one run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["Goal", "goals"]


@dataclass(frozen=True)
class Goal:
    """A ratio or a count, what it is to be, and whether it is."""

    name: str
    found: float
    bound: float
    at_least: bool

    @property
    def met(self) -> bool:
        """NaN is not."""
        return self.found >= self.bound if self.at_least else self.found <= self.bound


def goals(found: Mapping[str, Any]) -> list[Goal]:
    """Of the figures that `libraries` writes."""

    def seconds(solver: str, n: int) -> float:
        rows = [r for r in found["rows"] if (r["solver"], r["n"], r["family"]) == (solver, n, "well")]
        return float("nan") if not rows or rows[0]["seconds"] is None else float(rows[0]["seconds"])

    cpp, skfolio = "riskparityportfolio", "skfolio"
    own = [row for row in found["rows"] if row["solver"].startswith("equipoise")]
    # a child that never came back counts as wrong
    wrong = sum(row["tried"] if row["failed"] is None else row["failed"] for row in own)
    wrong += sum(found[f"batch_{family}"]["ours_wrong"] for family in ("well", "hedged"))
    batch, memory = found["batch_well"], found["memory"]
    return [
        Goal("wrong answers, every family and size", wrong, 0, False),
        Goal("10,000 of 8 x 8: times as fast as the C++ loop", batch["cpp"] / batch["ours"], 2.5, True),
        *(
            goal
            for ours, path in (("equipoise", "NumPy"), ("equipoise, numba", "numba"))
            for goal in (
                *(
                    Goal(
                        f"{path}, n = {n}, trusting: times as fast as C++",
                        seconds(cpp, n) / seconds(f"{ours}, assume_definite", n),
                        2,
                        True,
                    )
                    for n in (500, 1000)
                ),
                Goal(
                    f"{path}, n = 8: times as fast as skfolio",
                    seconds(skfolio, 8) / seconds(ours, 8),
                    250,
                    True,
                ),
                Goal(f"{path}, n = 8: times a C++ call", seconds(ours, 8) / seconds(cpp, 8), 15, False),
            )
        ),
        Goal("memory a matrix, 100,000 over 10,000", memory["100000"] / memory["10000"], 1.1, False),
    ]
