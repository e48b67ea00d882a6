"""What Aave counts as a vault's collateral beside its assets: anybody can give it a unit of any reserve."""

from __future__ import annotations

from typing import Any

from equipoise.client.contract import Contract
from equipoise.client.deployment import Deployment

__all__ = ["foreign_collateral"]


def _view(name: str, argument: str, answer: str) -> dict[str, Any]:
    inputs, outputs = [{"name": "", "type": argument}], [{"name": "", "type": answer}]
    return {"type": "function", "name": name, "stateMutability": "view", "inputs": inputs, "outputs": outputs}


# a struct of one word is a word; bit 2 i + 1 of it is the collateral of reserve i
_POOL = [
    _view("getUserConfiguration", "address", "uint256"),
    _view("getReserveAddressById", "uint16", "address"),
]


def foreign_collateral(deployment: Deployment) -> list[str]:
    """Tokens whose feeds the debt depends on, that are neither in the vault's book nor its cash.

    Raises ContractRevert where the venue does not tell.
    """
    account = deployment.account
    if account is None:
        return []
    pool = Contract(deployment.chain, account.call("pool"), _POOL, "Pool")
    bits = pool.call("getUserConfiguration", account.address)
    used = [i for i in range(bits.bit_length() // 2) if bits >> (2 * i + 1) & 1]
    tokens = [pool.call("getReserveAddressById", i) for i in used]
    held = {token.lower() for token in deployment.vault.call("holdings").tokens}
    return [token for token in tokens if token.lower() not in held]
