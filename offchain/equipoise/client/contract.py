"""A deployed contract, called by function name."""

from __future__ import annotations

from typing import Any

from equipoise.client.abi import Interface, to_checksum_address
from equipoise.client.artifacts import Artifact, load_artifact, load_npm_artifact
from equipoise.client.chain import Chain, Receipt, RevertedCall
from equipoise.client.reverts import decode_revert
from equipoise.errors import ContractRevert

__all__ = ["Artifact", "Contract", "create", "load_artifact", "load_npm_artifact"]


class Contract:
    """Handle to one contract.

    Parameters
    ----------
    chain
        Where it lives.
    address
        Its address (checksummed here).
    abi
        Its ABI as a list of entries.
    name
        For error messages.

    A revert raises `ContractRevert` with the custom error's name and arguments. Structs come back as named
    tuples with the ABI's component names; as arguments they may be tuples, mappings or objects with those
    attributes. A contract may stand where an address is asked.
    """

    def __init__(self, chain: Chain, address: str, abi: list[dict[str, Any]], name: str = "") -> None:
        self.chain = chain
        self.address: str = to_checksum_address(address)
        self.abi = abi
        self.name = name
        self.interface = Interface.of(abi, name)

    def __repr__(self) -> str:
        return f"<{self.name or 'Contract'} {self.address}>"

    def encode(self, function: str, *args: Any) -> bytes:
        """Call data. Raises InputError for an unknown function or arguments that do not fit."""
        return self.interface.function(function, len(args)).encode(*args)

    def decode(self, function: str, data: bytes, count: int = 0) -> Any:
        """Results of a function (with `count` arguments, where it is overloaded) from returned data."""
        return self.interface.function(function, count).decode(data)

    def call(self, function: str, *args: Any, sender: str | None = None, block: int | str = "latest") -> Any:
        """Answer without changing the chain: one value, a named tuple of several, or None.

        Raises ContractRevert, InputError.
        """
        codec = self.interface.function(function, len(args))
        try:
            answer = self.chain.call(self.address, codec.encode(*args), sender, block)
        except RevertedCall as reverted:
            raise self._named(reverted) from None
        return codec.decode(answer)

    def send(self, function: str, *args: Any, sender: str, value: int = 0, gas: int | None = None) -> Receipt:
        """Mine a transaction from an unlocked `sender`. Raises ContractRevert, InputError."""
        data = self.encode(function, *args)
        try:
            return self.chain.send(getattr(sender, "address", sender), self.address, data, value, gas)
        except RevertedCall as reverted:
            raise self._named(reverted) from None

    def events(self, receipt: Receipt, name: str) -> list[Any]:
        """This contract's events of that name in a receipt, as named tuples in order."""
        event = self.interface.event(name)
        own = self.address.lower()
        return [
            event.decode(log)
            for log in receipt.logs
            if log["topics"] and log["topics"][0] == event.topic and log["address"].lower() == own
        ]

    def _named(self, reverted: RevertedCall) -> ContractRevert:
        return decode_revert(reverted.data, self.name, self.interface.errors, reverted.message)


def create(chain: Chain, artifact: Artifact, *args: Any, sender: str, gas: int | None = None) -> Contract:
    """Deploy a contract. Raises ContractRevert, InputError, ToolchainError."""
    try:
        receipt = chain.send(sender, None, artifact.encode_deploy(*args), gas=gas)
    except RevertedCall as reverted:
        errors = artifact.interface.errors
        raise decode_revert(reverted.data, artifact.name, errors, reverted.message) from None
    assert receipt.contract_address is not None
    return Contract(chain, receipt.contract_address, artifact.abi, artifact.name)
