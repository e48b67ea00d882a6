"""Signers of one oracle that needs no chain."""

from __future__ import annotations

import pytest

from equipoise.oracle import Domain, Signer
from equipoise.oracle.aggregator import Quorum


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
