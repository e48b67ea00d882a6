"""Sources at a block explorer, through ape-etherscan where it is installed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from equipoise.client.deployment import ACCOUNT, CONTRACTS, GOVERNANCE

if TYPE_CHECKING:
    from ape.api import ProviderAPI

__all__ = ["publish"]

_NAMES = {**CONTRACTS, **GOVERNANCE, "account": ACCOUNT}


def publish(provider: ProviderAPI, addresses: Mapping[str, str], arguments: Mapping[str, str]) -> str:
    """Verify the sources of the contracts at `addresses` (by attribute of `Deployment`); say what came of it.

    `arguments` are the constructors', in hex: ape-etherscan would look for them in a transaction that created
    the contract, and here that is a call of the CREATE2 factory.
    """
    try:
        from ape_etherscan.verify import SourceVerifier
    except ImportError:
        return (
            "sources are not verified at an explorer: install the plugin by `ape plugins install etherscan`, "
            "then run the same command again"
        )
    explorer: Any = provider.network.explorer
    if explorer is None:
        return f"no explorer is known for {provider.network.name}: sources are not verified"
    from ape.utils import ManagerAccessMixin as managers

    failed = []
    for attribute, name in _NAMES.items():
        address = addresses.get(attribute)
        if address is None:
            continue
        managers.chain_manager.contracts[address] = managers.local_project.contracts[name].contract_type
        verifier = SourceVerifier(address, explorer._client_factory, project=managers.local_project)
        vars(verifier)["constructor_arguments"] = arguments[attribute]
        try:
            verifier.attempt_verification()
        except Exception as error:  # any failure of theirs must not hide that everything is deployed
            failed.append(f"{name} ({error})")
    if failed:
        return f"not verified at the explorer: {'; '.join(failed)}; run the same command again"
    return "the sources are verified at the explorer"
