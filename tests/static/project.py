"""The contracts as slither reads them: syntax trees and ABIs of every source, never a partial build.

Slither asks for bytecode only to pass it on; leaving it out takes the compiler from a minute to seconds.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any
from unittest.mock import patch

from crytic_compile import CryticCompile
from crytic_compile.platform import solc_standard_json
from slither import Slither

from equipoise.toolchain import SOLC_VERSION

__all__ = ["ROOT", "analysed"]

ROOT = Path(__file__).resolve().parents[2]
REMAPPINGS = (
    "@openzeppelin/contracts=node_modules/@openzeppelin/contracts",
    "solady=node_modules/solady/src",
)
_NO_CODE = {"object": "", "sourceMap": "", "linkReferences": {}}


def analysed() -> Slither:
    """Every contract but the mocks. Raises InvalidCompilation when one does not compile."""
    request = solc_standard_json.SolcStandardJson()
    for path in sorted((ROOT / "contracts").rglob("*.sol")):
        if "mocks" not in path.parts:
            request.add_source_file(str(path.relative_to(ROOT)))
    for remapping in REMAPPINGS:
        request.add_remapping(remapping)
    solc = Path(os.environ["SOLCX_BINARY_PATH"]) / f"solc-v{SOLC_VERSION}"
    with patch.object(solc_standard_json, "run_solc_standard_json", _trees_only):
        return Slither(CryticCompile(request, solc=str(solc), solc_working_dir=str(ROOT)))


def _trees_only(request: dict[str, Any], *_: Any, solc: str, **__: Any) -> dict[str, Any]:
    selection = {"*": {"": ["ast"], "*": ["abi", "devdoc", "userdoc"]}}
    settings = {**request["settings"], "evmVersion": "cancun", "outputSelection": selection}
    answer = subprocess.run(
        [solc, "--standard-json", "--base-path", str(ROOT)],
        input=json.dumps({**request, "settings": settings}),
        capture_output=True,
        text=True,
        check=True,
    )
    output: dict[str, Any] = json.loads(answer.stdout)
    errors = [e["formattedMessage"] for e in output.get("errors", ()) if e["severity"] == "error"]
    if errors:
        raise solc_standard_json.InvalidCompilation("\n".join(errors))
    for contracts in output["contracts"].values():
        for contract in contracts.values():
            evm = {"bytecode": _NO_CODE, "deployedBytecode": _NO_CODE, "methodIdentifiers": {}}
            contract |= {"evm": evm, "metadata": ""}
    return output
