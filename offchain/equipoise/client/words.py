"""A call to one of the project's contracts in words: what a timelock holds, before it happens."""

from __future__ import annotations

from typing import Any

from equipoise.client.abi import to_checksum_address
from equipoise.client.contract import Contract
from equipoise.client.deployment import CONTRACTS, Deployment
from equipoise.errors import EquipoiseError
from equipoise.units import MAX_ASSETS

__all__ = ["describe_call", "known_contracts", "name_of"]

_GOVERNANCE = ("timelock", "governor", "votes", "account")


def known_contracts(deployment: Deployment) -> dict[str, tuple[str, Contract]]:
    """The deployment's contracts by address, each with its name here."""
    found = {getattr(deployment, name).address: (name, getattr(deployment, name)) for name in CONTRACTS}
    for name in _GOVERNANCE:
        contract = getattr(deployment, name, None)
        if contract is not None:
            found[contract.address] = name, contract
    return found


def name_of(deployment: Deployment, address: str) -> str:
    """A token's symbol, a contract's name here, or the address."""
    known = {token.address: s for s, token in zip(deployment.symbols, deployment.tokens, strict=True)}
    known |= {address: name for address, (name, _) in known_contracts(deployment).items()}
    return known.get(to_checksum_address(address), to_checksum_address(address))


def describe_call(deployment: Deployment, target: str, data: bytes) -> str:
    """``auction.setParams(targetVolatility 0.15 -> 0.1)``, or target and selector when nobody knows it."""
    found = known_contracts(deployment).get(to_checksum_address(target))
    if found is None:
        return f"{to_checksum_address(target)} 0x{data[:4].hex()}"
    name, contract = found
    function = contract.interface.by_selector(data[:4])
    if function is None:
        return f"{name} 0x{data[:4].hex()}"
    try:
        arguments = function.inputs.decode(data[4:])
    except EquipoiseError:
        return f"{name}.{function.name}(what cannot be read)"
    if function.name == "setParams" and contract.interface.has("params"):
        words = _changes(contract.call("params"), arguments[0])
    elif function.name == "setBudgets":
        words = _budgets(arguments[0])
    elif function.name == "setBasket" and len(arguments) == 2:
        words = f"{_word(deployment, arguments[0])}, {_budgets(arguments[1])}"
    else:
        words = ", ".join(_word(deployment, value) for value in arguments)
    return f"{name}.{function.name}({words})"


def _budgets(word: int) -> str:
    """Every used lane: a basket that is being changed may have more or fewer than the deployment knows."""
    lanes = [word >> (32 * i) & 0xFFFFFFFF for i in range(MAX_ASSETS)]
    return ", ".join(f"{lane / 1e6:g} %" for lane in lanes if lane)


def _changes(before: Any, after: Any) -> str:
    """Fields that differ, WADs as plain numbers."""
    changed = [
        f"{field.removesuffix('Wad')} {_plain(field, old)} -> {_plain(field, new)}"
        for field, old, new in zip(after._fields, before, after, strict=True)
        if old != new
    ]
    return ", ".join(changed) or "as it is"


def _plain(field: str, value: int) -> str:
    return f"{value / 1e18:g}" if field.endswith("Wad") else str(value)


def _word(deployment: Deployment, value: Any) -> str:
    if isinstance(value, bytes):
        return "0x" + value.hex() if len(value) <= 32 else f"{len(value)} bytes"
    if isinstance(value, list | tuple):
        return f"[{', '.join(_word(deployment, item) for item in value)}]"
    if isinstance(value, str) and value.startswith("0x") and len(value) == 42:
        return name_of(deployment, value)
    return str(value)
