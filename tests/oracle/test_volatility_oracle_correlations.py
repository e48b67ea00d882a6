"""Correlation reports, coordinates, the on-chain solver, budgets."""

from __future__ import annotations

import numpy as np
import pytest

from equipoise.oracle import CorrelationReport
from equipoise.solver.parity import solve_parity
from equipoise.units import pack_budgets, pack_correlations, pack_word8, unpack_word8

WAD = 10**18
C3 = np.array([[1.0, 0.5, -0.3], [0.5, 1.0, 0.1], [-0.3, 0.1, 1.0]])
SINGULAR = np.array([[1.0, 0.9, 0.9], [0.9, 1.0, -0.9], [0.9, -0.9, 1.0]])


def coordinates(C: np.ndarray, budgets: np.ndarray | None = None) -> int:
    return pack_word8(solve_parity(C, budgets).coordinates)


@pytest.fixture
def posted(committee):
    """A committee whose oracle has correlations and coordinates."""
    report = CorrelationReport.of(C3, committee.now)
    committee.post_correlations(report, committee.cosign(report), coordinates(report.correlation(3)))
    return committee


def test_postCorrelations__quorum_and_coordinates__stored(committee):
    """EQ-31, EQ-33, EQ-39: identical bytes of a quorum with verified coordinates are stored as they are."""
    report = CorrelationReport.of(C3, committee.now)
    word = coordinates(report.correlation(3))
    receipt = committee.post_correlations(report, committee.cosign(report), word)
    data = committee.oracle.call("riskData")
    assert tuple(data.correlations) == report.correlations
    assert (data.coordinates, data.correlationsAt, data.volatilitiesAt) == (word, report.observed_at, 0)
    assert committee.oracle.call("exposureData").coordinates == word
    event = committee.oracle.events(receipt, "CorrelationsPosted")[0]
    assert (tuple(event.correlations), event.observedAt, event.signatureCount) == (
        report.correlations,
        report.observed_at,
        3,
    )
    certificate = committee.oracle.events(receipt, "CoordinatesPosted")[0]
    assert certificate.coordinates == word
    assert certificate.certificateErrorWad <= committee.oracle.call("CERTIFICATE_TOLERANCE_WAD")


@pytest.mark.parametrize("n", [2, 5, 8])
def test_postCorrelations__without_coordinates__the_chain_solves(make_committee, n):
    """EQ-35: coordinates 0 ask the chain to solve, so that nobody's solver is needed."""
    committee = make_committee(n=n)
    C = 0.3 + 0.7 * np.eye(n)
    report = CorrelationReport.of(C, committee.now)
    committee.post_correlations(report, committee.cosign(report), 0)
    solved = unpack_word8(committee.oracle.call("riskData").coordinates, n)
    np.testing.assert_allclose(solved, solve_parity(report.correlation(n)).coordinates, rtol=1e-5)


def test_postCorrelations__signatures__checked_like_volatilities(committee, refused):
    """EQ-31: quorum, order, strangers, and other bytes than were signed."""
    now = committee.now
    report, other = CorrelationReport.of(C3, now), CorrelationReport.of(C3 * 0.9 + 0.1 * np.eye(3), now)
    word, (a, b, c) = coordinates(C3), committee.cosign(report)
    wrong = {
        "VolatilityOracle__QuorumNotReached": [a, b],
        "VolatilityOracle__SignersNotAscending": [b, a, c],
        "VolatilityOracle__NotSigner": [a, b, committee.cosign(other)[2]],
    }
    for name, signatures in wrong.items():
        refused(name, committee.oracle, lambda s=signatures: committee.post_correlations(report, s, word))
    refused(
        "VolatilityOracle__SignersNotAscending",
        committee.oracle,
        lambda: committee.post_correlations(report, [a, b, b], word),
    )


def test_postCorrelations__signatures_of_volatilities__are_none(committee, refused):
    """EQ-31: the two kinds of report have digests of different types."""
    report = CorrelationReport.of(C3, committee.now)
    signatures = [(v.r, v.vs) for v in committee.sign(0.5, 0.5, 0.5, at=report.observed_at)]
    refused(
        "VolatilityOracle__NotSigner",
        committee.oracle,
        lambda: committee.post_correlations(report, signatures, coordinates(C3)),
    )


