"""The instrumented contracts in `.build/coverage`, compiled as `ape compile` does; the usual build is left alone."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from dataclasses import asdict
from pathlib import Path
from typing import Any

import yaml

from equipoise.toolchain import SOLC_VERSION
from tests.coverage.instrument import Marker, instrumented

__all__ = ["CORE", "FOLDER", "ROOT", "ROOMS", "build", "load_markers"]

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / ".build" / "coverage"
CORE = ("math", "oracle", "vault", "lending")
ROOMS = (*CORE, "governance", "periphery")
"""Rooms of the contracts that are counted, not the mocks."""

_MARKERS = "tests/coverage/markers.sol"
_IMPORT = f'\nimport {{hit, hits, arm}} from "{_MARKERS}";\n'


def build() -> None:
    """Instrument and compile, unless the last build was of the same sources. Raises RuntimeError with solc's words."""
    sources = {str(p.relative_to(ROOT)): p.read_text() for p in sorted((ROOT / "contracts").rglob("*.sol"))}
    sources[_MARKERS] = (ROOT / _MARKERS).read_text()
    ours = [Path(__file__), Path(__file__).with_name("instrument.py"), ROOT / "ape-config.yaml"]
    key = hashlib.sha256(repr((sources, [path.read_text() for path in ours])).encode()).hexdigest()
    stamp = FOLDER / "key"
    if stamp.exists() and stamp.read_text() == key:
        return
    trees = _solc(sources, {"*": {"": ["ast"]}})["sources"]
    markers: list[Marker] = []
    for path, text in sources.items():
        if path.split("/")[1] in ROOMS:
            copy, new = instrumented(path, text.encode(), trees[path]["ast"], len(markers))
            sources[path] = copy.decode() + _IMPORT
            markers += new
    FOLDER.mkdir(parents=True, exist_ok=True)
    for path, text in sources.items():  # to be looked at
        (FOLDER / path).parent.mkdir(parents=True, exist_ok=True)
        (FOLDER / path).write_text(text)
    wanted = ["abi", "evm.bytecode.object", "evm.deployedBytecode.object"]
    compiled = _solc(sources, {path: {"*": wanted} for path in sources})["contracts"]
    types = {name: _ape(name, c) for found in compiled.values() for name, c in found.items()}
    (FOLDER / "__local__.json").write_text(json.dumps({"contractTypes": types}))
    (FOLDER / "markers.json").write_text(json.dumps([asdict(marker) for marker in markers]))
    stamp.write_text(key)


def load_markers() -> list[Marker]:
    """Of the last build; a marker's number is its place."""
    return [Marker(**each) for each in json.loads((FOLDER / "markers.json").read_text())]


def _ape(name: str, contract: dict[str, Any]) -> dict[str, Any]:
    codes = {"deploymentBytecode": "bytecode", "runtimeBytecode": "deployedBytecode"}
    texts = {key: {"bytecode": "0x" + contract["evm"][code]["object"]} for key, code in codes.items()}
    return {"contractName": name, "abi": contract["abi"], **texts}


def _solc(sources: dict[str, str], wanted: dict[str, Any]) -> dict[str, Any]:
    solidity = yaml.safe_load((ROOT / "ape-config.yaml").read_text())["solidity"]
    request = {
        "language": "Solidity",
        "sources": {path: {"content": text} for path, text in sources.items()},
        "settings": {
            "remappings": solidity["import_remapping"],
            "optimizer": {"enabled": True, "runs": solidity["optimization_runs"]},
            "evmVersion": solidity["evm_version"],
            "viaIR": solidity["via_ir"],
            "outputSelection": wanted,
        },
    }
    solc = Path(os.environ["SOLCX_BINARY_PATH"]) / f"solc-v{SOLC_VERSION}"
    answer = subprocess.run(
        [solc, "--standard-json", "--base-path", str(ROOT)],
        input=json.dumps(request),
        capture_output=True,
        text=True,
        check=True,
    )
    output: dict[str, Any] = json.loads(answer.stdout)
    errors = [e["formattedMessage"] for e in output.get("errors", ()) if e["severity"] == "error"]
    if errors:
        raise RuntimeError("\n".join(errors))
    return output
