"""What signers sign: reports whose words are packed exactly as the chain reads them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from equipoise.errors import InputError, OracleError
from equipoise.types import FloatArray
from equipoise.units import pack_correlations, pack_word8, unpack_correlations, unpack_word8

__all__ = [
    "MAX_VOLATILITY",
    "MIN_VOLATILITY",
    "CorrelationReport",
    "SignedVolatilities",
    "VolatilityReport",
]

MIN_VOLATILITY, MAX_VOLATILITY = 0.001, 40.0
"""Bounds of a volatility per sqrt(year), as `VolatilityOracle` has them (a test compares)."""

_TIME_LIMIT = 2**64


def _check_time(observed_at: int) -> None:
    if not 0 < observed_at < _TIME_LIMIT:
        raise OracleError(f"observed_at is {observed_at}; give unix seconds in (0, 2**64)")


@dataclass(frozen=True)
class VolatilityReport:
    """One signer's volatilities: `observed_at` in unix seconds, `vols` a WORD8 (scale 1e-8)."""

    observed_at: int
    vols: int

    def __post_init__(self) -> None:
        _check_time(self.observed_at)

    @classmethod
    def of(cls, vol_ann: ArrayLike, observed_at: int) -> VolatilityReport:
        """Pack volatilities, shape (n,), per sqrt(year). Raises OracleError outside the chain's bounds."""
        vol = np.asarray(vol_ann, dtype=float)
        outside = ~((vol >= MIN_VOLATILITY) & (vol <= MAX_VOLATILITY))
        if outside.any():
            i = int(outside.argmax())
            raise OracleError(
                f"volatility {vol.flat[i]:g} of asset {i} is outside [{MIN_VOLATILITY}, {MAX_VOLATILITY}]; "
                "check its prices"
            )
        try:
            return cls(observed_at, pack_word8(vol))
        except InputError as error:
            raise OracleError(str(error)) from error

    def vol_ann(self, n: int) -> FloatArray:
        """Shape (n,). Raises InputError on garbage in unused lanes or zeros in used ones."""
        return unpack_word8(self.vols, n)


@dataclass(frozen=True)
class CorrelationReport:
    """The matrix that a quorum signs: `observed_at` in unix seconds, `correlations` two words (1/32767)."""

    observed_at: int
    correlations: tuple[int, int]

    def __post_init__(self) -> None:
        _check_time(self.observed_at)

    @classmethod
    def of(cls, correlation: ArrayLike, observed_at: int) -> CorrelationReport:
        """Pack a matrix, shape (n, n). Raises OracleError when it is no correlation matrix."""
        try:
            return cls(observed_at, pack_correlations(correlation))
        except InputError as error:
            raise OracleError(str(error)) from error

    def correlation(self, n: int) -> FloatArray:
        """Shape (n, n), as the chain will read it. Raises InputError on garbage in unused lanes."""
        return unpack_correlations(self.correlations, n)


@dataclass(frozen=True)
class SignedVolatilities:
    """A volatility report with its EIP-2098 signature; attributes named as the contract's struct."""

    report: VolatilityReport
    r: bytes
    vs: bytes

    def to_struct(self) -> tuple[int, int, bytes, bytes]:
        """In the order of `IVolatilityOracle.SignedVolatilities`."""
        return self.report.observed_at, self.report.vols, self.r, self.vs


Signature = tuple[bytes, bytes]
"""EIP-2098: (r, vs), 32 bytes each."""
