"""Mutants of a source by universalmutator's rules for Solidity, which lives in an environment of its own."""

from __future__ import annotations

import hashlib
import json
import random
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from equipoise.client.artifacts import ROOT

__all__ = ["Mutant", "generate"]

# A line that became a revert dies by any test that comes by: it would measure coverage and flatter the score.
_IGNORED = {"revert();", "selfdestruct(msg.sender);"}
_TWICE = re.compile(r"if \((0==1|1==1)\)")  # there is `if (false)` and `if (true)` too
_SKIPPED_LINES = [r"^\s*//", r"^\s*\*", r"^import\b", r"^pragma\b", r"^\} from "]
_ASK = """
import contextlib, json, os, sys
from universalmutator.mutator import mutants_regexp
with contextlib.redirect_stdout(sys.stderr):
    found = mutants_regexp(
        open(sys.argv[1]).readlines(),
        ruleFiles=["universal.rules", "solidity.rules", "c_like.rules"],
        ignorePatterns=json.loads(sys.argv[2]),
        ignoreStringOnly=True,
    )
json.dump([(line, text) for line, text, *_ in found], sys.stdout)
"""


@dataclass(frozen=True)
class Mutant:
    """Source `path` (from the repository) with `after` in the place of `before`, line `line`, from 1."""

    path: str
    line: int
    before: str
    after: str

    @property
    def key(self) -> str:
        return hashlib.sha1(f"{self.line}\n{self.after}".encode()).hexdigest()[:12]

    def text(self) -> str:
        """The whole mutated source."""
        lines = (ROOT / self.path).read_text().splitlines(keepends=True)
        lines[self.line - 1] = self.after
        return "".join(lines)

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.before.strip()}  ->  {' '.join(self.after.split())}"


def _same_unsigned(before: str, after: str, signed: list[str]) -> bool:
    """Whether only `x == 0` and `x <= 0`, or `x != 0` and `x > 0`, were exchanged for an unsigned x."""
    if set(re.findall(r"\w+", before)) & {*signed, "int256"}:
        return False
    return _spelt(before) == _spelt(after)


def _spelt(line: str) -> str:
    return re.sub(r"> 0\b", "!= 0", re.sub(r"<= 0\b", "== 0", line)).strip()


def generate(path: str, python: Path, seed: int) -> list[Mutant]:
    """All mutants of a source, in an order that is random but for the seed.

    Parameters
    ----------
    path
        From the repository.
    python
        Interpreter of the environment that holds universalmutator.
    """
    command = [python, "-c", _ASK, ROOT / path, json.dumps(_SKIPPED_LINES)]
    asked = subprocess.run(command, capture_output=True, text=True, check=True)
    lines = (ROOT / path).read_text().splitlines(keepends=True)
    signed = re.findall(r"\bint\d*\s+(\w+)", "".join(lines))
    mutants = [
        Mutant(path, line, lines[line - 1], text)
        for line, text in json.loads(asked.stdout)
        if text.strip() not in _IGNORED
        and not _TWICE.search(text)
        and not _same_unsigned(lines[line - 1], text, signed)
    ]
    random.Random(f"{seed} {path}").shuffle(mutants)
    return mutants
