"""Import arrows of the Python package, read from the syntax trees: nothing is imported to check them."""

from __future__ import annotations

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "offchain" / "equipoise"
MODULES = sorted(PACKAGE.rglob("*.py"))

SHARED = {"units", "errors", "types", "interrupts", "toolchain", "__init__"}
PURE = SHARED | {"marketdata", "estimation", "solver", "policy"}
CHAIN = PURE | {"oracle", "client"}
ALLOWED = {
    "units": {"errors", "types"},
    "errors": set(),
    "types": set(),
    "interrupts": set(),
    "toolchain": {"errors"},
    "__init__": set(),
    "marketdata": SHARED,
    "estimation": SHARED | {"marketdata"},
    "evaluation": SHARED | {"marketdata", "estimation"},
    "solver": SHARED,
    "policy": SHARED | {"solver"},
    "oracle": CHAIN,
    "client": CHAIN - {"oracle"},
    "world": CHAIN,
    "keeper": CHAIN,
    "governance": CHAIN | {"world"},
    "simulation": CHAIN | {"world", "keeper"},
    "report": CHAIN | {"world", "keeper", "simulation", "governance"},
    "commands": CHAIN | {"world", "keeper", "simulation", "report", "evaluation", "governance"},
    "cli": CHAIN | {"world", "keeper", "simulation", "report", "commands"},
}
NO_CHAIN = {"web3", "ape", "eth_abi", "eth_account", "eth_keys", "requests", "socket"}
FORBIDDEN = {
    "solver": NO_CHAIN | {"pandas", "sklearn", "scipy", "json", "csv", "pathlib"},
    "policy": NO_CHAIN | {"pandas"},
    "estimation": NO_CHAIN,
    "evaluation": NO_CHAIN,
    "marketdata": NO_CHAIN,
}


def room(path: Path) -> str:
    """Directory of a module under the package, or its own name at the top."""
    parts = path.relative_to(PACKAGE).parts
    return parts[0] if len(parts) > 1 else path.stem


def dotted(path: Path) -> str:
    parts = ("equipoise", *path.relative_to(PACKAGE).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


NAMES = {dotted(path): path for path in MODULES}


def imports(path: Path, *, at_load: bool = False) -> set[str]:
    """Absolute names that a module imports; only those that run when it is loaded, if asked."""
    found: set[str] = set()
    pending: list[ast.AST] = [ast.parse(path.read_text())]
    while pending:
        node = pending.pop()
        if at_load and isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if at_load and isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            pending.extend(node.orelse)
            continue
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: write imports in full"
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                found.add(whole if whole in NAMES else node.module or "")
        pending.extend(ast.iter_child_nodes(node))
    return found


@pytest.mark.parametrize("path", MODULES, ids=dotted)
def test_imports__of_every_module__follow_the_arrows(path: Path) -> None:
    here = room(path)
    assert here in ALLOWED, f"{here} is a new room: give it its arrows here"
    for name in imports(path):
        top, _, rest = name.partition(".")
        if top == "equipoise":
            there = rest.partition(".")[0] or "__init__"
            assert there == here or there in ALLOWED[here], f"{dotted(path)} must not import {name}"
        assert top not in FORBIDDEN.get(here, set()), f"{dotted(path)} must not import {name}"


def test_arrows__between_rooms__have_no_cycle() -> None:
    assert list(TopologicalSorter({name: there - {name} for name, there in ALLOWED.items()}).static_order())


def test_imports__between_modules__have_no_cycle() -> None:
    graph = {name: {i for i in imports(path, at_load=True) if i in NAMES} for name, path in NAMES.items()}
    try:
        order = list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        pytest.fail(f"modules import each other: {' -> '.join(error.args[1])}")
    assert set(order) == set(NAMES)


def test_imports__solver__load_neither_pandas_nor_a_file() -> None:
    """Also not through what it imports."""
    seen: set[str] = set()
    pending = [name for name in NAMES if name.startswith("equipoise.solver")]
    while pending:
        name = pending.pop()
        if name not in seen:
            seen.add(name)
            pending.extend(imports(NAMES[name]) if name in NAMES else ())
    assert not {name.partition(".")[0] for name in seen} & {"pandas", "csv", "json", "pathlib"}
