"""What was reached: a table of contracts, lcov, and the branches that were missed, with explanations."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path

import yaml
from rich.console import Console
from rich.table import Table

from tests.coverage.build import CORE, ROOMS, ROOT, load_markers
from tests.coverage.instrument import Marker
from tests.coverage.plugin import HITS

__all__ = ["Explanation", "File", "explanations", "files", "lcov", "read_hits", "report", "verdict"]

EXPLAINED = Path(__file__).with_name("explained.yaml")
LEAST_PERCENT = 95.0
LCOV = ROOT / "build" / "coverage" / "lcov.info"


@dataclass
class File:
    """A source: each of its markers, and whether it was reached."""

    path: str
    markers: list[tuple[Marker, bool]] = field(default_factory=list)

    @property
    def room(self) -> str:
        return self.path.split("/")[1]

    @property
    def statements(self) -> list[tuple[Marker, bool]]:
        return [(marker, hit) for marker, hit in self.markers if marker.outcome is None]

    @property
    def branches(self) -> list[tuple[Marker, bool]]:
        return [(marker, hit) for marker, hit in self.markers if marker.outcome is not None]


@dataclass(frozen=True)
class Explanation:
    """Why a branch is not reached: `text` is its condition, in `file`, `outcome` how it does not end."""

    file: str
    text: str
    outcome: str
    reason: str

    def fits(self, marker: Marker) -> bool:
        return (self.file, self.text, self.outcome) == (marker.file, marker.text, marker.outcome)


def read_hits(folder: Path = HITS) -> set[int]:
    """Numbers of the markers that any node reached, once every reader has written them down.

    Raises RuntimeError where one still reads after ten seconds: its node runs on.
    """
    deadline = time.monotonic() + 10
    while reading := list(folder.glob("*.fifo")):
        if time.monotonic() > deadline:
            raise RuntimeError(f"a node still writes to {reading[0]}: end it, or remove the file")
        time.sleep(0.05)
    return {int(line) for path in folder.glob("*.txt") for line in path.read_text().split()}


def explanations(path: Path = EXPLAINED) -> list[Explanation]:
    """Raises TypeError where an entry lacks a field, or has one too many."""
    return [Explanation(**entry) for entry in yaml.safe_load(path.read_text()) or []]


def files(markers: list[Marker], hits: set[int]) -> list[File]:
    """The markers by source, in the order of the rooms."""
    found: dict[str, File] = {}
    for number, marker in enumerate(markers):
        found.setdefault(marker.file, File(marker.file)).markers.append((marker, number in hits))
    return sorted(found.values(), key=lambda file: (ROOMS.index(file.room), file.path))


def verdict(sources: list[File], explained: list[Explanation]) -> list[str]:
    """What must not be: too little of the core, a miss unexplained, an explanation of none or many."""
    wrong = []
    core = [branch for file in sources if file.room in CORE for branch in file.branches]
    if (percent := _percent(core)) < LEAST_PERCENT:
        wrong.append(f"{percent:.1f} % of the core's branches were reached, {LEAST_PERCENT} % are needed")
    missed = [marker for file in sources for marker, hit in file.branches if not hit]
    wrong += [f"not explained: {_line(m)}" for m in missed if not any(e.fits(m) for e in explained)]
    for e in explained:
        if (count := sum(e.fits(marker) for marker in missed)) != 1:
            name = EXPLAINED.relative_to(ROOT)
            wrong.append(f"{name}: {count} missed branches are {e.outcome}: {e.text} in {e.file}, not one")
    return wrong


def lcov(sources: list[File]) -> str:
    """In lcov's format; a line is reached when any statement that begins on it is."""
    lines = []
    for file in sources:
        reached: dict[int, bool] = {}
        for marker, hit in file.statements:
            reached[marker.line] = reached.get(marker.line, False) or hit
        taken = [f"BRDA:{m.line},{i // 2},{i % 2},{int(hit)}" for i, (m, hit) in enumerate(file.branches)]
        lines += ["TN:", f"SF:{file.path}"]
        lines += [f"DA:{line},{int(hit)}" for line, hit in sorted(reached.items())]
        lines += [f"LF:{len(reached)}", f"LH:{sum(reached.values())}", *taken]
        lines += [f"BRF:{len(taken)}", f"BRH:{sum(hit for _, hit in file.branches)}", "end_of_record"]
    return "\n".join([*lines, ""])


def report(console: Console) -> int:
    """Print everything, write lcov; 1 when something is wrong, else 0."""
    sources, explained = files(load_markers(), read_hits()), explanations()
    LCOV.parent.mkdir(parents=True, exist_ok=True)
    LCOV.write_text(lcov(sources))
    console.print(_table(sources))

    def say(text: str, style: str | None = None) -> None:
        console.print(text, style=style, markup=False, highlight=False, soft_wrap=True)

    for marker in [m for file in sources for m, hit in file.statements if not hit]:
        say(f"statement {_line(marker)}")
    for marker in [m for file in sources for m, hit in file.branches if not hit]:
        say(f"branch {_line(marker)}")
        for explanation in explained:
            if explanation.fits(marker):
                say(f"    {explanation.reason}")
    wrong = verdict(sources, explained)
    for problem in wrong:
        say(problem, "red")
    say(f"lcov: {LCOV.relative_to(ROOT)}")
    return 1 if wrong else 0


def _line(marker: Marker) -> str:
    return f"{marker.file}:{marker.line} {marker.outcome or 'never'}: {marker.text}"


def _percent(marks: list[tuple[Marker, bool]]) -> float:
    return 100 * sum(hit for _, hit in marks) / len(marks) if marks else 100.0


def _table(sources: list[File]) -> Table:
    table = Table("contract", title="Coverage of Solidity")
    for name in ("statements", "%", "branches", "%"):
        table.add_column(name, justify="right")

    def row(name: str, chosen: list[File], style: str = "") -> None:
        cells = [name]
        for marks in ([m for f in chosen for m in f.statements], [m for f in chosen for m in f.branches]):
            cells += [f"{sum(hit for _, hit in marks)}/{len(marks)}", f"{_percent(marks):.1f}"]
        table.add_row(*cells, style=style)

    for room in ROOMS:
        for file in (file for file in sources if file.room == room):
            row(file.path.removeprefix("contracts/"), [file])
        table.add_section()
    row("core", [file for file in sources if file.room in CORE], "bold")
    row("all", sources, "bold")
    return table
