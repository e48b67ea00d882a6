"""What the publisher asks of the oracle, and what it hands over: a stand-in answers for the chain."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from equipoise.errors import InputError, OracleError
from equipoise.oracle import Domain, Signer
from equipoise.oracle.aggregator import aggregate_correlations, aggregate_volatilities
from equipoise.oracle.publisher import Publisher
from equipoise.solver import solve_parity
from equipoise.units import pack_budgets, pack_word8

NOW = 1_700_000_000
C = np.array([[1.0, 0.5, -0.3], [0.5, 1.0, 0.1], [-0.3, 0.1, 1.0]])
BUDGETS = [0.5, 0.3, 0.2]


class Oracle:
    """Answers of a VolatilityOracle whose last volatilities are a minute old; keeps what it is sent."""

    def __init__(self, domain: Domain, signers: list[Signer]) -> None:
        self.address = domain.oracle
        self.chain = SimpleNamespace(chain_id=domain.chain_id, timestamp=lambda: NOW)
        self.answers: dict[str, Any] = {
            "assets": list(domain.assets),
            "signers": [signer.address for signer in signers],
            "threshold": 3,
            "lastPost": SimpleNamespace(observedAt=NOW - 60),
            "params": SimpleNamespace(maxReportAge=3600),
            "budgets": pack_budgets(BUDGETS),
        }
        self.sent: list[tuple[Any, ...]] = []

    def call(self, function: str) -> Any:
        return self.answers[function]

    def send(self, function: str, *args: Any, sender: str, gas: int | None = None) -> str:
        self.sent.append((function, args, sender, gas))
        return "receipt"


@pytest.fixture
def oracle(domain: Domain, signers: list[Signer]) -> Oracle:
    return Oracle(domain, signers)


@pytest.fixture
def publisher(oracle: Oracle) -> Publisher:
    return Publisher(oracle, "0xkeeper")  # type: ignore[arg-type]


def reports(signers: list[Signer], at: int = NOW) -> list[Any]:
    return [signer.sign_volatilities([0.5, 0.6, 0.7], at) for signer in signers]


def test_publisher__domain_and_quorum__those_of_the_oracle(publisher, domain, quorum, oracle) -> None:
    assert publisher.domain == domain
    assert publisher.quorum() == quorum
    oracle.answers["threshold"] = 2
    with pytest.raises(InputError, match="threshold 2 of 5"):
        publisher.quorum()


def test_post_volatilities__reports__sent_by_the_sender_with_its_gas(
    publisher, oracle, signers, domain, quorum
) -> None:
    signed = reports(signers)
    chosen = aggregate_volatilities(signed, domain, quorum, NOW, 3600)
    assert publisher.post_volatilities(signed) == "receipt"
    assert publisher.post_volatilities(signed, gas=123) == "receipt"
    structs = [one.to_struct() for one in chosen]
    assert oracle.sent == [("postVolatilities", (structs,), "0xkeeper", gas) for gas in (None, 123)]


def test_post_volatilities__time_of_the_caller__instead_of_the_chain_s(publisher, signers, oracle) -> None:
    ahead = reports(signers, NOW + 5)
    with pytest.raises(OracleError, match="future"):
        publisher.post_volatilities(ahead)
    publisher.post_volatilities(ahead, now=NOW + 5)
    assert len(oracle.sent) == 1
    with pytest.raises(OracleError, match=r"from the future .* > 0\)"):
        publisher.volatility_call(ahead, now=0)


def test_volatility_call__age__the_oracle_s_limit(publisher, signers, oracle) -> None:
    oracle.answers["params"].maxReportAge = 10
    publisher.volatility_call(reports(signers, NOW - 10))
    with pytest.raises(OracleError, match="older than 10 s"):
        publisher.volatility_call(reports(signers, NOW - 11))


def test_volatility_call__last_post__must_be_older(publisher, signers) -> None:
    publisher.volatility_call(reports(signers, NOW - 59))
    with pytest.raises(OracleError, match=f"not newer than {NOW - 60}"):
        publisher.volatility_call(reports(signers, NOW - 60))


def test_volatility_call__of_an_open_round__its_time_alone_however_old(publisher, signers) -> None:
    """EQ-149: a correction is of the round's time; the maximum age is not asked."""
    at = NOW - 100_000
    mixed = [*reports(signers[:1]), *reports(signers[1:], at), *reports(signers[:2], at - 1)]
    (structs,) = publisher.volatility_call(mixed, round_at=at)
    assert [struct[0] for struct in structs] == [at] * 4
    (structs,) = publisher.volatility_call(reports(signers, NOW - 60), round_at=NOW - 60)
    assert len(structs) == 5
    with pytest.raises(OracleError, match="2 usable reports, 3 are needed"):
        publisher.volatility_call(mixed, round_at=at - 1)


def test_post_correlations__no_coordinates__solved_for_the_oracle_s_budgets(
    publisher, oracle, signers, domain, quorum
) -> None:
    report = signers[0].propose_correlations(C, NOW)
    signatures = [signer.cosign_correlations(report, C) for signer in signers[:3]]
    chosen = aggregate_correlations(report, signatures, domain, quorum)
    assert publisher.post_correlations(report, signatures) == "receipt"
    publisher.post_correlations(report, signatures, coordinates=0, gas=9)
    expected = pack_word8(solve_parity(report.correlation(3), BUDGETS).coordinates)
    matrix = (NOW, report.correlations)
    assert oracle.sent == [
        ("postCorrelations", (matrix, chosen, expected), "0xkeeper", None),
        ("postCorrelations", (matrix, chosen, 0), "0xkeeper", 9),
    ]
    with pytest.raises(OracleError, match="2 usable"):
        publisher.post_correlations(report, signatures[:2])
