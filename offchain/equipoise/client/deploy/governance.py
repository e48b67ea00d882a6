"""Handing a vault over: to an account in two steps, or to the shareholders' timelock in one go."""

from __future__ import annotations

from collections.abc import Sequence

from equipoise.client.contract import Contract
from equipoise.client.deploy.steps import Step, setting

__all__ = ["governance_steps", "offer"]


def offer(contract: Contract, deployer: str, owner: str) -> Step:
    """Offer the ownership of a contract (Ownable2Step); done too when it has been accepted."""

    def is_done() -> bool:
        return owner.lower() in (contract.call("pendingOwner").lower(), contract.call("owner").lower())

    return setting(contract, deployer, f"offer {contract.name}", is_done, "transferOwnership", owner)


def governance_steps(
    deployer: str, owned: Sequence[Contract], timelock: Contract, governor: Contract
) -> list[Step]:
    """Let the governor propose to the timelock, give it everything, and leave.

    The deployer is the timelock's administrator until the last step takes that from it for ever.
    """

    def role(name: str) -> bytes:
        return bytes(timelock.call(name))

    return [
        # no right to cancel: a governor cancels only what is not yet with the timelock
        Step(
            "let the governor propose",
            lambda: bool(timelock.call("hasRole", role("PROPOSER_ROLE"), governor.address)),
            lambda: timelock.send("grantRole", role("PROPOSER_ROLE"), governor, sender=deployer),
        ),
        *(offer(contract, deployer, timelock.address) for contract in owned),
        setting(
            timelock,
            deployer,
            "accept everything",
            lambda: all(contract.call("owner") == timelock.address for contract in owned),
            "acceptOwnership",
            [contract.address for contract in owned],
        ),
        Step(
            "renounce the timelock's administration",
            lambda: not timelock.call("hasRole", role("DEFAULT_ADMIN_ROLE"), deployer),
            lambda: timelock.send("renounceRole", role("DEFAULT_ADMIN_ROLE"), deployer, sender=deployer),
        ),
    ]
