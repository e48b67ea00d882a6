"""The proofs, compiled as the contracts are, and laid out as halmos reads the artifacts of forge."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import yaml

from equipoise.toolchain import SOLC_VERSION

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
    output = _compiled(paths, changed or {})
    for path in paths:
        folder = out / Path(path).name
        folder.mkdir(parents=True, exist_ok=True)
        for name, contract in output["contracts"][path].items():
            artifact = _artifact(contract, output["sources"][path])
            (folder / f"{name}.json").write_text(json.dumps(artifact))


def _compiled(paths: list[str], changed: dict[str, str]) -> dict[str, Any]:
    solidity = yaml.safe_load((ROOT / "ape-config.yaml").read_text())["solidity"]
    sources = {path: (ROOT / path).read_text() for path in paths} | changed
    request = {
        "language": "Solidity",
        "sources": {path: {"content": text} for path, text in sources.items()},
        "settings": {
            "remappings": solidity["import_remapping"],
            "optimizer": {"enabled": True, "runs": solidity["optimization_runs"]},
            "evmVersion": solidity["evm_version"],
            "viaIR": solidity["via_ir"],
            "outputSelection": {path: {"": ["ast"], "*": _WANTED} for path in paths},
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
