"""One signer: its own key, its own estimator. The only place where a key is held."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from equipoise.errors import InputError, OracleError
from equipoise.estimation.ewma import Estimate, EstimationConfig, estimate
from equipoise.oracle.keys import LocalKey, SigningKey
from equipoise.oracle.payload import CorrelationReport, Signature, SignedVolatilities, VolatilityReport
from equipoise.oracle.typed_data import Domain, Report

__all__ = ["Signer"]


class Signer:
    """Signs what it believes itself, and nothing else.

    Parameters
    ----------
    key
        A signing key; or a private key itself, 32 bytes or their hex.
    domain
        The oracle that it reports to.
    config
        Its own way to estimate.
    tolerance
        Largest |difference| of a correlation from its own estimate that it co-signs, in (0, 2].

    Raises InputError for a key or tolerance outside its range; the key is never repeated in a message.
    """

    def __init__(
        self,
        key: SigningKey | bytes | str,
        domain: Domain,
        config: EstimationConfig | None = None,
        tolerance: float = 0.1,
    ) -> None:
        self.key: SigningKey = key if hasattr(key, "sign") else LocalKey(key)  # type: ignore[assignment]
        if not 0 < tolerance <= 2:
            raise InputError(f"tolerance is {tolerance}; it must be in (0, 2]")
        self.domain = domain
        self.config = config or EstimationConfig()
        self.tolerance = tolerance

    @property
    def address(self) -> str:
        return self.key.address

    def __repr__(self) -> str:
        return f"<Signer {self.address}>"

    def estimate(self, prices: pd.DataFrame) -> Estimate:
        """This signer's estimate from closes, shape (T, n), columns in the basket's order."""
        if prices.shape[1] != self.domain.n:
            raise OracleError(f"prices have {prices.shape[1]} columns; the basket has {self.domain.n} assets")
        return estimate(prices, self.config)

    def volatility_report(self, vol_ann: ArrayLike, observed_at: int) -> VolatilityReport:
        """This signer's own volatilities, shape (n,), per sqrt(year), as of `observed_at` {s}, unsigned.

        Raises OracleError outside the chain's bounds or for another number of assets.
        """
        vol = np.asarray(vol_ann, dtype=float)
        if vol.shape != (self.domain.n,):
            raise OracleError(f"volatilities have shape {vol.shape}; the basket has {self.domain.n} assets")
        return VolatilityReport.of(vol, observed_at)

    def sign_volatilities(self, vol_ann: ArrayLike, observed_at: int) -> SignedVolatilities:
        """The same, signed."""
        report = self.volatility_report(vol_ann, observed_at)
        return SignedVolatilities(report, *self._sign(report))

    def propose_correlations(self, correlation: ArrayLike, observed_at: int) -> CorrelationReport:
        """This signer's own matrix, shape (n, n), for the others to co-sign. Raises OracleError."""
        self._check_matrix(np.shape(correlation))
        return CorrelationReport.of(correlation, observed_at)

    def cosign_correlations(self, report: CorrelationReport, own_correlation: ArrayLike) -> Signature:
        """Sign a proposal that differs from `own_correlation`, shape (n, n), by at most the tolerance.

        Raises OracleError naming the pair that differs most, InputError on a malformed report.
        """
        self.check_correlations(report, own_correlation)
        return self._sign(report)

    def check_correlations(self, report: CorrelationReport, own_correlation: ArrayLike) -> None:
        """Raises what `cosign_correlations` raises, and signs nothing."""
        self._check_matrix(np.shape(own_correlation))
        difference = np.abs(report.correlation(self.domain.n) - np.asarray(own_correlation, dtype=float))
        if not difference.max() <= self.tolerance:
            i, j = np.unravel_index(int(difference.argmax()), difference.shape)
            raise OracleError(
                f"correlation of assets {i} and {j} differs from this signer's by {difference[i, j]:.4f}; "
                f"it co-signs up to {self.tolerance}"
            )

    def _check_matrix(self, shape: tuple[int, ...]) -> None:
        n = self.domain.n
        if shape != (n, n):
            raise OracleError(f"correlation has shape {shape}; the basket asks for {(n, n)}")

    def _sign(self, report: Report) -> Signature:
        return self.key.sign(self.domain.digest(report))
