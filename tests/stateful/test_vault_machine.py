"""The whole vault under any sequence of actions."""

from __future__ import annotations

from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from equipoise.client.config import FeesConfig
from tests.fixtures.system import System
from tests.stateful.machine import VaultMachine

LIFE = settings(
    max_examples=max(4, settings().max_examples // 5),
    stateful_step_count=30,
    derandomize=True,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


def test_vault__any_life__keeps_its_promises(invested: System) -> None:
    """EQ-50, EQ-53, EQ-55, EQ-58, EQ-61, EQ-84, EQ-112: with fees of every kind."""
    fees = FeesConfig(0.0005, 0.0005, 0.02, 0.2).params()
    invested.vault.send("setFees", fees, invested.treasury, sender=invested.owner)
    run_state_machine_as_test(lambda: VaultMachine(invested), settings=LIFE)


def test_vault__any_life_from_birth__keeps_its_promises(system: System) -> None:
    """EQ-50, EQ-54, EQ-57, EQ-58, EQ-61, EQ-63: without fees, from nothing."""
    system.vault.send("setFees", (0, 0, 0, 0), system.treasury, sender=system.owner)
    run_state_machine_as_test(lambda: VaultMachine(system), settings=LIFE)
