"""Handing a vault over: to an account in two steps, or to the shareholders' timelock in one go."""

from __future__ import annotations

from collections.abc import Sequence

from equipoise.client.chain import Receipt
from equipoise.client.contract import Contract
from equipoise.client.deploy.steps import Step, setting
from equipoise.errors import ContractRevert

__all__ = ["governance_steps", "offer"]


def offer(contract: Contract, deployer: str, owner: str) -> Step:
    """Offer the ownership of a contract (Ownable2Step); done too when it has been accepted."""

    def is_done() -> bool:
        return owner.lower() in (contract.call("pendingOwner").lower(), contract.call("owner").lower())

    return setting(contract, deployer, f"offer {contract.name}", is_done, "transferOwnership", owner)


def governance_steps(
    deployer: str,
    owned: Sequence[Contract],
    vault: Contract,
    timelock: Contract,
    governor: Contract,
    opening: Step,
) -> list[Step]:
    """Let the governor propose to the timelock, give it everything, and leave; the vault last.

    `opening` lets depositors in and needs the vault's owner, so it comes when nothing but the vault is left.
    The deployer is the timelock's administrator until a step takes that from it for ever.
    """

    def role(name: str) -> bytes:
        return bytes(timelock.call(name))

    satellites = [contract for contract in owned if contract is not vault]
    return [
        # no right to cancel: a governor cancels only what is not yet with the timelock
        Step(
            "let the governor propose",
            lambda: bool(timelock.call("hasRole", role("PROPOSER_ROLE"), governor.address)),
            lambda: timelock.send("grantRole", role("PROPOSER_ROLE"), governor, sender=deployer),
        ),
        *(offer(contract, deployer, timelock.address) for contract in satellites),
        _accept("accept all but the vault", satellites, deployer, timelock),
        Step(
            "renounce the timelock's administration",
            lambda: not timelock.call("hasRole", role("DEFAULT_ADMIN_ROLE"), deployer),
            lambda: timelock.send("renounceRole", role("DEFAULT_ADMIN_ROLE"), deployer, sender=deployer),
        ),
        opening,
        offer(vault, deployer, timelock.address),
        _accept("accept the vault", [vault], deployer, timelock),
    ]


def _accept(name: str, offered: Sequence[Contract], deployer: str, timelock: Contract) -> Step:
    """The timelock takes what is left of its offers in one transaction; anybody may have it do so before."""

    def left() -> list[str]:
        return [contract.address for contract in offered if contract.call("owner") != timelock.address]

    def run() -> Receipt:
        while True:
            batch = left()
            try:
                return timelock.send("acceptOwnership", batch, sender=deployer)
            except ContractRevert:
                if len(left()) in (0, len(batch)):
                    raise  # a stranger was faster with all of it, which is as good, or the revert is ours

    return Step(name, lambda: not left(), run)
