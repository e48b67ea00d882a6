"""Repair and shrinkage give correlation matrices that the oracle accepts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.errors import EstimationError
from equipoise.estimation.psd import nearest_correlation, repair_correlation
from equipoise.estimation.shrinkage import ledoit_wolf, shrink_constant

HIGHAM = np.array([[1.0, 1.0, 0.0], [1.0, 1.0, 1.0], [0.0, 1.0, 1.0]])


def test_nearest_correlation__higham_2002_example__published_digits() -> None:
    """Higham, "Computing the nearest correlation matrix", IMA J. Numer. Anal. 22 (2002), section 4."""
    result = nearest_correlation(HIGHAM)
    assert result[0, 1] == pytest.approx(0.7607, abs=5e-5)
    assert result[0, 2] == pytest.approx(0.1573, abs=5e-5)


@settings(max_examples=100, deadline=None)
@given(seed=st.integers(0, 10_000), n=st.integers(2, 8), floor=st.floats(0.001, 0.5))
def test_repair_correlation__any_symmetric_matrix__unit_diagonal_and_floor(
    seed: int, n: int, floor: float
) -> None:
    matrix = np.random.default_rng(seed).uniform(-1, 1, (n, n))
    matrix = (matrix + matrix.T) / 2
    np.fill_diagonal(matrix, 1.0)
    repaired = repair_correlation(matrix, floor)
    np.testing.assert_allclose(np.diag(repaired), 1.0, atol=1e-12)
    np.testing.assert_array_equal(repaired, repaired.T)
    assert np.linalg.eigvalsh(repaired)[0] >= floor - 1e-9
    assert np.abs(repaired).max() <= 1 + 1e-12


def test_repair_correlation__good_matrix__unchanged() -> None:
    matrix = np.array([[1.0, 0.5], [0.5, 1.0]])
    np.testing.assert_array_equal(repair_correlation(matrix), matrix)


@pytest.mark.parametrize(
    ("matrix", "floor", "message"),
    [
        (np.ones((2, 3)), 0.02, r"shape \(2, 3\); it must be square"),
        (np.ones((0, 0)), 0.02, r"shape \(0, 0\)"),
        (np.array([[1.0, 0.5], [0.4, 1.0]]), 0.02, r"\[0, 1\] is 0.5, but \[1, 0\] is 0.4"),
        (np.array([[1.0, 0.5], [0.5, 2.0]]), 0.02, r"\[1, 1\] is 2; it must be 1"),
        (np.array([[1.0, np.nan], [np.nan, 1.0]]), 0.02, r"\[0, 1\] is nan; it must be finite"),
        (np.eye(2), 0.0, "floor 0.0 is outside"),
        (np.eye(2), 1.0, "floor 1.0 is outside"),
    ],
)
def test_repair_correlation__outside_the_domain__names_the_entry(
    matrix: np.ndarray, floor: float, message: str
) -> None:
    with pytest.raises(EstimationError, match=message):
        repair_correlation(matrix, floor)
    if "floor" not in message and "must be 1" not in message:
        with pytest.raises(EstimationError, match=message):
            nearest_correlation(matrix)


def test_shrink_constant__five_percent__off_diagonal_scaled() -> None:
    np.testing.assert_allclose(shrink_constant(HIGHAM, 0.05), [[1, 0.95, 0], [0.95, 1, 0.95], [0, 0.95, 1]])


def test_shrink_constant__intensity_above_one__estimation_error() -> None:
    with pytest.raises(EstimationError, match="outside"):
        shrink_constant(HIGHAM, 1.1)


def test_ledoit_wolf__few_days__shrunk_between_identity_and_sample() -> None:
    rng = np.random.default_rng(0)
    common = rng.normal(size=(40, 1))
    returns = (common + rng.normal(size=(40, 4))) * [1, 10, 100, 1000]
    sample = returns.T @ returns
    sample /= np.sqrt(np.outer(np.diag(sample), np.diag(sample)))
    shrunk = ledoit_wolf(returns)
    np.testing.assert_allclose(np.diag(shrunk), 1.0)
    ratio = (shrunk / sample)[~np.eye(4, dtype=bool)]
    assert np.ptp(ratio) < 1e-9
    assert 0 < ratio[0] < 1


def test_ledoit_wolf__column_without_movement__estimation_error() -> None:
    with pytest.raises(EstimationError, match="column 1 does not move"):
        ledoit_wolf(np.array([[0.1, 0.0], [0.2, 0.0]]))
