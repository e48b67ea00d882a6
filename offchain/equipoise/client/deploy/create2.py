"""Contracts at addresses that are known before they exist, by the CREATE2 factory of every EVM network.

The address follows from the creation code (with the constructor's arguments) and the salt alone. So whether a
contract has been deployed is a question to the chain, and no kill can come between a deployment and its note.
"""

from __future__ import annotations

from eth_utils import keccak, to_canonical_address, to_checksum_address

from equipoise import __version__
from equipoise.client.chain import Chain
from equipoise.errors import InputError

__all__ = ["FACTORY", "check_factory", "predicted_address", "salt_of"]

FACTORY = "0x4e59b44847b379578588920cA78FbF26c0B4956C"
"""Arachnid's deterministic deployment proxy: call data are a salt and creation code. It has no owner."""

FACTORY_HASH = "2fa86add0aed31f33a762c9d88e807c475bd51d0f52bd0955754b2608f7e4989"
"""keccak256 of its code."""

_SIGNER = "0x3fAB184622Dc19b6109349B94811493BF45362f9"
_FUNDS_WEI = 10**16


def salt_of(configuration: str, deployer: str) -> bytes:
    """Salt of one deployment, by its `config_hash`: nobody else's, and another one with every release.

    Two vaults of one deployer would else share what has the same arguments in both, a price oracle with its
    owner or a lending account that obeys one vault only.
    """
    words = b"equipoise", __version__.encode(), to_canonical_address(deployer), bytes.fromhex(configuration)
    return keccak(b"|".join(words))


def predicted_address(salt: bytes, creation_code: bytes) -> str:
    """Where the factory puts this code (EIP-1014)."""
    parts = b"\xff", to_canonical_address(FACTORY), salt, keccak(creation_code)
    return str(to_checksum_address(keccak(b"".join(parts))[12:]))


def check_factory(chain: Chain) -> None:
    """Raises InputError when the network has no CREATE2 factory, or another contract in its place."""
    code = chain.code(FACTORY)
    if not code:
        raise InputError(
            f"chain {chain.chain_id} has no CREATE2 factory at {FACTORY}: send {_FUNDS_WEI / 10**18} ETH to "
            f"{_SIGNER}, then broadcast the factory's well-known presigned transaction (repository "
            "Arachnid/deterministic-deployment-proxy, script/deploy.sh), and run this again"
        )
    if keccak(code).hex() != FACTORY_HASH:
        raise InputError(
            f"the code at {FACTORY} on chain {chain.chain_id} is not the CREATE2 factory's: this network (or "
            "this RPC) cannot be trusted with a deployment; use another"
        )
