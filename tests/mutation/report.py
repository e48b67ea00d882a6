"""The table of a hunt, and the survivors that nobody has judged."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import yaml
from rich.console import Console
from rich.table import Table
from scipy.stats import binomtest

from tests.mutation.ledger import KILLED, Ledger, Record

__all__ = ["SURVIVORS", "Argued", "argued", "interval", "report"]

SURVIVORS = Path(__file__).with_name("survivors.yaml")
CONFIDENCE = 0.95
_COLUMNS = (
    *("source", "mutants", "tried", "compiled", "same code"),
    *("killed", "(timeout)", "argued", "survived", "score", "95 %"),
)


@dataclass(frozen=True)
class Argued:
    """A mutation that no test can tell from the sound source, and why: `before` became `after` in `file`."""

    file: str
    line: int
    before: str
    after: str
    reason: str

    def fits(self, path: str, record: Record) -> bool:
        """Lines move: the text decides."""
        return (path, record.before, record.after) == (self.file, self.before, self.after)


def argued() -> list[Argued]:
    """The judgements on survivors, from survivors.yaml."""
    return [Argued(**entry) for entry in yaml.safe_load(SURVIVORS.read_text()) or []]


def interval(killed: int, judged: int) -> tuple[float, float]:
    """Wilson's interval of the score, at 95 %."""
    found = binomtest(killed, judged).proportion_ci(CONFIDENCE, method="wilson")
    return float(found.low), float(found.high)


def report(ledgers: list[Ledger], console: Console) -> list[tuple[str, Record]]:
    """Print the table and the survivors; return those without a judgement.

    The score is killed / (killed + survived): what was argued to be equivalent is in neither.
    """
    judgements = argued()
    table = Table(*_COLUMNS, box=None)
    for column in table.columns[1:]:
        column.justify = "right"
    total = [0] * 8
    open_ones: list[tuple[str, Record]] = []
    for ledger in ledgers:
        survivors = [r for r in ledger.records.values() if r.outcome == "survived"]
        open_here = [r for r in survivors if not any(j.fits(ledger.path, r) for j in judgements)]
        open_ones += [(ledger.path, record) for record in sorted(open_here, key=lambda r: r.line)]
        tried = len(ledger.records)
        counts = [
            ledger.population,
            tried,
            tried - ledger.count("invalid"),
            ledger.count("equivalent", "duplicate"),
            ledger.count(*KILLED),
            ledger.count("timeout"),
            len(survivors) - len(open_here),
            len(open_here),
        ]
        total = [a + b for a, b in zip(total, counts, strict=True)]
        table.add_row(Path(ledger.path).stem, *_row(counts))
    table.add_row("all", *_row(total))
    console.print(table)
    for path, record in open_ones:
        after = " ".join(record.after.split())
        console.print(
            f"survived {path}:{record.line}: {record.before}  ->  {after}",
            soft_wrap=True,
            highlight=False,
            markup=False,
        )
    return open_ones


def _row(counts: list[int]) -> list[str]:
    population, tried, *_, killed, _timeouts, _argued, survived = counts
    cells = [str(count) for count in counts]
    if not killed + survived:
        return [*cells, "", ""]
    cells.append(f"{killed / (killed + survived):.1%}")
    if tried == population:
        return [*cells, "all"]
    low, high = interval(killed, killed + survived)
    return [*cells, f"{low:.0%} to {high:.0%}"]
