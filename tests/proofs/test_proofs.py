"""The proofs cover what they claim; `make prove` runs them, these tests only read them."""

from __future__ import annotations

import re

import pytest

from tests.proofs.compiled import PROOFS, ROOT
from tests.proofs.plants import PLANTS, Plant

CHECKS = {
    path.stem: re.findall(r"function (check_\w+)", path.read_text()) for path in PROOFS.glob("*Proofs.sol")
}
PRIVILEGE = re.compile(
    r"function (\w+)\([^)]*\)\s*(?:external|public)[^{;]*?"
    r"\b(?:onlyOwner|onlyGuardian|onlyOwnerOrGuardian|onlyAuction|onlyVault|onlySelf)\b"
)
CORE = ("governance", "lending", "oracle", "vault")


@pytest.mark.parametrize("plant", PLANTS, ids=lambda p: p.proofs)
def test_plant__its_places__are_in_the_sources_once(plant: Plant) -> None:
    for name, edits in plant.edits.items():
        text = (ROOT / name).read_text()
        for old, new in edits:
            assert text.count(old) == 1, f"{name}: {old!r}"
            assert old != new


def test_check__each_one__has_a_planted_fault() -> None:
    planted = {(plant.proofs, check) for plant in PLANTS for check in plant.checks}
    assert planted == {(name, check) for name, checks in CHECKS.items() for check in checks}


def test_access_proofs__every_guarded_function__is_among_them() -> None:
    proofs = "".join((PROOFS / "AccessProofs.sol").read_text().split())
    guarded = {
        (path.name, function)
        for room in CORE
        for path in (ROOT / "contracts" / room).glob("*.sol")
        for function in PRIVILEGE.findall(path.read_text())
    }
    assert len(guarded) > 25
    missing = {(name, function) for name, function in guarded if f".{function},(" not in proofs}
    assert not missing
