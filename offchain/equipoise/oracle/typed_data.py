"""EIP-712 messages of the reports, and their digests without a detour through JSON.

A digest binds chain, oracle and assets: a report for others recovers to an address that is no signer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from eth_abi import encode
from eth_utils import is_address, keccak, to_checksum_address

from equipoise.errors import InputError
from equipoise.oracle.payload import CorrelationReport, VolatilityReport
from equipoise.units import MAX_ASSETS, MIN_ASSETS

__all__ = ["DOMAIN_NAME", "DOMAIN_VERSION", "Domain", "Report", "assets_hash"]

DOMAIN_NAME = "Equipoise VolatilityOracle"
DOMAIN_VERSION = "1"

Report = VolatilityReport | CorrelationReport

_FIELDS: dict[type, list[tuple[str, str]]] = {
    VolatilityReport: [("assetsHash", "bytes32"), ("observedAt", "uint64"), ("vols", "uint256")],
    CorrelationReport: [("assetsHash", "bytes32"), ("observedAt", "uint64"), ("correlations", "uint256[2]")],
}
_DOMAIN_FIELDS = [
    ("name", "string"),
    ("version", "string"),
    ("chainId", "uint256"),
    ("verifyingContract", "address"),
]


def _type_hash(name: str, fields: Sequence[tuple[str, str]]) -> bytes:
    return keccak(text=f"{name}({','.join(f'{kind} {field}' for field, kind in fields)})")


_TYPE_HASHES = {kind: _type_hash(kind.__name__, fields) for kind, fields in _FIELDS.items()}


def assets_hash(assets: Sequence[str]) -> bytes:
    """keccak256(abi.encode(address[])) of the basket in its order, 32 bytes. Raises InputError."""
    if not MIN_ASSETS <= len(assets) <= MAX_ASSETS:
        raise InputError(f"{len(assets)} assets given; a basket has {MIN_ASSETS} to {MAX_ASSETS}")
    for asset in assets:
        if not is_address(asset):
            raise InputError(f"asset {asset!r} is not an address; give 20 bytes in hex")
    return keccak(encode(["address[]"], [list(assets)]))


@dataclass(frozen=True)
class Domain:
    """Where a signature is valid.

    Attributes
    ----------
    chain_id
        Of the chain on which the oracle lives.
    oracle
        Address of the VolatilityOracle.
    assets
        The basket's token addresses in the oracle's order, 2 to 8.
    """

    chain_id: int
    oracle: str
    assets: tuple[str, ...]

    def __post_init__(self) -> None:
        if not is_address(self.oracle):
            raise InputError(f"oracle {self.oracle!r} is not an address; give 20 bytes in hex")
        object.__setattr__(self, "oracle", to_checksum_address(self.oracle))
        assets_hash(self.assets)

    @property
    def n(self) -> int:
        return len(self.assets)

    @cached_property
    def assets_hash(self) -> bytes:
        return assets_hash(self.assets)

    @cached_property
    def separator(self) -> bytes:
        """EIP-712 domain separator, 32 bytes."""
        values = [
            _type_hash("EIP712Domain", _DOMAIN_FIELDS),
            keccak(text=DOMAIN_NAME),
            keccak(text=DOMAIN_VERSION),
        ]
        types = ["bytes32", "bytes32", "bytes32", "uint256", "address"]
        return keccak(encode(types, [*values, self.chain_id, self.oracle]))

    def digest(self, report: Report) -> bytes:
        """The 32 bytes that are signed."""
        head = _TYPE_HASHES[type(report)] + self.assets_hash + report.observed_at.to_bytes(32, "big")
        if isinstance(report, VolatilityReport):
            last = report.vols.to_bytes(32, "big")
        else:
            last = keccak(b"".join(word.to_bytes(32, "big") for word in report.correlations))
        return keccak(b"\x19\x01" + self.separator + keccak(head + last))

    def typed_data(self, report: Report) -> dict[str, Any]:
        """The message as `eth_signTypedData_v4` takes it, for wallets and remote signers."""
        kind = type(report)
        message: dict[str, Any] = {"assetsHash": self.assets_hash, "observedAt": report.observed_at}
        if isinstance(report, VolatilityReport):
            message["vols"] = report.vols
        else:
            message["correlations"] = list(report.correlations)
        return {
            "types": {
                "EIP712Domain": [{"name": name, "type": t} for name, t in _DOMAIN_FIELDS],
                kind.__name__: [{"name": name, "type": t} for name, t in _FIELDS[kind]],
            },
            "primaryType": kind.__name__,
            "domain": {
                "name": DOMAIN_NAME,
                "version": DOMAIN_VERSION,
                "chainId": self.chain_id,
                "verifyingContract": self.oracle,
            },
            "message": message,
        }
