"""Names for revert data: custom errors of every compiled contract, Error(string), Panic(uint256)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from eth_utils import keccak

from equipoise.client.abi import Codec, signature_of
from equipoise.client.artifacts import compiled_abis
from equipoise.errors import ContractRevert, InputError

__all__ = ["decode_revert"]

_BUILTIN = (
    {"type": "error", "name": "Error", "inputs": [{"name": "message", "type": "string"}]},
    {"type": "error", "name": "Panic", "inputs": [{"name": "code", "type": "uint256"}]},
)
# reverts of Solady's libraries come from assembly, so no ABI carries them
_SOLADY = (
    "ExpOverflow LnWadUndefined MulWadFailed SMulWadFailed DivWadFailed SDivWadFailed MulDivFailed DivFailed "
    "FullMulDivFailed RPowOverflow MantissaOverflow OutOfDomain FactorialOverflow"
)


def _table(entries: Sequence[Mapping[str, Any]]) -> dict[bytes, Codec]:
    return {keccak(text=signature_of(e))[:4]: Codec(e["inputs"], e["name"]) for e in entries}


@lru_cache(maxsize=1)
def _known() -> dict[bytes, Codec]:
    ours = {signature_of(e): e for abi in compiled_abis().values() for e in abi if e["type"] == "error"}
    solady = [{"name": name, "inputs": []} for name in _SOLADY.split()]
    return _table([*solady, *ours.values(), *_BUILTIN])


def decode_revert(
    data: bytes, contract: str = "", errors: Sequence[Mapping[str, Any]] = (), message: str = ""
) -> ContractRevert:
    """Name revert data.

    Parameters
    ----------
    data
        What the call returned: four bytes of selector and the arguments, or nothing.
    contract
        Name of the contract that was called.
    errors
        Errors of its own ABI, for a contract that is not the project's.
    message
        The node's words, used when there are no data.

    Returns
    -------
    ContractRevert
        `name` is the custom error's, ``Error`` (argument: the message) or ``Panic`` (argument: the code);
        ``NoReason`` when there are no data, ``UnknownError`` (argument: the data in hex) when none fits.
    """
    selector = data[:4]
    codec = _known().get(selector) or _table(errors).get(selector)
    if codec is not None:
        try:
            return ContractRevert(codec.name, tuple(codec.decode(data[4:])), contract)
        except InputError:
            pass
    if data:
        return ContractRevert("UnknownError", ("0x" + data.hex(),), contract)
    return ContractRevert("NoReason", (message,) if message else (), contract)
