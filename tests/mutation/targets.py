"""What is mutated, which contracts carry the fault, and in which rooms tests look for it, nearest first."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from equipoise.client.artifacts import ROOT, load_artifact
from equipoise.errors import EquipoiseError

__all__ = ["ROOMS", "Target", "deployable", "targets"]

_SOURCES = ("math", "oracle", "vault", "lending")
_IMPORT = re.compile(r'import\s+\{[^}]*\}\s+from\s+"(\.[^"]+)"', re.DOTALL)
_HARNESS = re.compile(r"Harness$")
_LIVES = ("tests/conformance", "tests/regressions", "tests/stateful/test_tour.py", "tests/periphery")
_POWERS = ("tests/security", "tests/governance/test_offices.py", "tests/governance/test_parameters.py")
_FURTHER = {
    "tests/math": ("tests/oracle", "tests/vault", "tests/lending"),
    "tests/oracle": ("tests/vault", *_POWERS),
    "tests/vault": ("tests/lending", *_LIVES, *_POWERS),
    "tests/lending": ("tests/vault", *_LIVES, *_POWERS),
}
ROOMS = tuple(dict.fromkeys(["tests/math", *(room for rooms in _FURTHER.values() for room in rooms)]))
"""Every room that is asked; tests that do not pass on the EVM in this process are left out."""


@dataclass(frozen=True)
class Target:
    """A source, from the repository; the deployable contracts that it is part of, by name; its own room."""

    path: str
    contracts: dict[str, str]
    room: str

    def words(self) -> list[str]:
        """Names of its functions, and its own as the tests' files write it."""
        stem = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", Path(self.path).stem).lower()
        return [stem, *re.findall(r"function _?(\w{4,})", (ROOT / self.path).read_text())]

    def stages(self) -> list[tuple[dict[str, str], tuple[str, ...]]]:
        """Contracts and rooms: the near ones first, the further ones for what survives there."""
        harnesses = {n: p for n, p in self.contracts.items() if _HARNESS.search(n)}
        near = harnesses if self.room == "tests/math" else self.contracts
        far = {n: p for n, p in self.contracts.items() if n not in harnesses}
        return [stage for stage in ((near, (self.room,)), (far, _FURTHER[self.room])) if stage[0]]


@cache
def _imports(path: Path) -> frozenset[Path]:
    """Everything of ours that a source needs, itself among it."""
    found: set[Path] = set()
    pending = [path]
    while pending:
        if (current := pending.pop()) not in found:
            found.add(current)
            pending += [(current.parent / name).resolve() for name in _IMPORT.findall(current.read_text())]
    return frozenset(found)


@cache
def deployable() -> dict[str, str]:
    """Source of each contract of ours that has code, by name."""
    found = {}
    for path in sorted((ROOT / "contracts").rglob("*.sol")):
        if "interfaces" in path.parts:
            continue
        try:
            if load_artifact(path.stem).bytecode and not path.read_text().count(f"\nlibrary {path.stem} "):
                found[path.stem] = str(path.relative_to(ROOT))
        except EquipoiseError:
            continue  # a file of several helpers
    return found


def targets(only: list[str] | None = None) -> list[Target]:
    """Every source of the rooms under test; those whose name is in `only`, if any are named.

    Raises ValueError where a name fits none.
    """
    found = []
    for room in _SOURCES:
        for path in sorted((ROOT / "contracts" / room).glob("*.sol")):
            parts = {n: p for n, p in deployable().items() if path in _imports(ROOT / p)}
            found.append(Target(str(path.relative_to(ROOT)), parts, f"tests/{room}"))
    if not only:
        return found
    known = {Path(target.path).stem: target for target in found}
    unknown = [name for name in only if Path(name).stem not in known]
    if unknown:
        raise ValueError(f"--only {unknown}: no such source, there are {sorted(known)}")
    return [known[Path(name).stem] for name in only]
