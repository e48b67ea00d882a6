"""The proofs and what they import, compiled as the contracts are, laid out as halmos reads forge's artifacts."""

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


def _request(sources: dict[str, str]) -> dict[str, Any]:
    solidity = yaml.safe_load((ROOT / "ape-config.yaml").read_text())["solidity"]
    code = [
        "abi",
        "metadata",
        "storageLayout",
        "evm.methodIdentifiers",
        "evm.bytecode",
        "evm.deployedBytecode",
    ]
    return {
        "language": "Solidity",
        "sources": {name: {"content": text} for name, text in sources.items()},
        "settings": {
            "remappings": [each if each.endswith("/") else each for each in solidity["import_remapping"]],
            "optimizer": {"enabled": True, "runs": solidity["optimization_runs"]},
            "evmVersion": solidity["evm_version"],
            "viaIR": solidity["via_ir"],
            "outputSelection": {"*": {"": ["ast"]}, **{name: {"": ["ast"], "*": code} for name in sources}},
        },
    }


def compile_proofs(out: Path, names: list[str], changes: dict[str, str] | None = None) -> None:
    """Write `out`/<file>.sol/<contract>.json for every contract in the files named.

    Raises RuntimeError with the compiler's words where something does not compile.
    """
    paths = [PROOFS / name for name in names]
    sources = {str(path.relative_to(ROOT)): path.read_text() for path in paths}
    request = _request(sources)
    for name, text in (changes or {}).items():
        request["sources"][name] = {"content": text}
    solc = Path(os.environ["SOLCX_BINARY_PATH"]) / f"solc-v{SOLC_VERSION}"
    answer = subprocess.run(
        [solc, "--standard-json", "--base-path", str(ROOT)],
        input=json.dumps(request),
        capture_output=True,
        text=True,
        check=True,
    )
    output = json.loads(answer.stdout)
    errors = [e["formattedMessage"] for e in output.get("errors", ()) if e["severity"] == "error"]
    if errors:
        raise RuntimeError("\n".join(errors))
    for source, contracts in output["contracts"].items():
        folder = out / Path(source).name
        folder.mkdir(parents=True, exist_ok=True)
        for name, contract in contracts.items():
            if "evm" not in contract:
                continue
            artifact = {
                "abi": contract["abi"],
                "ast": output["sources"][source]["ast"],
                "id": output["sources"][source]["id"],
                "metadata": json.loads(contract["metadata"]),
                "storageLayout": contract["storageLayout"],
                "methodIdentifiers": contract["evm"]["methodIdentifiers"],
                **{
                    key: {"object": "0x" + contract["evm"][key]["object"]}
                    | {
                        "linkReferences": contract["evm"][key]["linkReferences"],
                        "sourceMap": contract["evm"][key]["sourceMap"],
                    }
                    for key in ("bytecode", "deployedBytecode")
                },
            }
            (folder / f"{name}.json").write_text(json.dumps(artifact))
