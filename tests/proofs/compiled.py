"""The proofs, compiled as the contracts are, and laid out as halmos reads the artifacts of forge."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.fixtures.solc import compiled

__all__ = ["PROOFS", "ROOT", "compile_proofs"]

ROOT = Path(__file__).resolve().parents[2]
PROOFS = Path(__file__).parent
_CODES = ("bytecode", "deployedBytecode")
_WANTED = ["abi", "metadata", "storageLayout", "evm.methodIdentifiers", *(f"evm.{code}" for code in _CODES)]


def compile_proofs(out: Path, names: list[str], changed: dict[str, str] | None = None) -> None:
    """Write `out`/<file>.sol/<contract>.json for every contract in the files `names` of this folder.

    `changed` maps paths of sources to texts that stand in for them. Raises RuntimeError with the compiler's
    words where something does not compile.
    """
    paths = [str((PROOFS / name).relative_to(ROOT)) for name in names]
    sources = {path: (ROOT / path).read_text() for path in paths} | (changed or {})
    output = compiled(sources, {path: {"": ["ast"], "*": _WANTED} for path in paths})
    for path in paths:
        folder = out / Path(path).name
        folder.mkdir(parents=True, exist_ok=True)
        for name, contract in output["contracts"][path].items():
            artifact = _artifact(contract, output["sources"][path])
            (folder / f"{name}.json").write_text(json.dumps(artifact))


def _artifact(contract: dict[str, Any], source: dict[str, Any]) -> dict[str, Any]:
    evm = contract["evm"]
    return {
        "abi": contract["abi"],
        "ast": source["ast"],
        "id": source["id"],
        "metadata": json.loads(contract["metadata"]),
        "storageLayout": contract["storageLayout"],
        "methodIdentifiers": evm["methodIdentifiers"],
        **{code: evm[code] | {"object": "0x" + evm[code]["object"]} for code in _CODES},
    }
