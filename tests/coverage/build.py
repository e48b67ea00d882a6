"""Instrumented contracts in `.build/coverage`, compiled as `ape compile` does; the usual build stays."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.coverage.instrument import Marker, instrumented
from tests.fixtures.solc import compiled

__all__ = ["CORE", "FOLDER", "ROOMS", "ROOT", "build", "instrument_all", "load_markers"]

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / ".build" / "coverage"
CORE = ("math", "oracle", "vault", "lending")
ROOMS = (*CORE, "governance", "periphery")
"""Rooms of the contracts that are counted, not the mocks."""

_MARKERS = "tests/coverage/markers.sol"
_IMPORT = f'\nimport {{hit, hits, arm}} from "{_MARKERS}";\n'


def build() -> None:
    """Instrument and compile, unless that is done. Raises RuntimeError with solc's words."""
    sources = {str(p.relative_to(ROOT)): p.read_text() for p in sorted((ROOT / "contracts").rglob("*.sol"))}
    ours = [Path(__file__).with_name(name) for name in ("build.py", "instrument.py", "markers.sol")]
    texts = [path.read_text() for path in (*ours, ROOT / "ape-config.yaml")]
    key = hashlib.sha256(repr((sources, texts)).encode()).hexdigest()
    stamp = FOLDER / "key"
    if stamp.exists() and stamp.read_text() == key:
        return
    sources, markers = instrument_all(sources, [p for p in sources if p.split("/")[1] in ROOMS])
    FOLDER.mkdir(parents=True, exist_ok=True)
    for path, text in sources.items():  # to be looked at
        (FOLDER / path).parent.mkdir(parents=True, exist_ok=True)
        (FOLDER / path).write_text(text)
    wanted = ["abi", "evm.bytecode.object", "evm.deployedBytecode.object"]
    contracts = compiled(sources, {path: {"*": wanted} for path in sources})["contracts"]
    types = {name: _ape(name, c) for found in contracts.values() for name, c in found.items()}
    (FOLDER / "__local__.json").write_text(json.dumps({"contractTypes": types}))
    (FOLDER / "markers.json").write_text(json.dumps([asdict(marker) for marker in markers]))
    stamp.write_text(key)


def instrument_all(sources: dict[str, str], chosen: list[str]) -> tuple[dict[str, str], list[Marker]]:
    """Sources by path, those `chosen` with markers in them, and what the markers call; and the markers."""
    trees = compiled(sources, {"*": {"": ["ast"]}})["sources"]
    copies, markers = dict(sources), list[Marker]()
    for path in chosen:
        copy, new = instrumented(path, sources[path].encode(), trees[path]["ast"], len(markers))
        copies[path] = copy.decode() + _IMPORT
        markers += new
    return copies | {_MARKERS: (ROOT / _MARKERS).read_text()}, markers


def load_markers() -> list[Marker]:
    """Of the last build; a marker's number is its place."""
    return [Marker(**each) for each in json.loads((FOLDER / "markers.json").read_text())]


def _ape(name: str, contract: dict[str, Any]) -> dict[str, Any]:
    codes = {"deploymentBytecode": "bytecode", "runtimeBytecode": "deployedBytecode"}
    texts = {key: {"bytecode": "0x" + contract["evm"][code]["object"]} for key, code in codes.items()}
    return {"contractName": name, "abi": contract["abi"], **texts}
