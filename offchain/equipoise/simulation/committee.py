"""The signers of a replay: each with its own key, its own price source and its own estimates."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import pandas as pd
from eth_keys import keys
from eth_utils import keccak

from equipoise.client import Receipt
from equipoise.client.deployment import Deployment
from equipoise.errors import EquipoiseError, InputError
from equipoise.estimation.ewma import EstimatePath, EstimationConfig, estimate_path
from equipoise.oracle import Publisher, Signer
from equipoise.types import FloatArray

__all__ = ["Committee"]

VENUE_NOISE = 0.0005
"""Standard deviation of a signer's closes around the table's, as between trading venues."""


class Committee:
    """N signers and the relay of what they sign.

    Parameters
    ----------
    closes
        Shape (T, n), NaN where a market was closed.
    size
        Number of signers.
    seed
        For their keys and their venues' noise.
    config
        How each of them estimates.

    Raises EstimationError when even the last day has too few closes.
    """

    def __init__(self, closes: pd.DataFrame, size: int, seed: int, config: EstimationConfig) -> None:
        if size < 1:
            raise InputError(f"{size} signers; at least 1 is needed")
        rng = np.random.default_rng(seed)
        self._keys = [keccak(text=f"equipoise replay signer {seed} {i}") for i in range(size)]
        self._paths: list[EstimatePath] = [
            estimate_path(closes * np.exp(VENUE_NOISE * rng.standard_normal(closes.shape)), config)
            for _ in range(size)
        ]
        self._first_ready = max(path.first_ready for path in self._paths)
        self._signers: list[Signer] = []

    @cached_property
    def addresses(self) -> tuple[str, ...]:
        return tuple(keys.PrivateKey(key).public_key.to_checksum_address() for key in self._keys)

    @cached_property
    def covariances(self) -> FloatArray:
        """Shape (T, n, n): median volatilities and the proposer's correlations, NaN before `ready`."""
        vol = np.median([path.vol_ann for path in self._paths], axis=0)
        covariance = self._paths[0].correlation * vol[:, :, None] * vol[:, None, :]
        covariance[: self._first_ready] = np.nan
        return covariance

    def ready(self, day: int) -> bool:
        """Whether every signer has enough closes of its own by that day."""
        return day >= self._first_ready

    def bind(self, deployment: Deployment, relayer: str) -> None:
        """Point the signers at a deployed oracle; `relayer` pays for the reports."""
        self._publisher = Publisher(deployment.volatility_oracle, relayer)
        self._signers = [Signer(key, self._publisher.domain) for key in self._keys]

    def post_volatilities(self, day: int, observed_at: int) -> Receipt:
        """Every signer signs its own estimate from closes up to `day`; the oracle takes the median."""
        reports = [
            signer.sign_volatilities(path.vol_ann[day], observed_at)
            for signer, path in zip(self._signers, self._paths, strict=True)
        ]
        return self._publisher.post_volatilities(reports)

    def post_correlations(self, day: int, observed_at: int) -> Receipt:
        """The first signer proposes its matrix; those whose own is close enough co-sign it."""
        report = self._signers[0].propose_correlations(self._paths[0].correlation[day], observed_at)
        signatures = []
        for signer, path in zip(self._signers, self._paths, strict=True):
            try:
                signatures.append(signer.cosign_correlations(report, path.correlation[day]))
            except EquipoiseError:
                continue  # it disagrees; the quorum decides
        return self._publisher.post_correlations(report, signatures)
