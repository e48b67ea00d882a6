"""Collects signed reports into what the oracle takes: a quorum, one a signer, ascending, none malformed."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import TypeVar

from eth_keys import keys
from eth_keys.exceptions import BadSignature, ValidationError
from eth_utils import to_checksum_address

from equipoise.errors import InputError, OracleError
from equipoise.oracle.payload import (
    MAX_VOLATILITY,
    MIN_VOLATILITY,
    CorrelationReport,
    Signature,
    SignedVolatilities,
)
from equipoise.oracle.typed_data import Domain

__all__ = ["Quorum", "aggregate_correlations", "aggregate_volatilities", "recover"]

T = TypeVar("T")

_HALF_ORDER = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0


@dataclass(frozen=True)
class Quorum:
    """Who may sign, and how many must: as the oracle has them."""

    signers: frozenset[str]
    threshold: int

    @classmethod
    def of(cls, signers: Collection[str], threshold: int) -> Quorum:
        """Raises InputError unless threshold is a majority of the signers."""
        if not len(signers) / 2 < threshold <= len(signers):
            raise InputError(
                f"threshold {threshold} of {len(signers)}; it must be more than half and at most all"
            )
        return cls(frozenset(map(to_checksum_address, signers)), threshold)


def recover(digest: bytes, signature: Signature) -> str | None:
    """Checksummed address that made an EIP-2098 signature, None where there is none (or s is high)."""
    r, vs = signature
    if len(r) != 32 or len(vs) != 32:
        return None
    word = int.from_bytes(vs, "big")
    s = word & (2**255 - 1)
    if s > _HALF_ORDER:
        return None
    try:
        made = keys.Signature(vrs=(word >> 255, int.from_bytes(r, "big"), s))
        return str(made.recover_public_key_from_msg_hash(digest).to_checksum_address())
    except (BadSignature, ValidationError):
        return None


def aggregate_volatilities(
    reports: Iterable[SignedVolatilities],
    domain: Domain,
    quorum: Quorum,
    now: int,
    max_age: int,
    newer_than: int = 0,
) -> list[SignedVolatilities]:
    """Usable reports of one time, the newest that a quorum reported for, ascending by address.

    Parameters
    ----------
    now, max_age, newer_than
        Unix seconds: a report is dropped when it is from after `now`, older than `max_age`, or observed no
        later than `newer_than`, the oracle's stored observation.

    Raises OracleError, naming the reasons, when fewer than the threshold are left.
    """
    by_time: dict[int, dict[str, SignedVolatilities]] = {}
    dropped: list[str] = []
    for signed in reports:
        signer, flaw = _judge(signed, domain, quorum, now, max_age, newer_than)
        if flaw:
            dropped.append(flaw)
        else:
            by_time.setdefault(signed.report.observed_at, {}).setdefault(signer, signed)
    at = max(by_time, key=lambda at: (min(len(by_time[at]), quorum.threshold), at), default=0)
    dropped += [f"report of {s} is of {t}, not of {at}" for t in by_time if t != at for s in by_time[t]]
    return _ascending(by_time.get(at, {}), quorum, dropped)


def aggregate_correlations(
    report: CorrelationReport, signatures: Iterable[Signature], domain: Domain, quorum: Quorum
) -> list[Signature]:
    """Valid signatures of `report`, one a signer, ascending by address.

    Raises OracleError below the quorum.
    """
    digest = domain.digest(report)
    valid: dict[str, Signature] = {}
    dropped: list[str] = []
    for signature in signatures:
        signer = recover(digest, signature)
        if signer is None or signer not in quorum.signers:
            dropped.append(f"signature of {signer}, who is no signer")
        else:
            valid[signer] = signature
    return _ascending(valid, quorum, dropped)


def _judge(
    signed: SignedVolatilities, domain: Domain, quorum: Quorum, now: int, max_age: int, newer_than: int
) -> tuple[str, str]:
    """The signer and what is wrong with its report, "" for nothing."""
    report = signed.report
    signer = recover(domain.digest(report), (signed.r, signed.vs))
    if signer is None or signer not in quorum.signers:
        return "", f"signature of {signer}, who is no signer"
    if report.observed_at > now:
        return signer, f"report of {signer} is from the future ({report.observed_at} > {now})"
    if report.observed_at < now - max_age:
        return signer, f"report of {signer} is older than {max_age} s"
    if report.observed_at <= newer_than:
        return signer, f"report of {signer} is not newer than {newer_than}"
    try:
        vol = report.vol_ann(domain.n)
    except InputError as error:
        return signer, f"report of {signer} is malformed: {error}"
    if vol.min() < MIN_VOLATILITY or vol.max() > MAX_VOLATILITY:
        return signer, f"report of {signer} is outside [{MIN_VOLATILITY}, {MAX_VOLATILITY}]"
    return signer, ""


def _ascending(by_signer: dict[str, T], quorum: Quorum, dropped: list[str]) -> list[T]:
    if len(by_signer) < quorum.threshold:
        reasons = "; ".join(dropped) or "nobody else reported"
        raise OracleError(f"{len(by_signer)} usable reports, {quorum.threshold} are needed: {reasons}")
    return [by_signer[signer] for signer in sorted(by_signer, key=str.lower)]
