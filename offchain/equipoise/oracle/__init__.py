"""From estimates to signed reports to the chain: payloads, EIP-712, signers, aggregation, publishing."""

from equipoise.oracle.aggregator import aggregate_correlations, aggregate_volatilities
from equipoise.oracle.payload import CorrelationReport, SignedVolatilities, VolatilityReport
from equipoise.oracle.publisher import Publisher
from equipoise.oracle.signer import Signer
from equipoise.oracle.typed_data import Domain

__all__ = [
    "CorrelationReport",
    "Domain",
    "Publisher",
    "SignedVolatilities",
    "Signer",
    "VolatilityReport",
    "aggregate_correlations",
    "aggregate_volatilities",
]
