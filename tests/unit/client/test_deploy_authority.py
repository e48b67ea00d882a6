"""Nobody keeps a power that the configuration does not give, as the chain itself tells."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from equipoise.client.config import DeploymentConfig
from equipoise.client.deploy import deploy
from equipoise.client.deploy.authority import OWNED, ROLES, check_authority, role_members
from equipoise.client.deploy.plan import Plan, make_plan
from equipoise.client.deploy.record import Record
from equipoise.client.deployment import Deployment
from equipoise.errors import ContractRevert, InputError
from equipoise.world import World
from tests.fixtures.deploying import Killed, Mortal


@pytest.fixture
def governed(venue: World, governed_config: DeploymentConfig) -> Deployment:
    return deploy(venue.chain, venue.accounts[0], governed_config)


def test_deploy__governed__timelock_owns_everything_and_the_deployer_nothing(
    venue: World, governed: Deployment, governed_config: DeploymentConfig
) -> None:
    """EQ-172"""
    deployer, timelock, governor = venue.accounts[0], governed.timelock, governed.governor
    assert timelock
    assert governor
    assert governed.votes
    for name in OWNED:
        contract = getattr(governed, name)
        assert contract.call("owner") == timelock.address
        assert int(contract.call("pendingOwner"), 16) == 0
        with pytest.raises(ContractRevert, match="OwnableUnauthorizedAccount"):
            contract.send("transferOwnership", deployer, sender=deployer)
    members = role_members(timelock)
    assert members["DEFAULT_ADMIN_ROLE"] == {timelock.address}
    assert members["PROPOSER_ROLE"] == {governor.address}
    assert members["CANCELLER_ROLE"] == {governed_config.guardian}
    assert set(members) == set(ROLES)
    for role in ROLES:
        assert not timelock.call("hasRole", timelock.call(role), deployer)
    assert governed.votes.call("underlying") == governed.vault.address
    assert governor.call("token") == governed.votes.address
    check_authority(governed, deployer, governed_config)


def _last_as_administrator(plan: Plan) -> int:
    """The transaction that takes the timelock's administration from the deployer."""
    return 1 + [step.name for step in plan.steps].index("renounce the timelock's administration")


@pytest.mark.parametrize("role", ROLES)
def test_check_authority__a_role_too_many__names_it_and_stays_incomplete(
    venue: World, governed_config: DeploymentConfig, tmp_path: Path, role: str
) -> None:
    """EQ-172: whatever the deployer granted while it could is found."""
    deployer, friend = venue.accounts[0], venue.accounts[7]
    plan = make_plan(venue.chain, deployer, governed_config)
    record = Record.open(venue.chain, deployer, governed_config, plan, path=tmp_path / "record.json")
    with pytest.raises(Killed):
        deploy(Mortal(venue.chain, _last_as_administrator(plan)), deployer, governed_config, record=record)
    timelock = plan.creations["timelock"].contract
    timelock.send("grantRole", timelock.call(role), friend, sender=deployer)
    with pytest.raises(InputError, match=rf"not complete: {role} of the timelock is held by .*{friend}"):
        deploy(venue.chain, deployer, governed_config, record=record)
    assert not Record.read(record.path).complete  # type: ignore[union-attr]


def test_check_authority__a_role_of_the_deployers_own__is_found_by_its_hash(
    venue: World, governed_config: DeploymentConfig
) -> None:
    """EQ-172"""
    deployer = venue.accounts[0]
    plan = make_plan(venue.chain, deployer, governed_config)
    with pytest.raises(Killed):
        deploy(Mortal(venue.chain, _last_as_administrator(plan)), deployer, governed_config)
    plan.creations["timelock"].contract.send("grantRole", b"\7" * 32, deployer, sender=deployer)
    with pytest.raises(InputError, match=rf"0x(07){{32}} of the timelock is held by .*{deployer}"):
        deploy(venue.chain, deployer, governed_config)


@pytest.mark.parametrize("name", OWNED)
def test_check_authority__offered_to_somebody_else__is_refused(
    venue: World, owned_config: DeploymentConfig, name: str
) -> None:
    """EQ-172"""
    deployer, friend = venue.accounts[0], venue.accounts[7]
    made = deploy(venue.chain, deployer, owned_config)
    contract = getattr(made, name)
    contract.send("transferOwnership", friend, sender=deployer)
    said = rf"{contract.name} is owned by {deployer}, offered to {friend}, instead of by {owned_config.owner}"
    with pytest.raises(InputError, match=said):
        check_authority(made, deployer, owned_config)


def test_check_authority__owner_has_accepted__is_fine(venue: World, owned_config: DeploymentConfig) -> None:
    """EQ-172"""
    made = deploy(venue.chain, venue.accounts[0], owned_config)
    for name in OWNED:
        getattr(made, name).send("acceptOwnership", sender=owned_config.owner)
        check_authority(made, venue.accounts[0], owned_config)
    assert deploy(venue.chain, venue.accounts[0], owned_config).vault.call("owner") == owned_config.owner


@pytest.mark.parametrize("contract", ["guard", "volatility_oracle"])
def test_check_authority__another_guardian__is_refused(
    venue: World, owned_config: DeploymentConfig, contract: str
) -> None:
    """EQ-172"""
    friend = venue.accounts[7]
    made = deploy(venue.chain, venue.accounts[0], owned_config)
    getattr(made, contract).send("setGuardian", friend, sender=venue.accounts[0])
    with pytest.raises(InputError, match=rf"has the guardian {friend} instead of {owned_config.guardian}"):
        check_authority(made, venue.accounts[0], owned_config)


def test_load__governed__finds_votes_timelock_and_governor(
    venue: World, governed: Deployment, tmp_path: Path
) -> None:
    found = Deployment.load(venue.chain, governed.save(tmp_path / "1.json"))
    assert found.to_json() == governed.to_json()
    assert found.governor
    assert found.governor.call("timelock") == found.timelock.address  # type: ignore[union-attr]


def test_deploy__no_swap_router__deploys_uniswaps_own_first(
    venue: World, owned_config: DeploymentConfig
) -> None:
    """Where only SwapRouter02 was deployed the exit zap has a router all the same."""
    config = replace(owned_config, swap_router=None, weth=venue.weth.address)
    made = deploy(venue.chain, venue.accounts[0], config)
    plan = make_plan(venue.chain, venue.accounts[0], config)
    router = plan.creations["router"].contract
    assert made.zap.call("router") == router.address
    assert router.call("factory") == venue.factory.address
    # apart from the immutable addresses it is the very router of the world
    assert len(venue.chain.code(router.address)) == len(venue.chain.code(venue.router.address))
