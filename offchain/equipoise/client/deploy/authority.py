"""Who has which power over a deployed vault, read from the chain and held against what was wanted."""

from __future__ import annotations

from equipoise.client.config import DeploymentConfig
from equipoise.client.contract import Contract
from equipoise.client.deployment import Deployment
from equipoise.errors import InputError

__all__ = ["OWNED", "ROLES", "check_authority", "role_members"]

OWNED = ("price_oracle", "realized_volatility", "volatility_oracle", "guard", "vault", "auction")
"""Contracts with an owner, by attribute of `Deployment`."""

ROLES = ("DEFAULT_ADMIN_ROLE", "PROPOSER_ROLE", "EXECUTOR_ROLE", "CANCELLER_ROLE")
"""Of the timelock."""

NOBODY = "0x" + "0" * 40


def check_authority(deployment: Deployment, deployer: str, config: DeploymentConfig) -> None:
    """Raises InputError naming every power that is not where the configuration wants it."""
    wrong = [*_owners(deployment, deployer, config), *_guardians(deployment, config)]
    if deployment.account and deployment.account.call("vault") != deployment.vault.address:
        wrong.append(f"the lending account obeys {deployment.account.call('vault')}, not the vault")
    if deployment.timelock:
        wrong += _roles(deployment, config)
    if wrong:
        raise InputError(
            f"the deployment is not complete: {'; '.join(wrong)}. Whoever has these powers must give "
            "them up (or "
            "deploy anew with another `salt` and --restart); then run the same command again"
        )


def _owners(deployment: Deployment, deployer: str, config: DeploymentConfig) -> list[str]:
    timelock = deployment.timelock
    wanted = timelock.address if timelock else str(config.owner)
    wrong = []
    for name in OWNED:
        contract: Contract = getattr(deployment, name)
        owner, pending = contract.call("owner"), contract.call("pendingOwner")
        offered = timelock is None and [owner.lower(), pending.lower()] == [deployer.lower(), wanted.lower()]
        if not offered and (owner.lower(), pending) != (wanted.lower(), NOBODY):
            wrong.append(f"{contract.name} is owned by {owner}, offered to {pending}, instead of by {wanted}")
    return wrong


def _guardians(deployment: Deployment, config: DeploymentConfig) -> list[str]:
    guarded = (deployment.guard, deployment.volatility_oracle)
    found = {contract.name: contract.call("guardian") for contract in guarded}
    return [
        f"{name} has the guardian {guardian} instead of {config.guardian}"
        for name, guardian in found.items()
        if guardian.lower() != config.guardian.lower()
    ]


def _roles(deployment: Deployment, config: DeploymentConfig) -> list[str]:
    timelock, governor = deployment.timelock, deployment.governor
    assert timelock is not None
    assert governor is not None
    assert deployment.votes is not None
    wanted = {
        "DEFAULT_ADMIN_ROLE": {timelock.address},
        "PROPOSER_ROLE": {governor.address},
        "EXECUTOR_ROLE": {NOBODY},  # anyone, once the delay is over
        "CANCELLER_ROLE": {config.guardian},
    }
    wrong = []
    for role, members in role_members(timelock).items():
        if members != wanted.get(role, set()):
            wrong.append(
                f"{role} of the timelock is held by {sorted(members)}, not {sorted(wanted.get(role, ()))}"
            )
    for name, found, expected in (
        ("timelock", governor.call("timelock"), timelock),
        ("votes", governor.call("token"), deployment.votes),
        ("vault", governor.call("vault"), deployment.vault),
    ):
        if found != expected.address:
            wrong.append(f"the governor's {name} is {found} instead of {expected.address}")
    return wrong


def role_members(timelock: Contract) -> dict[str, set[str]]:
    """Who holds each role of a timelock: everybody to whom one was ever granted, as the chain says it now.

    A role that is none of `ROLES` goes by its hash.
    """
    names = {bytes(timelock.call(role)): role for role in ROLES}
    event = timelock.interface.event("RoleGranted")
    query = {"address": timelock.address, "topics": [event.topic], "fromBlock": "0x0", "toBlock": "latest"}
    granted = [event.decode(log) for log in timelock.chain.request("eth_getLogs", query)]
    members: dict[str, set[str]] = {role: set() for role in ROLES}
    for grant in granted:
        holders = members.setdefault(names.get(bytes(grant.role), "0x" + bytes(grant.role).hex()), set())
        if timelock.call("hasRole", grant.role, grant.account):
            holders.add(grant.account)
    return members
