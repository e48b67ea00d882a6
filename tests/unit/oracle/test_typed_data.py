"""Payloads and EIP-712 digests against eth_account."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from eth_abi import encode
from eth_account.messages import encode_typed_data
from eth_utils import keccak
from hypothesis import given
from hypothesis import strategies as st

from equipoise.errors import InputError, OracleError
from equipoise.oracle import CorrelationReport, Domain, VolatilityReport
from equipoise.oracle.typed_data import assets_hash

words = st.integers(0, 2**256 - 1)
times = st.integers(1, 2**64 - 1)
addresses = st.binary(min_size=20, max_size=20).map(lambda raw: "0x" + raw.hex())


def digest_of(message: dict) -> bytes:
    signable = encode_typed_data(full_message=message)
    return keccak(b"\x19" + signable.version + signable.header + signable.body)


@given(
    at=times,
    vols=words,
    pair=st.tuples(words, words),
    chain_id=st.integers(1, 2**63),
    oracle=addresses,
    basket=st.lists(addresses, min_size=2, max_size=8),
)
def test_digest__any_report__equals_eth_account_s(at, vols, pair, chain_id, oracle, basket):
    """EQ-23: digests are those of EIP-712 as wallets compute them."""
    domain = Domain(chain_id, oracle, tuple(basket))
    for report in (VolatilityReport(at, vols), CorrelationReport(at, pair)):
        assert domain.digest(report) == digest_of(domain.typed_data(report))


def test_digest__anything_changed__differs(domain):
    """EQ-23: chain, oracle, assets, their order, time and words are all signed."""
    report = VolatilityReport(1_700_000_000, 5)
    domains = [
        domain,
        dataclasses.replace(domain, chain_id=1),
        dataclasses.replace(domain, oracle=domain.assets[0]),
        dataclasses.replace(domain, assets=domain.assets[::-1]),
        dataclasses.replace(domain, assets=domain.assets[:2]),
    ]
    reports = [VolatilityReport(1_700_000_001, 5), VolatilityReport(1_700_000_000, 6)]
    digests = [d.digest(report) for d in domains] + [domain.digest(r) for r in reports]
    assert len(set(digests)) == len(digests)


def test_assets_hash__basket__is_keccak_of_its_encoding(domain):
    assert assets_hash(domain.assets) == keccak(encode(["address[]"], [domain.assets]))


@pytest.mark.parametrize("basket", [(), ("0x" + "11" * 20,), ("0x" + "11" * 20,) * 9, ("0x11", "0x22")])
def test_domain__no_basket__refused(basket):
    with pytest.raises(InputError, match=r"assets|not an address"):
        Domain(1, "0x" + "22" * 20, basket)


def test_domain__no_oracle__refused(domain):
    with pytest.raises(InputError, match="not an address"):
        Domain(1, "oracle", domain.assets)


@pytest.mark.parametrize(
    "vol", [[0.5, 0.0009, 0.5], [0.5, 0.5, 40.1], [0.5, np.nan, 0.5], [0.5, -1, 0.5], [], [0.5]]
)
def test_volatility_report__outside_the_bounds__refused(vol):
    with pytest.raises(OracleError):
        VolatilityReport.of(vol, 1_700_000_000)


@pytest.mark.parametrize("at", [0, -1, 2**64])
def test_reports__no_unix_time__refused(at):
    with pytest.raises(OracleError, match="observed_at"):
        VolatilityReport.of([0.5, 0.5], at)
    with pytest.raises(OracleError, match="observed_at"):
        CorrelationReport.of(np.eye(2), at)


def test_reports__packed__read_back():
    vol = np.array([0.123456789, 39.99999999, 0.001])
    np.testing.assert_allclose(VolatilityReport.of(vol, 1).vol_ann(3), vol, atol=0.51e-8)
    C = np.array([[1.0, -0.7], [-0.7, 1.0]])
    np.testing.assert_allclose(CorrelationReport.of(C, 1).correlation(2), C, atol=0.51 / 32767)


def test_correlation_report__no_correlation_matrix__refused():
    with pytest.raises(OracleError, match="symmetric"):
        CorrelationReport.of([[1, 0.5], [0.4, 1]], 1)