def test_postCorrelations__times__checked(posted, refused):
    """EQ-26: future, too old, replayed; correlations and volatilities age apart."""
    now, word = posted.now, coordinates(C3)
    stored = posted.oracle.call("riskData").correlationsAt
    for at, name in [
        (now + 1000, "VolatilityOracle__ReportFromFuture"),
        (now - 4000, "VolatilityOracle__ReportTooOld"),
        (stored, "VolatilityOracle__ReportNotNewer"),
    ]:
        report = CorrelationReport.of(C3, at)
        signatures = posted.cosign(report)
        refused(name, posted.oracle, lambda r=report, s=signatures: posted.post_correlations(r, s, word))
    posted.post(posted.sign(0.5, 0.5, 0.5, at=stored))
    assert posted.oracle.call("exposureData").correlationsAt == stored


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ((1 << 48, 0), "VolatilityOracle__UnusedLanesNotZero"),
        ((0, 1), "VolatilityOracle__UnusedLanesNotZero"),
        ((0, 1 << 255), "VolatilityOracle__UnusedLanesNotZero"),
        (pack_correlations(SINGULAR), "VolatilityOracle__NotPositiveDefinite"),
        ((0x8000, 0), "VolatilityOracle__NotPositiveDefinite"),
        ((0x7FFF, 0), "VolatilityOracle__NotPositiveDefinite"),
    ],
)
def test_postCorrelations__no_correlation_matrix__refused(committee, refused, words, name):
    """EQ-32: garbage above the pairs and matrices that are not positive definite are refused."""
    report = CorrelationReport(committee.now, words)
    arguments = refused(
        name,
        committee.oracle,
        lambda: committee.post_correlations(report, committee.cosign(report), coordinates(C3)),
    )
    if name.endswith("Definite"):
        index, pivot, floor = arguments
        assert (floor, pivot < 10**12) == (WAD // 100, True)
        assert 1 <= index <= 2


def test_postCorrelations__eigenvalue_at_the_floor__refused_above_accepted(make_committee, refused):
    """EQ-32: the floor is on the smallest eigenvalue, 1 - |rho| for two assets."""
    committee = make_committee(n=2)
    for rho, accepted in [(0.9899, True), (0.9901, False), (-0.9899, True), (-0.9901, False)]:
        report = CorrelationReport.of([[1, rho], [rho, 1]], committee.now)
        word = coordinates(report.correlation(2))
        if accepted:
            committee.post_correlations(report, committee.cosign(report), word)
            committee.oracle.chain.request("evm_increaseTime", 5)
            committee.oracle.chain.request("evm_mine")
            continue
        refused(
            "VolatilityOracle__NotPositiveDefinite",
            committee.oracle,
            lambda r=report, w=word: committee.post_correlations(r, committee.cosign(r), w),
        )


def test_postCorrelations__coordinates_fail__refused(committee, refused):
    """EQ-33: wrong, zero, or overfull coordinates do not pass."""
    report = CorrelationReport.of(C3, committee.now)
    x = solve_parity(report.correlation(3)).coordinates
    signatures = committee.cosign(report)
    for word, name in [
        (pack_word8(x * 1.0001), "VolatilityOracle__CertificateFailed"),
        (pack_word8(x[::-1]), "VolatilityOracle__CertificateFailed"),
        (pack_word8(x) & ~(0xFFFFFFFF << 32), "VolatilityOracle__CoordinateZero"),
        (pack_word8(x) | 1 << 96, "VolatilityOracle__UnusedLanesNotZero"),
    ]:
        refused(name, committee.oracle, lambda w=word: committee.post_correlations(report, signatures, w))


def test_postCoordinates__before_correlations__refused(committee, refused):
    """EQ-34: there is nothing to verify them against."""
    oracle, anyone = committee.oracle, committee.stranger
    refused(
        "VolatilityOracle__NoCorrelations",
        oracle,
        lambda: oracle.send("postCoordinates", coordinates(C3), sender=anyone),
    )
    refused(
        "VolatilityOracle__NoCorrelations", oracle, lambda: oracle.send("solveCoordinates", sender=anyone)
    )


def test_postCoordinates__present_ones__replaced_by_better_only(committee, refused):
    """EQ-34: nobody moves the coordinates to and fro within the tolerance."""
    oracle, anyone = committee.oracle, committee.stranger
    report = CorrelationReport.of(C3, committee.now)
    x = solve_parity(report.correlation(3)).coordinates
    committee.post_correlations(report, committee.cosign(report), pack_word8(x + 3e-7))
    oracle.send("postCoordinates", pack_word8(x + 1e-7), sender=anyone)
    oracle.send("postCoordinates", pack_word8(x), sender=anyone)
    for worse in (pack_word8(x + 1e-7), pack_word8(x)):
        error, current = refused(
            "VolatilityOracle__CoordinatesNotBetter",
            oracle,
            lambda w=worse: oracle.send("postCoordinates", w, sender=anyone),
        )
        assert error >= current
    refused(
        "VolatilityOracle__CoordinateZero", oracle, lambda: oracle.send("postCoordinates", 0, sender=anyone)
    )
    refused(
        "VolatilityOracle__CertificateFailed",
        oracle,
        lambda: oracle.send("postCoordinates", pack_word8(x + 1e-4), sender=anyone),
    )


def test_setBudgets__owner__clears_coordinates_until_anybody_brings_new_ones(posted, refused):
    """EQ-36: coordinates for other budgets are none; anyone posts or the chain solves for new ones."""
    oracle, anyone = posted.oracle, posted.stranger
    budgets = np.array([0.5, 0.3, 0.2])
    receipt = oracle.send("setBudgets", pack_budgets(budgets), sender=posted.owner)
    assert oracle.events(receipt, "BudgetsSet")[0].budgets == pack_budgets(budgets)
    assert len(oracle.events(receipt, "CoordinatesCleared")) == 1
    assert oracle.call("exposureData").coordinates == 0
    C = CorrelationReport.of(C3, 1).correlation(3)
    refused(
        "VolatilityOracle__CertificateFailed",
        oracle,
        lambda: oracle.send("postCoordinates", coordinates(C), sender=anyone),
    )
    oracle.send("postCoordinates", coordinates(C, budgets), sender=anyone)
    assert oracle.call("riskData").coordinates == coordinates(C, budgets)


def test_solveCoordinates__anybody__restores_them(posted):
    """EQ-35: the vault never depends on anybody's solver."""
    oracle, budgets = posted.oracle, np.array([0.7, 0.29, 0.01])
    oracle.send("setBudgets", pack_budgets(budgets), sender=posted.owner)
    receipt = oracle.send("solveCoordinates", sender=posted.stranger)
    assert oracle.events(receipt, "CoordinatesPosted")[0].certificateErrorWad <= 10**12
    expected = solve_parity(CorrelationReport.of(C3, 1).correlation(3), budgets).coordinates
    np.testing.assert_allclose(unpack_word8(oracle.call("riskData").coordinates, 3), expected, rtol=1e-5)


@pytest.mark.parametrize("budgets", [[0.5, 0.5], [0.25] * 4], ids=["a lane short", "a lane more"])
def test_setBudgets__of_another_basket__refused(committee, refused, budgets):
    """EQ-21: budgets have as many lanes as the basket has assets."""
    with pytest.raises(Exception, match=r"BudgetOutOfRange|UnusedLanesNotZero"):
        committee.oracle.send("setBudgets", pack_budgets(budgets), sender=committee.owner)


def test_gas__eight_assets_three_of_five__within_the_targets(make_committee, world):
    """EQ-8: steady state: volatility report at most 82,000 gas, correlation report at most 220,000."""
    committee = make_committee(n=8)
    C = 0.4 + 0.6 * np.eye(8)
    rng = np.random.default_rng(0)
    for scale in (1.0, 0.99, 0.98):
        world.warp(600)
        now = committee.now
        volatilities = committee.post(committee.sign(*(rng.uniform(0.3, 1.2, 8) for _ in range(3)), at=now))
        report = CorrelationReport.of(C * scale + (1 - scale) * np.eye(8), now)
        word = coordinates(report.correlation(8))
        correlations = committee.post_correlations(report, committee.cosign(report), word)
    print(f"\nvolatility report {volatilities.gas_used}, correlation report {correlations.gas_used}")
    assert volatilities.gas_used <= 82_000
    assert correlations.gas_used <= 220_000
