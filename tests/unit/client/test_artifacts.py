"""Artifacts of npm packages: what must be linked is linked, byte for byte, or refused by name."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.client import artifacts
from equipoise.client.artifacts import load_npm_abi, load_npm_artifact
from equipoise.errors import InputError, ToolchainError

CONTRACTS = "@aave/core-v3/artifacts/contracts/protocol"
POOL = f"{CONTRACTS}/pool/Pool.sol/Pool"
UNLINKED = f"{CONTRACTS}/libraries/logic/BorrowLogic.sol/BorrowLogic"


def references(path: str) -> dict[str, list[int]]:
    """Library to where its address stands in the code {bytes}, as Hardhat's file says."""
    file = json.loads((artifacts.ROOT / "node_modules" / f"{path}.json").read_text())
    return {
        name: [place["start"] for place in places]
        for libraries in file["linkReferences"].values()
        for name, places in libraries.items()
    }


ADDRESSES = st.binary(min_size=20, max_size=20)


@given(st.fixed_dictionaries({name: ADDRESSES for name in references(POOL)}), ADDRESSES)
def test_link__of_the_pool__writes_every_address_in_its_places(
    libraries: dict[str, bytes], other: bytes
) -> None:
    named = {name: "0x" + address.hex() for name, address in libraries.items()}
    code = load_npm_artifact(POOL, {**named, "Unused": "0x" + other.hex()}).bytecode
    blank = bytearray(code)
    for name, places in references(POOL).items():
        for start in places:
            assert code[start : start + 20] == libraries[name]
            blank[start : start + 20] = bytes(20)
    zeros = dict.fromkeys(named, "0x" + "00" * 20)
    assert bytes(blank) == load_npm_artifact(POOL, zeros).bytecode


@pytest.mark.parametrize("missing", references(POOL))
def test_link__without_a_library__names_it(missing: str) -> None:
    libraries = dict.fromkeys(references(POOL), "0x" + "ab" * 20)
    with pytest.raises(ToolchainError, match=f"Pool needs the library {missing}"):
        load_npm_artifact(POOL, {k: v for k, v in libraries.items() if k != missing})
    with pytest.raises(ToolchainError, match="needs the library"):
        load_npm_artifact(POOL)
    for wrong in ("0xab", "ab" * 20, "0x" + "zz" * 20):
        with pytest.raises(InputError, match=f"library {missing}: .* is no address"):
            load_npm_artifact(POOL, {**libraries, missing: wrong})


def test_link__of_what_needs_none__changes_nothing() -> None:
    plain = load_npm_artifact(UNLINKED)
    assert plain.bytecode == load_npm_artifact(UNLINKED, {"PoolLogic": "0x" + "ab" * 20}).bytecode


def test_abi__of_an_unlinked_contract__needs_no_libraries() -> None:
    assert {"supply", "borrow"} <= {entry.get("name") for entry in load_npm_abi(POOL)}
    with pytest.raises(ToolchainError, match="make setup"):
        load_npm_abi("no/such/Package")


def test_artifact__of_unknown_placeholders__is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Truffle's artifacts have placeholders and no references."""
    (tmp_path / "node_modules").mkdir()
    found = {"contractName": "Old", "abi": [], "bytecode": "0x60__SomeLibrary______60"}
    (tmp_path / "node_modules" / "Old.json").write_text(json.dumps(found))
    monkeypatch.setattr(artifacts, "ROOT", tmp_path)
    with pytest.raises(ToolchainError, match="Old needs libraries"):
        load_npm_artifact("Old")
