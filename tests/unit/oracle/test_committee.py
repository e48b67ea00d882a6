"""Signers sign what they believe; the aggregator keeps what counts."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.errors import InputError, OracleError
from equipoise.estimation.ewma import EstimationConfig
from equipoise.oracle import Domain, Signer, VolatilityReport, aggregate_correlations, aggregate_volatilities
from equipoise.oracle.aggregator import Quorum, recover

NOW = 1_700_000_000
C = np.array([[1.0, 0.5, -0.3], [0.5, 1.0, 0.1], [-0.3, 0.1, 1.0]])


def volatilities(signers, *values, at=NOW):
    return [s.sign_volatilities(np.full(3, v), at) for s, v in zip(signers, values, strict=False)]


def aggregate(reports, domain, quorum, **changes):
    return aggregate_volatilities(reports, domain, quorum, **{"now": NOW, "max_age": 3600} | changes)


def author(signed, domain):
    return recover(domain.digest(signed.report), (signed.r, signed.vs))


@given(order=st.permutations(range(5)))
def test_aggregate__any_order__ascending_by_address(signers, domain, quorum, order):
    reports = volatilities([signers[i] for i in order], *[0.5] * 5)
    authors = [author(signed, domain) for signed in aggregate(reports, domain, quorum)]
    assert authors == sorted((s.address for s in signers), key=str.lower)


def test_aggregate__flawed_reports__dropped(signers, domain, quorum):
    """Strangers, other times, garbage in lanes, void signatures: dropped as long as a quorum is left."""
    good = volatilities(signers, 0.5, 0.6, 0.7)
    d = signers[3]
    flawed = [
        Signer(b"\x42" * 32, domain).sign_volatilities([0.5] * 3, NOW),
        Signer((1003).to_bytes(32, "big"), dataclasses.replace(domain, chain_id=1)).sign_volatilities(
            [0.5] * 3, NOW
        ),
        *volatilities([d, d], 0.5, at=NOW + 1),
        *volatilities([d], 0.5, at=NOW - 3601),
        *[type(good[0])(r, *d._sign(r)) for r in (VolatilityReport(NOW, 2**255), VolatilityReport(NOW, 5))],
        dataclasses.replace(good[0], r=b"\0" * 32),
        dataclasses.replace(good[0], vs=b"\xff" * 32),
        dataclasses.replace(good[0], r=b""),
    ]
    assert len(aggregate(good + flawed, domain, quorum)) == 3
    with pytest.raises(OracleError, match="2 usable reports, 3 are needed") as error:
        aggregate(good[:2] + flawed, domain, quorum)
    for reason in ("no signer", "future", "older", "malformed"):
        assert reason in str(error.value)


def test_aggregate__two_reports_of_one_signer__the_newer_counts_once(signers, domain, quorum):
    old, new = volatilities(signers, 0.1, at=NOW - 60), volatilities(signers, 0.2)
    others = volatilities(signers[1:], 0.5, 0.5)
    for reports in ([*old, *new, *others], [*new, *old, *others]):
        chosen = aggregate(reports, domain, quorum)
        assert len(chosen) == 3
        assert new[0] in chosen
        assert old[0] not in chosen
    with pytest.raises(OracleError, match="1 usable"):
        aggregate([*old, *new], domain, quorum)


def test_aggregate__not_newer_than_the_oracle_s__dropped(signers, domain, quorum):
    with pytest.raises(OracleError, match="not newer"):
        aggregate(volatilities(signers, 0.5, 0.5, 0.5), domain, quorum, newer_than=NOW)


def test_quorum__no_majority__refused(signers):
    addresses = [s.address for s in signers]
    for threshold in (0, 2, 6):
        with pytest.raises(InputError, match="more than half"):
            Quorum.of(addresses, threshold)


def test_cosign__within_the_tolerance__signs_else_names_the_pair(signers, domain):
    own = C.copy()
    own[0, 2] = own[2, 0] = -0.45
    report = signers[0].propose_correlations(C, NOW)
    assert recover(domain.digest(report), signers[0].cosign_correlations(report, C)) == signers[0].address
    with pytest.raises(OracleError, match=r"assets 0 and 2 differs .* 0\.1500"):
        signers[1].cosign_correlations(report, own)
    with pytest.raises(OracleError, match="differs"):
        signers[1].cosign_correlations(report, np.full((3, 3), np.nan))
    with pytest.raises(OracleError, match="shape"):
        signers[1].cosign_correlations(report, np.eye(2))


def test_aggregate_correlations__quorum__ascending_without_strangers(signers, domain, quorum):
    report = signers[0].propose_correlations(C, NOW)
    signatures = [s.cosign_correlations(report, C) for s in signers[:3]]
    stranger = Signer(b"\x42" * 32, domain).cosign_correlations(report, C)
    chosen = aggregate_correlations(report, [stranger, *signatures, signatures[0]], domain, quorum)
    authors = [recover(domain.digest(report), signature) for signature in chosen]
    assert authors == sorted((s.address for s in signers[:3]), key=str.lower)
    with pytest.raises(OracleError, match="2 usable"):
        aggregate_correlations(report, [stranger, *signatures[:2]], domain, quorum)


def test_signer__own_configuration__own_estimate(domain):
    rng = np.random.default_rng(0)
    closes = 100 * np.exp(np.cumsum(rng.normal(0, [0.02, 0.03, 0.01], size=(200, 3)), axis=0))
    prices = pd.DataFrame(closes, index=pd.date_range("2024-01-01", periods=200), columns=["A", "B", "C"])
    slow = Signer(b"\x01" * 32, domain, EstimationConfig(volatility_decay=0.99))
    fast = Signer(b"\x02" * 32, domain, EstimationConfig(volatility_decay=0.8))
    a, b = slow.estimate(prices).vol_ann, fast.estimate(prices).vol_ann
    assert not np.allclose(a, b, rtol=1e-3)
    signed = slow.sign_volatilities(a, NOW)
    assert author(signed, domain) == slow.address
    np.testing.assert_allclose(signed.report.vol_ann(3), a, atol=1e-8)
    with pytest.raises(OracleError, match="columns"):
        slow.estimate(prices[["A", "B"]])
    with pytest.raises(OracleError, match="shape"):
        slow.sign_volatilities([0.5] * 4, NOW)


@pytest.mark.parametrize("key", [b"", b"\x01" * 31, b"\0" * 32, b"\xff" * 32, "0x12", "no key", 5, None])
def test_signer__no_key__refused_without_repeating_it(domain, key):
    with pytest.raises(InputError) as error:
        Signer(key, domain)
    assert str(error.value) == "the signer's key is not a private key; give 32 bytes or their hex"
    assert error.value.__suppress_context__


def test_signer__shown__never_shows_its_key(domain):
    signer = Signer("0x" + "ab" * 32, domain)
    assert "ab" * 8 not in repr(signer) + str(signer)
    with pytest.raises(InputError, match="tolerance"):
        Signer(b"\x01" * 32, domain, tolerance=0)


def test_domain__hashable__and_checksummed(domain):
    assert Domain(domain.chain_id, domain.oracle.lower(), domain.assets) == domain
