"""Edges of what the aggregator lets pass, and what it says of what it drops."""

from __future__ import annotations

import pytest

from equipoise.errors import InputError, OracleError
from equipoise.oracle import Domain, Signer, VolatilityReport, aggregate_correlations, aggregate_volatilities
from equipoise.oracle.aggregator import _HALF_ORDER, Quorum, recover
from equipoise.oracle.payload import MAX_VOLATILITY, MIN_VOLATILITY, CorrelationReport, SignedVolatilities
from equipoise.units import pack_word8

NOW = 1_700_000_000


def signed(signer: Signer, report: VolatilityReport) -> SignedVolatilities:
    """Whatever the report says, as a dishonest signer would."""
    return SignedVolatilities(report, *signer._sign(report))


def test_quorum__all_or_just_more_than_half__accepted_and_half_refused(signers) -> None:
    addresses = [signer.address for signer in signers]
    assert Quorum.of([address.lower() for address in addresses], 5).signers == frozenset(addresses)
    assert Quorum.of(addresses[:4], 3).threshold == 3
    with pytest.raises(InputError, match="threshold 2 of 4"):
        Quorum.of(addresses[:4], 2)


def test_recover__either_part_of_another_length__nobody(signers, domain) -> None:
    report = VolatilityReport(NOW, 1)
    digest, (r, vs) = domain.digest(report), signers[0]._sign(report)
    assert recover(digest, (r, vs)) == signers[0].address
    assert recover(digest, (b"\0" + r, vs)) is None
    assert recover(digest, (r, b"\0" + vs)) is None


def test_recover__s_at_half_of_the_order__the_last_that_counts(signers, domain) -> None:
    report = VolatilityReport(NOW, 1)
    digest, (r, _) = domain.digest(report), signers[0]._sign(report)
    assert recover(digest, (r, _HALF_ORDER.to_bytes(32, "big"))) is not None
    assert recover(digest, (r, (_HALF_ORDER + 1).to_bytes(32, "big"))) is None


def test_aggregate__nothing_stored__the_first_second_counts(signers, domain, quorum) -> None:
    reports = [signer.sign_volatilities([0.5] * 3, 1) for signer in signers]
    assert len(aggregate_volatilities(reports, domain, quorum, now=1, max_age=3600)) == 5


def test_aggregate__two_reports_of_one_time__the_first_counts(signers, domain, quorum) -> None:
    first, second = (signers[0].sign_volatilities([value] * 3, NOW) for value in (0.1, 0.2))
    others = [signer.sign_volatilities([0.5] * 3, NOW) for signer in signers[1:3]]
    chosen = aggregate_volatilities([first, second, *others], domain, quorum, NOW, 3600)
    assert first in chosen
    assert second not in chosen


def times(chosen: list[SignedVolatilities]) -> list[int]:
    return [one.report.observed_at for one in chosen]


def test_aggregate__several_times__the_newest_that_a_quorum_reported(signers, domain, quorum) -> None:
    """EQ-29: reports of one post are of one time; a newer one of fewer does not keep a quorum back."""
    of = lambda who, at: [s.sign_volatilities([0.5] * 3, at) for s in who]  # noqa: E731
    run = lambda reports: times(aggregate_volatilities(reports, domain, quorum, NOW, 3600))  # noqa: E731
    old, new = of(signers, NOW - 60), of(signers, NOW)
    assert run([*old, *new[:2]]) == [NOW - 60] * 5
    assert run([*new[:3], *old]) == [NOW] * 3
    assert run([*old[:3], *new[1:]]) == [NOW] * 4


def test_aggregate__no_time_of_a_quorum__says_who_is_of_another(signers, domain, quorum) -> None:
    """EQ-29: five signers, and no three of one time."""
    ages = (0, 0, 60, 60, 120)
    reports = [s.sign_volatilities([0.5] * 3, NOW - age) for s, age in zip(signers, ages, strict=True)]
    with pytest.raises(OracleError, match="2 usable reports, 3 are needed") as error:
        aggregate_volatilities(reports, domain, quorum, NOW, 3600)
    for signer, age in zip(signers[2:], ages[2:], strict=True):
        assert f"report of {signer.address} is of {NOW - age}, not of {NOW}" in str(error.value)


def test_aggregate__volatility_beyond_a_bound__dropped_and_at_it_not(signers, domain, quorum) -> None:
    words = [pack_word8([0.5, value, 0.5]) for value in (MIN_VOLATILITY, 0.5, MAX_VOLATILITY)]
    good = [signed(s, VolatilityReport(NOW, word)) for s, word in zip(signers, words, strict=False)]
    assert len(aggregate_volatilities(good, domain, quorum, NOW, 3600)) == 3
    for beyond in (MIN_VOLATILITY - 1e-8, MAX_VOLATILITY + 1e-8):
        bad = signed(signers[2], VolatilityReport(NOW, pack_word8([0.5, beyond, 0.5])))
        with pytest.raises(OracleError, match=r"is outside \[0.001, 40.0\]"):
            aggregate_volatilities([*good[:2], bad], domain, quorum, NOW, 3600)


def test_aggregate__below_the_quorum__every_reason_in_order(signers, domain, quorum) -> None:
    a, b = signers[:2]
    with pytest.raises(OracleError) as error:
        aggregate_volatilities([], domain, quorum, NOW, 3600)
    assert str(error.value) == "0 usable reports, 3 are needed: nobody else reported"
    early, late = (s.sign_volatilities([0.5] * 3, at) for s, at in ((a, NOW - 3601), (b, NOW + 1)))
    with pytest.raises(OracleError) as error:
        aggregate_volatilities([early, late], domain, quorum, NOW, 3600)
    assert str(error.value) == (
        f"0 usable reports, 3 are needed: report of {a.address} is older than 3600 s; "
        f"report of {b.address} is from the future ({NOW + 1} > {NOW})"
    )


def test_aggregate__addresses_in_mixed_case__ascending_as_numbers(domain: Domain) -> None:
    """The contract compares numbers; as text, a capital of the checksum comes before every small letter."""
    signers = [Signer((2000 + i).to_bytes(32, "big"), domain) for i in range(40)]
    addresses = [signer.address for signer in signers]
    ascending = sorted(addresses, key=lambda address: int(address, 16))
    assert ascending != sorted(addresses)
    quorum = Quorum.of(addresses, 21)
    reports = [signer.sign_volatilities([0.5] * 3, NOW) for signer in signers]
    chosen = aggregate_volatilities(reports, domain, quorum, NOW, 3600)
    assert [recover(domain.digest(one.report), (one.r, one.vs)) for one in chosen] == ascending
    report = CorrelationReport(NOW, (1, 0))
    found = aggregate_correlations(report, [signer._sign(report) for signer in signers], domain, quorum)
    assert [recover(domain.digest(report), one) for one in found] == ascending
