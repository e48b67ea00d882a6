"""What a step of a deployment is: something that the chain itself can tell to be done."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from equipoise.client.artifacts import Artifact
from equipoise.client.chain import Chain, Receipt, RevertedCall
from equipoise.client.contract import Contract
from equipoise.client.deploy.create2 import FACTORY, predicted_address
from equipoise.client.reverts import decode_revert

__all__ = ["Creation", "Step", "created", "is_gone", "setting"]


@dataclass(frozen=True)
class Step:
    """One transaction of a deployment.

    `is_done` reads the chain, so that a step is never done twice and none is left out, whatever was or was
    not written down; `run` sends the transaction.
    """

    name: str
    is_done: Callable[[], bool] = field(repr=False)
    run: Callable[[], Receipt] = field(repr=False)


@dataclass(frozen=True)
class Creation:
    """A contract to be created: its handle (valid once it exists), arguments in hex, and its step."""

    contract: Contract
    arguments: str
    creation_code: bytes = field(repr=False)
    step: Step


def created(
    chain: Chain,
    deployer: str,
    salt: bytes,
    artifact: Artifact,
    args: Sequence[Any],
    check: Callable[[str], None] = lambda _: None,
) -> Creation:
    """The creation of `artifact` through the CREATE2 factory.

    `check` is given the address before anything is sent and may refuse.
    """
    code = artifact.encode_deploy(*args)
    address = predicted_address(salt, code)

    def run() -> Receipt:
        check(address)
        try:
            return chain.send(deployer, FACTORY, salt + code)
        except RevertedCall:
            _raise_reason(chain, deployer, artifact, code)
            raise

    step = Step(f"deploy {artifact.name}", lambda: bool(chain.code(address)), run)
    arguments = code[len(artifact.bytecode) :].hex()
    return Creation(Contract(chain, address, artifact.abi, artifact.name), arguments, code, step)


def _raise_reason(chain: Chain, deployer: str, artifact: Artifact, code: bytes) -> None:
    """The factory swallows a constructor's reason: ask for the same creation without it."""
    try:
        chain.request("eth_call", {"from": deployer, "data": "0x" + code.hex()}, "latest")
    except RevertedCall as reverted:
        errors = artifact.interface.errors
        raise decode_revert(reverted.data, artifact.name, errors, reverted.message) from None


def setting(
    contract: Contract, deployer: str, name: str, is_done: Callable[[], bool], function: str, *args: Any
) -> Step:
    """A call of the deployer that sets something of its own contract, which `is_done` can read.

    It counts as done once the contract is another's: it was, and who has a say there may have changed it.
    """
    return Step(
        name,
        lambda: is_done() or is_gone(contract, deployer),
        lambda: contract.send(function, *args, sender=deployer),
    )


def is_gone(contract: Contract, deployer: str) -> bool:
    """Whether the deployer has handed the contract over."""
    return bool(contract.call("owner").lower() != deployer.lower())
