"""Import arrows of the Solidity rooms, their purity, their sizes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from equipoise.client.artifacts import load_artifact

CONTRACTS = Path(__file__).resolve().parents[2] / "contracts"
SOURCES = sorted(CONTRACTS.rglob("*.sol"))
IMPORT = re.compile(r'import\s+(?:\{[^}]*\}\s+from\s+)?"([^"]+)"', re.DOTALL)

# room -> rooms that it may import from, besides itself
ARROWS = {
    "interfaces": set(),
    "math": {"interfaces"},
    "oracle": {"interfaces", "math"},
    "lending": {"interfaces", "math"},
    "vault": {"interfaces", "math"},
    "governance": {"interfaces", "math"},
    "periphery": {"interfaces", "math"},
    "mocks": {"interfaces", "math"},
}
CORE = ("math", "oracle", "lending", "vault", "governance")
LINES = {
    "math": 150,
    "oracle": 600,
    "lending": 300,
    "vault": 600,
    "governance": 300,
    "periphery": 300,
    "mocks": 300,
    "interfaces": 300,
}


def room(path: Path) -> str:
    return path.relative_to(CONTRACTS).parts[0]


def names(paths: list[Path]) -> list[str]:
    return [str(path.relative_to(CONTRACTS)) for path in paths]


def imports(path: Path) -> list[str]:
    return IMPORT.findall(path.read_text())


@pytest.mark.parametrize("path", SOURCES, ids=names(SOURCES))
def test_imports__of_each_file__follow_the_arrows(path: Path) -> None:
    for target in imports(path):
        if target.startswith("."):
            wanted = room((path.parent / target).resolve())
            assert wanted == room(path) or wanted in ARROWS[room(path)], f"{path.name} imports {target}"
        else:
            assert target.startswith(("@openzeppelin/", "solady/")) or room(path) == "mocks", target


@pytest.mark.parametrize("path", SOURCES, ids=names(SOURCES))
def test_imports__of_each_file__are_named(path: Path) -> None:
    for statement in re.findall(r"^import .*", path.read_text(), re.MULTILINE):
        assert statement.startswith("import {"), statement


def test_core__reaches__neither_periphery_nor_mocks() -> None:
    """Transitively, whatever the arrows say."""
    for path in SOURCES:
        if room(path) not in CORE:
            continue
        seen, todo = set(), [path]
        while todo:
            current = todo.pop()
            if current in seen or not current.exists():
                continue
            seen.add(current)
            todo += [(current.parent / t).resolve() for t in imports(current) if t.startswith(".")]
        assert not {room(p) for p in seen} & {"periphery", "mocks"}, path


@pytest.mark.parametrize("path", [p for p in SOURCES if room(p) == "math"], ids=lambda p: p.name)
def test_math__is_pure__no_storage_no_calls_no_block(path: Path) -> None:
    text = re.sub(r"//.*|/\*.*?\*/", "", path.read_text())
    assert re.search(r"^library ", text, re.MULTILINE)
    for word in (
        r"\bblock\.",
        r"\bmsg\.",
        r"\btx\.",
        r"\bexternal\b",
        r"\.call\(",
        r"\bsload\b",
        r"\bview\b",
    ):
        assert not re.search(word, text), word


def test_interfaces__hold_no_code() -> None:
    for path in SOURCES:
        if room(path) == "interfaces":
            assert re.search(r"^interface ", path.read_text(), re.MULTILINE), path
            assert not re.search(r"^(abstract )?(contract|library) ", path.read_text(), re.MULTILINE), path


@pytest.mark.parametrize("path", SOURCES, ids=names(SOURCES))
def test_source__starts_alike__and_is_short(path: Path) -> None:
    lines = path.read_text().splitlines()
    assert lines[0] == "// SPDX-License-Identifier: MIT"
    assert lines[1] == "pragma solidity ^0.8.28;"
    assert len(lines) <= LINES[room(path)], f"{path.name} has {len(lines)} lines"


def test_errors__of_our_contracts__are_custom() -> None:
    for path in SOURCES:
        text = path.read_text()
        assert not re.search(r"\brevert\(\"|\brequire\(", text), f"{path.name} reverts with a string"


@pytest.mark.parametrize(
    "name", ["RiskParityVault", "RebalanceAuction", "VolatilityOracle", "PriceOracle", "ParityGovernor"]
)
def test_creation_code__of_the_big_ones__fits_a_transaction(name: str) -> None:
    """EIP-3860; the deployed sizes stand in tests/gas/snapshot.json."""
    assert len(load_artifact(name).bytecode) <= 49_152
