"""What became of each mutant of a source, in a file, so that a run goes on where the last one ended."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from equipoise.client.artifacts import ROOT
from tests.mutation.generate import Mutant

__all__ = ["JUDGED", "KILLED", "Ledger", "Record"]

KILLED = ("killed", "timeout")
JUDGED = (*KILLED, "survived")


@dataclass
class Record:
    """`outcome` is invalid (does not compile), duplicate, equivalent (the same code), or one of JUDGED.

    `code` is a fingerprint of what it compiled to.
    """

    line: int
    before: str
    after: str
    outcome: str
    killer: str | None = None
    seconds: float = 0.0
    code: str | None = None


class Ledger:
    """Records of one source by the mutants' keys; those of another state of the source are forgotten.

    Parameters
    ----------
    path
        The source, from the repository.
    folder
        Where the file lies.
    """

    def __init__(self, path: str, folder: Path) -> None:
        self.path = path
        self._file = folder / f"{Path(path).stem}.json"
        self._source = hashlib.sha256((ROOT / path).read_bytes()).hexdigest()
        self.population = 0
        self.records: dict[str, Record] = {}
        if self._file.exists():
            saved = json.loads(self._file.read_text())
            if saved["source"] == self._source:
                self.population = saved["population"]
                self.records = {key: Record(**fields) for key, fields in saved["records"].items()}

    def renew(self, mutants: Sequence[Mutant]) -> None:
        """These are all mutants there are: records of any other are of older rules."""
        self.population = len(mutants)
        keys = {mutant.key for mutant in mutants}
        self.records = {key: record for key, record in self.records.items() if key in keys}

    def note(self, mutant: Mutant, outcome: str, killer: str | None = None, **facts: Any) -> None:
        """Remember what became of it; `facts` are the rest of the `Record`."""
        before, after = mutant.before.strip(), mutant.after.strip()
        self.records[mutant.key] = Record(mutant.line, before, after, outcome, killer, **facts)

    def save(self) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        records = {key: asdict(record) for key, record in self.records.items()}
        content = {"source": self._source, "population": self.population, "records": records}
        partial = self._file.with_suffix(".partial")
        partial.write_text(json.dumps(content, indent=1))
        os.replace(partial, self._file)

    def count(self, *outcomes: str) -> int:
        return sum(record.outcome in outcomes for record in self.records.values())
