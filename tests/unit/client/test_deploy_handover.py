"""A deployment ends handed over, whatever strangers and the guardian do meanwhile, and opens last."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from equipoise.client.chain import Receipt
from equipoise.client.config import DeploymentConfig
from equipoise.client.contract import Contract
from equipoise.client.deploy import deploy
from equipoise.client.deploy.authority import OWNED
from equipoise.client.deploy.plan import Plan, make_plan
from equipoise.client.rpc import RpcChain
from equipoise.world import World
from tests.fixtures.deploying import Killed, Mortal


class Meddled(RpcChain):
    """The deployer's connection; somebody does something before each of its transactions."""

    def __init__(self, venue: World, meddle: Callable[[], None]) -> None:
        super().__init__(venue.chain.endpoint)
        self.meddle, self.failed = meddle, 0

    def send(self, *args: Any, **options: Any) -> Receipt:
        self.meddle()
        try:
            return super().send(*args, **options)
        except Exception:
            self.failed += 1
            raise


@pytest.fixture
def plan(venue: World, governed_config: DeploymentConfig) -> Plan:
    return make_plan(venue.chain, venue.accounts[0], governed_config)


def contracts(plan: Plan) -> list[Contract]:
    return [plan.creations[name].contract for name in OWNED]


def offered(venue: World, plan: Plan) -> list[Contract]:
    """What stands and the timelock could accept."""
    timelock = plan.creations["timelock"].contract.address
    standing = [contract for contract in contracts(plan) if venue.chain.code(contract.address)]
    return [contract for contract in standing if contract.call("pendingOwner") == timelock]


@pytest.mark.parametrize("wanted", [("vault",), ("auction", "realized_volatility"), OWNED])
def test_deploy__a_stranger_accepts_for_the_timelock__ends_handed_over(
    venue: World, governed_config: DeploymentConfig, plan: Plan, wanted: tuple[str, ...]
) -> None:
    """EQ-172: as soon as it is offered, one contract, some or all."""
    deployer, mallory = venue.accounts[0], venue.accounts[8]
    timelock = plan.creations["timelock"].contract
    hers = {plan.addresses[name] for name in wanted}
    accepted: set[str] = set()

    def accept() -> None:
        for contract in offered(venue, plan):
            if contract.address in hers:
                timelock.send("acceptOwnership", [contract.address], sender=mallory)
                accepted.add(contract.address)

    made = deploy(Meddled(venue, accept), deployer, governed_config)
    assert accepted == hers
    assert {getattr(made, name).call("owner") for name in OWNED} == {timelock.address}
    assert not timelock.call("hasRole", timelock.call("DEFAULT_ADMIN_ROLE"), deployer)


def test_deploy__a_stranger_is_faster_than_the_batch__the_rest_is_accepted_in_one(
    venue: World, governed_config: DeploymentConfig, plan: Plan
) -> None:
    """EQ-172: the batch reverts as one of it is accepted already; what is left of it goes in the next."""
    deployer, mallory = venue.accounts[0], venue.accounts[8]
    timelock, guard = plan.creations["timelock"].contract, plan.creations["guard"].contract

    def accept() -> None:
        if len(offered(venue, plan)) == 5 and guard.call("owner") == deployer:
            timelock.send("acceptOwnership", [guard.address], sender=mallory)

    chain = Meddled(venue, accept)
    deploy(chain, deployer, governed_config)
    assert chain.failed == 1
    assert guard.call("owner") == timelock.address


def test_deploy__whenever_deposits_are_open__all_but_the_vault_is_handed_over(
    venue: World, governed_config: DeploymentConfig, plan: Plan
) -> None:
    """EQ-172: and two transactions are left, the vault's offer and its acceptance."""
    deployer = venue.accounts[0]
    vault, timelock = (plan.creations[name].contract for name in ("vault", "timelock"))
    still: list[set[str]] = []

    def look() -> None:
        if venue.chain.code(vault.address) and vault.call("depositCap") > 0:
            still.append({c.name for c in contracts(plan) if c.call("owner") == deployer})
            assert not timelock.call("hasRole", timelock.call("DEFAULT_ADMIN_ROLE"), deployer)

    deploy(Meddled(venue, look), deployer, governed_config)
    assert still == [{"RiskParityVault"}] * 2
    assert vault.call("owner") == timelock.address


@pytest.mark.parametrize("left", [0, 1, 2])
def test_deploy__guardian_has_tightened_the_cap__resumes_and_leaves_it(
    venue: World, governed_config: DeploymentConfig, plan: Plan, left: int
) -> None:
    """EQ-170: also while the deployer, who may loosen it, still owns the vault."""
    deployer, vault = venue.accounts[0], plan.creations["vault"].contract
    with pytest.raises(Killed):
        deploy(Mortal(venue.chain, len(plan.steps) - left, "after"), deployer, governed_config)
    vault.send("setDepositCap", 5, sender=governed_config.guardian)
    again = Mortal(venue.chain)
    made = deploy(again, deployer, governed_config)
    assert again.sent == left
    assert made.vault.call("depositCap") == 5


def test_deploy__owner_has_accepted_and_changed_a_setting__sends_nothing(
    venue: World, owned_config: DeploymentConfig
) -> None:
    """EQ-170: a feed's check by its pool and the fees are the new owner's."""
    deployer, owner = venue.accounts[0], owned_config.owner
    assert owner
    first, *others = owned_config.assets
    config = replace(owned_config, assets=(replace(first, twap_window=1_800), *others))
    venue.warp(1_800)  # the pool remembers the window
    venue.set_prices(venue.prices())
    made = deploy(venue.chain, deployer, config)
    for name in OWNED:
        getattr(made, name).send("acceptOwnership", sender=owner)
    nothing = ("0x" + "0" * 40, 0, 0)
    made.price_oracle.send("setTwap", first.token, nothing, sender=owner)
    made.vault.send("setFees", (0, 0, 0, 0), owner, sender=owner)
    again = Mortal(venue.chain)
    deploy(again, deployer, config)
    assert again.sent == 0
    assert tuple(made.price_oracle.call("twapOf", first.token)) == nothing
