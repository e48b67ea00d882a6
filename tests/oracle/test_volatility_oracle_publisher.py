"""The relayer: it drops what the oracle would refuse and cannot change anything."""

from __future__ import annotations

import numpy as np
import pytest

from equipoise.errors import OracleError
from equipoise.oracle import Signer

C3 = np.array([[1.0, 0.5, -0.3], [0.5, 1.0, 0.1], [-0.3, 0.1, 1.0]])


def test_publisher__day_of_a_committee__accepted(committee):
    """EQ-23, EQ-31: what Python signs, aggregates and publishes, the chain accepts."""
    publisher, now = committee.publisher, committee.now
    stranger = Signer(b"\x42" * 32, committee.domain)
    reports = committee.sign(0.5, 0.6, 0.7, 0.8, at=now)[::-1]
    publisher.post_volatilities([stranger.sign_volatilities([9.0] * 3, now), *reports])
    assert committee.vols() == [70_000_000] * 3

    report = committee.signers[0].propose_correlations(C3, now)
    signatures = [s.cosign_correlations(report, C3) for s in committee.signers[::-1]]
    publisher.post_correlations(report, signatures)
    data = committee.oracle.call("riskData")
    assert tuple(data.correlations) == report.correlations
    assert data.coordinates == publisher.coordinates(report)


def test_publisher__solve_on_chain__accepted(committee):
    """EQ-35: a relayer without a solver asks the chain."""
    report = committee.signers[0].propose_correlations(C3, committee.now)
    signatures = [s.cosign_correlations(report, C3) for s in committee.signers]
    committee.publisher.post_correlations(report, signatures, coordinates=0)
    assert committee.oracle.call("riskData").coordinates != 0


def test_publisher__below_the_quorum_or_replayed__nothing_is_sent(committee):
    publisher = committee.publisher
    with pytest.raises(OracleError, match="3 are needed"):
        publisher.post_volatilities(committee.sign(0.5, 0.5))
    reports = committee.sign(0.5, 0.5, 0.5)
    publisher.post_volatilities(reports)
    block = committee.oracle.chain.request("eth_blockNumber")
    with pytest.raises(OracleError, match="not newer"):
        publisher.post_volatilities(reports)
    assert committee.oracle.chain.request("eth_blockNumber") == block
