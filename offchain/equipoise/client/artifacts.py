"""Compiled contracts: our own from `ape compile`, other protocols' from their npm packages."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from equipoise.client.abi import Interface
from equipoise.errors import InputError, ToolchainError

__all__ = ["ROOT", "Artifact", "compiled_abis", "load_artifact", "load_npm_abi", "load_npm_artifact"]

ROOT = Path(__file__).resolve().parents[3]
"""The repository: `.build` and `node_modules` are in it."""


@dataclass(frozen=True, eq=False)
class Artifact:
    """Name, ABI and creation code of a contract (no code for an interface)."""

    name: str
    abi: list[dict[str, Any]] = field(repr=False)
    bytecode: bytes = field(repr=False)

    @cached_property
    def interface(self) -> Interface:
        return Interface.of(self.abi, self.name)

    def encode_deploy(self, *args: Any) -> bytes:
        """Creation code followed by the constructor's arguments. Raises InputError, ToolchainError."""
        if not self.bytecode:
            raise ToolchainError(f"{self.name} has no code (an interface, or abstract): deploy another")
        return self.bytecode + self.interface.constructor.encode(*args)


@lru_cache(maxsize=1)
def _compiled(_modified_ns: int) -> dict[str, Any]:
    types = json.loads(_build_file().read_text())["contractTypes"]
    return dict(types)


def _build_file() -> Path:
    return ROOT / ".build" / "__local__.json"


def _contract_types() -> dict[str, Any]:
    file = _build_file()
    if not file.exists():
        raise ToolchainError(f"{file} is missing: the contracts are not compiled, run `make build`")
    return _compiled(file.stat().st_mtime_ns)


def compiled_abis() -> dict[str, list[dict[str, Any]]]:
    """ABIs of every compiled contract by name; empty before the first `make build`."""
    if not _build_file().exists():
        return {}
    return {name: found.get("abi") or [] for name, found in _contract_types().items()}


def load_artifact(name: str) -> Artifact:
    """One of our contracts. Raises ToolchainError when it is not compiled."""
    types = _contract_types()
    if name not in types:
        raise ToolchainError(f"no contract {name!r} in {_build_file()}: correct the name or run `make build`")
    found = types[name]
    return _artifact(name, found.get("abi") or [], (found.get("deploymentBytecode") or {}).get("bytecode"))


def load_npm_artifact(path: str, libraries: Mapping[str, str] | None = None) -> Artifact:
    """An artifact (Hardhat or Truffle JSON) under node_modules, by path without the extension.

    Parameters
    ----------
    libraries
        Address of each deployed library by name; those that the contract does not use are left alone.

    Raises
    ------
    ToolchainError
        It is missing, or needs a library that is not named.
    InputError
        The address of a library that it needs is none.
    """
    found = _npm(path)
    return _artifact(found["contractName"], found["abi"], _linked(found, libraries or {}))


def load_npm_abi(path: str) -> list[dict[str, Any]]:
    """The ABI alone, as `load_npm_artifact` finds it; libraries need not be known."""
    return list(_npm(path)["abi"])


@lru_cache(maxsize=128)
def _npm(path: str) -> dict[str, Any]:
    file = (ROOT / "node_modules" / path).with_suffix(".json")
    if not file.exists():
        raise ToolchainError(f"{file} is missing: run `make setup`, which installs it")
    return dict(json.loads(file.read_text()))


def _linked(found: Mapping[str, Any], libraries: Mapping[str, str]) -> str:
    """Creation code with the libraries' addresses written where Hardhat's `linkReferences` say."""
    code: str = found.get("bytecode") or ""
    used = {name: at for file in (found.get("linkReferences") or {}).values() for name, at in file.items()}
    for name, places in used.items():
        if name not in libraries:
            raise ToolchainError(
                f"{found['contractName']} needs the library {name}: deploy it, then name its address"
            )
        if not re.fullmatch(r"0x[0-9a-fA-F]{40}", libraries[name]):
            raise InputError(f"library {name}: {libraries[name]!r} is no address (0x and 40 hex digits)")
        for place in places:
            start = 2 + 2 * place["start"]
            code = code[:start] + libraries[name][2:] + code[start + 40 :]
    return code


def _artifact(name: str, abi: list[dict[str, Any]], code: str | None) -> Artifact:
    digits = (code or "").removeprefix("0x")
    if not re.fullmatch(r"[0-9a-fA-F]*", digits):
        raise ToolchainError(f"{name} needs libraries, and its artifact does not say where: inline them")
    return Artifact(name, abi, bytes.fromhex(digits))
