"""The committed snapshot of gas and sizes: a change shows in the diff, a limit holds.

`GAS_SNAPSHOT=write` (`make gas`) rewrites it.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.fixtures.market import Market
from tests.fixtures.system import System
from tests.gas.governance import gas_of_governance
from tests.gas.levered import gas_of_leverage
from tests.gas.measure import CONTRACTS, LIMITS, gas_of_everything, sizes
from tests.gas.oracle import POKE_LIMITS, gas_of_the_oracle

SNAPSHOT = Path(__file__).with_name("snapshot.json")
TOLERANCE = 0.005
SIZE_LIMIT = 24_576


@pytest.fixture(scope="module")
def measured(_market: Market, _default_system: System) -> dict[str, dict[str, dict[str, int]]]:
    with _market.scenario():
        gas = gas_of_everything(_market)
    with _market.scenario():
        oracle = gas_of_the_oracle(_market)
    with _default_system.scenario():
        governance = gas_of_governance(_default_system)
    found: dict[str, dict[str, dict[str, int]]] = {
        "gas": {
            name: {**parts, "without_price_reads": parts["total"] - parts["price_reads"]}
            for name, parts in gas.items()
        },
        "oracle": oracle,
        "levered": gas_of_leverage(),
        "governance": governance,
        "bytes": {name: {"size": size} for name, size in sizes().items()},
    }
    if os.environ.get("GAS_SNAPSHOT") == "write":
        SNAPSHOT.write_text(json.dumps(found, indent=2) + "\n")
    return found


def test_snapshot__measured_again__is_unchanged(measured: dict[str, dict[str, dict[str, int]]]) -> None:
    """EQ-8: what users pay is part of the diff."""
    committed = json.loads(SNAPSHOT.read_text())
    assert {k: list(v) for k, v in committed.items()} == {k: list(v) for k, v in measured.items()}
    changed = [
        f"{name}: {part} was {old}, is {measured[section][name][part]}"
        for section, entries in committed.items()
        for name, parts in entries.items()
        for part, old in parts.items()
        if abs(measured[section][name][part] - old) > TOLERANCE * abs(old)
    ]
    assert not changed, "gas or size changed; if you meant it, run `make gas`:\n" + "\n".join(changed)


@pytest.mark.parametrize("name", LIMITS)
def test_gas__of_each_action__is_within_its_limit(
    measured: dict[str, dict[str, dict[str, int]]], name: str
) -> None:
    """EQ-8: the limits of the issue, without the reads of price feeds for deposits and redemptions."""
    parts = measured["gas"][name]
    counted = parts["total"] if name.startswith("fill") else parts["without_price_reads"]
    assert counted <= LIMITS[name], parts


@pytest.mark.parametrize("name", POKE_LIMITS)
def test_gas__of_a_poke__is_within_its_limit(
    measured: dict[str, dict[str, dict[str, int]]], name: str
) -> None:
    """EQ-8: reads of price feeds included."""
    assert measured["oracle"][name]["total"] <= POKE_LIMITS[name]


@pytest.mark.parametrize("name", CONTRACTS)
def test_size__of_each_contract__fits_a_chain(
    measured: dict[str, dict[str, dict[str, int]]], name: str
) -> None:
    """EQ-8: EIP-170."""
    assert measured["bytes"][name]["size"] <= SIZE_LIMIT
