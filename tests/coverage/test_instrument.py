"""Markers say exactly what ran, whatever the compiler did to the code."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from equipoise.client import Contract, create
from equipoise.client.artifacts import Artifact
from equipoise.errors import ContractRevert
from equipoise.world import anvil as anvil_module
from equipoise.world.anvil import Anvil
from tests.coverage.build import instrument_all
from tests.coverage.instrument import Marker
from tests.coverage.plugin import listening
from tests.coverage.report import read_hits
from tests.fixtures.solc import compiled

PATH = "contracts/Sample.sol"
SOURCE = """\
// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;
contract Sample {
    error TooBig(uint256 x); // σ: an offset counts bytes
    uint256 public total;
    function both(bool a, bool b) external pure returns (uint256) {
        if (!(a && b)) return 1;
        else return 2;
    }
    function nested(uint256 x) external pure returns (uint256 y) {
        for (uint256 i; i < x; ++i) if (i > 2) y = i > 3 ? 7 : 8;
    }
    function add(uint256 x) external {
        total += x;
        if (x > 5) revert TooBig(x);
    }
    function tries(uint256 x) external returns (bool) {
        try this.add(x) { return true; } catch { return false; }
    }
    function inYul(uint256 x) external pure returns (uint256 y) {
        assembly ("memory-safe") {
            for { let i := 0 } lt(i, x) { i := add(i, 1) } { if eq(i, 1) { break } y := add(y, 5) }
        }
    }
}
"""


@pytest.fixture(scope="module")
def sample() -> tuple[Artifact, list[Marker]]:
    sources, markers = instrument_all({PATH: SOURCE}, [PATH])
    wanted = {PATH: {"*": ["abi", "evm.bytecode.object"]}}
    found = compiled(sources, wanted)["contracts"][PATH]["Sample"]
    return Artifact("Sample", found["abi"], bytes.fromhex(found["evm"]["bytecode"]["object"])), markers


@pytest.fixture
def reached(
    sample: tuple[Artifact, list[Marker]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., set[tuple[int, str | None]]]]:
    """Runs an action on a fresh `Sample`, ends its node, and gives line and outcome of what was reached."""
    artifact, markers = sample
    wrapped = str(listening(tmp_path / "hits"))
    monkeypatch.setattr(anvil_module, "find_anvil", lambda: wrapped)
    node = Anvil(1_700_000_000)

    def run(action: Callable[[Contract, str], Any]) -> set[tuple[int, str | None]]:
        account = node.chain.request("eth_accounts")[0]
        action(create(node.chain, artifact, sender=account), account)
        node.close()
        hits = read_hits(tmp_path / "hits")
        return {(m.line, m.outcome) for i, m in enumerate(markers) if i in hits}

    yield run
    node.close()


def _branches(found: set[tuple[int, str | None]]) -> set[tuple[int, str]]:
    return {(line, outcome) for line, outcome in found if outcome}


def test_instrumented__a_contract__behaves_as_before(reached: Any) -> None:
    def act(sample: Contract, account: str) -> None:
        assert [sample.call("both", a, b) for a in (False, True) for b in (False, True)] == [1, 1, 1, 2]
        assert [sample.call("nested", x) for x in (0, 3, 4, 5)] == [0, 0, 8, 7]
        assert [sample.call("inYul", x) for x in (0, 1, 2, 3)] == [0, 5, 5, 5]
        sample.send("add", 4, sender=account)
        with pytest.raises(ContractRevert, match="TooBig"):
            sample.send("add", 6, sender=account)
        assert sample.call("total") == 4

    assert reached(act)


def test_instrumented__an_operand_that_decides_alone__leaves_the_other_unreached(reached: Any) -> None:
    found = reached(lambda sample, _: sample.call("both", False, True))
    assert found == {(7, None), (7, "false")}, "`b` was not asked, and the second return not reached"


def test_instrumented__braceless_bodies_and_ternaries__are_told_apart(reached: Any) -> None:
    found = reached(lambda sample, _: sample.call("nested", 4))
    assert _branches(found) == {(11, "true"), (11, "false")}
    assert not _branches({each for each in found if each[0] != 11})


def test_instrumented__what_a_reverted_transaction_did__is_remembered(reached: Any) -> None:
    def act(sample: Contract, account: str) -> None:
        with pytest.raises(ContractRevert, match="TooBig"):
            sample.send("add", 6, sender=account)

    assert reached(act) == {(14, None), (15, None), (15, "true")}


@pytest.mark.parametrize(("x", "clause"), [(1, "returns"), (6, "catch")])
def test_instrumented__a_try__has_a_branch_a_clause(reached: Any, x: int, clause: str) -> None:
    found = reached(lambda sample, account: sample.send("tries", x, sender=account))
    assert {outcome for line, outcome in _branches(found) if line == 18} == {clause}


@pytest.mark.parametrize(
    ("x", "outcomes"),
    [(0, {(22, "false")}), (1, {(22, "true"), (22, "false")}), (2, {(22, "true"), (22, "false")})],
)
def test_instrumented__assembly__tells_how_its_conditions_ended(
    reached: Any, x: int, outcomes: set[tuple[int, str]]
) -> None:
    found = reached(lambda sample, _: sample.call("inYul", x))
    assert _branches(found) == outcomes
