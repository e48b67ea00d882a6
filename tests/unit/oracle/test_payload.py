"""Reports at the edges of what the chain accepts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from equipoise.errors import OracleError
from equipoise.oracle import CorrelationReport, SignedVolatilities, VolatilityReport
from equipoise.oracle.payload import MAX_VOLATILITY, MIN_VOLATILITY
from equipoise.units import pack_correlations, pack_word8

NOW = 1_700_000_000
C = np.array([[1.0, 0.5], [0.5, 1.0]])


@pytest.mark.parametrize(("report", "words"), [(VolatilityReport, 1), (CorrelationReport, (1, 0))])
def test_report__observed_at__within_uint64_and_not_zero(report: Any, words: Any) -> None:
    for at in (1, 2**64 - 1):
        assert report(at, words).observed_at == at
    for at in (0, -1, 2**64):
        with pytest.raises(OracleError, match=f"observed_at is {at};"):
            report(at, words)


def test_volatility_report__both_bounds__packed_as_they_are() -> None:
    values = [MIN_VOLATILITY, 0.5, MAX_VOLATILITY]
    report = VolatilityReport.of(values, NOW)
    assert (report.observed_at, report.vols) == (NOW, pack_word8(values))
    np.testing.assert_array_equal(report.vol_ann(3), values)


@pytest.mark.parametrize("value", [np.nextafter(MIN_VOLATILITY, 0), np.nextafter(MAX_VOLATILITY, 99), np.nan])
def test_volatility_report__outside_the_bounds__the_first_asset_is_named(value: float) -> None:
    with pytest.raises(OracleError, match="of asset 1 is outside"):
        VolatilityReport.of([0.5, value, value], NOW)


def test_volatility_report__missing_value__refused_as_one_outside() -> None:
    with pytest.raises(OracleError, match="volatility nan of asset 1 is outside"):
        VolatilityReport.of([0.5, None, 0.4], NOW)  # type: ignore[list-item]


def test_volatility_report__no_basket__oracle_error_from_the_packing() -> None:
    with pytest.raises(OracleError, match="1 assets given") as error:
        VolatilityReport.of([0.5], NOW)
    assert str(error.value) == str(error.value.__cause__)


def test_correlation_report__matrix__packed_and_read_back() -> None:
    report = CorrelationReport.of(C, NOW)
    assert (report.observed_at, report.correlations) == (NOW, pack_correlations(C))
    np.testing.assert_allclose(report.correlation(2), C, atol=1 / 65534)


def test_correlation_report__no_correlation__oracle_error_from_the_packing() -> None:
    with pytest.raises(OracleError, match="must be symmetric") as error:
        CorrelationReport.of([[1.0, 0.5], [0.4, 1.0]], NOW)
    assert str(error.value) == str(error.value.__cause__)


def test_to_struct__signed__in_the_contract_s_order() -> None:
    signed = SignedVolatilities(VolatilityReport(NOW, 7), b"r", b"s")
    assert signed.to_struct() == (NOW, 7, b"r", b"s")
