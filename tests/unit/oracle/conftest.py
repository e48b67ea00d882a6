"""Signers of one oracle that needs no chain; and a relay's surroundings on one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from equipoise.oracle import Domain, Signer
from equipoise.oracle.aggregator import Quorum
from tests.fixtures.relaying import SETTLE, Office
from tests.fixtures.system import System


def address(i: int) -> str:
    return "0x" + f"{i:040x}"


@pytest.fixture(scope="session")
def domain() -> Domain:
    return Domain(31337, address(0xBEEF), tuple(address(0xA0 + i) for i in range(3)))


@pytest.fixture(scope="session")
def signers(domain: Domain) -> list[Signer]:
    return [Signer((1000 + i).to_bytes(32, "big"), domain) for i in range(5)]


@pytest.fixture(scope="session")
def quorum(signers: list[Signer]) -> Quorum:
    return Quorum.of([s.address for s in signers], 3)


@pytest.fixture
def office(make_system: Callable[..., System], tmp_path: Path) -> Office:
    return Office(make_system(signers=5, threshold=3, settle_period=SETTLE, reports=False), tmp_path)
