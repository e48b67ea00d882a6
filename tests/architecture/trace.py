"""Requirement, method, test: the table at the end of contracts/README.md, from what the tests cite.

`python -m tests.architecture.trace` writes it anew.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SPECIFICATION = ROOT / "contracts" / "README.md"
TESTS = sorted((ROOT / "tests").rglob("test_*.py"))
PROOFS = ROOT / "tests" / "proofs"
PROMISED = re.compile(r"^- \*\*EQ-(\d+)\*\* (.+)$", re.MULTILINE)
BEGIN, END = "<!-- trace: begin (python -m tests.architecture.trace) -->", "<!-- trace: end -->"
METHODS = ("proven", "bounded", "fuzzed", "attacked", "unit")
SHOWN = 2
"""Files named for each method; the others are counted."""

_ONE_BOOK = "AuctionProofs.sol"
_ROOMS = {"math": "bounded", "stateful": "fuzzed", "regressions": "fuzzed", "security": "attacked"}


@dataclass(frozen=True)
class Citation:
    """A test (or a proof) that says which requirement it checks."""

    path: Path
    name: str
    method: str


def promised() -> list[int]:
    """Numbers of the requirements, in the order of the specification."""
    return [int(number) for number, _ in PROMISED.findall(SPECIFICATION.read_text())]


@cache
def citations() -> dict[int, list[Citation]]:
    """Requirement to the tests that cite it in their docstrings, and to the proofs that do in a comment."""
    found: dict[int, list[Citation]] = defaultdict(list)
    for path in TESTS:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                for number in _numbers(ast.get_docstring(node) or ""):
                    found[number].append(Citation(path, node.name, _method(path, node)))
    for path in sorted(PROOFS.glob("*Proofs.sol")):
        method = "bounded" if path.name == _ONE_BOOK else "proven"
        for comment, name in re.findall(r"((?:^ *///.*\n)+) *function (check_\w+)", path.read_text(), re.M):
            for number in _numbers(comment):
                found[number].append(Citation(path, name, method))
    path = PROOFS / "inequalities.py"
    for claim in re.findall(r'^    "(EQ-.*)": \($', path.read_text(), re.M):
        for number in _numbers(claim):
            found[number].append(Citation(path, claim, "proven"))
    return dict(found)


def _numbers(text: str) -> set[int]:
    return {int(number) for number in re.findall(r"\bEQ-(\d+)", text)}


def _method(path: Path, test: ast.FunctionDef) -> str:
    called = {ast.unparse(d.func if isinstance(d, ast.Call) else d) for d in test.decorator_list}
    if "given" in called:
        return "fuzzed"
    return _ROOMS.get(path.relative_to(ROOT / "tests").parts[0], "unit")


def _files(cited: list[Citation], method: str) -> str:
    """The files of a method, those with most citations first."""
    counts: dict[str, int] = defaultdict(int)
    for citation in cited:
        if citation.method == method:
            counts[str(citation.path.relative_to(ROOT / "tests").with_suffix(""))] += 1
    files = sorted(counts, key=lambda name: (-counts[name], name))
    more = len(files) - SHOWN
    return ", ".join(files[:SHOWN]) + (f" and {more} more" if more > 0 else "")


def table() -> str:
    """Markdown, one row a requirement."""
    rows = ["| requirement | proven | bounded | fuzzed | attacked | unit |", "|---|---|---|---|---|---|"]
    for number in promised():
        cells = [_files(citations().get(number, []), method) for method in METHODS]
        rows.append(f"| EQ-{number} | {' | '.join(cells)} |".replace("|  |", "| |").replace("|  |", "| |"))
    return "\n".join(rows)


def inserted(text: str) -> str:
    """`text` with the table between its markers."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{table()}\n\n{END}{after}"


if __name__ == "__main__":
    SPECIFICATION.write_text(inserted(SPECIFICATION.read_text()))
