"""Repair and shrinkage give correlation matrices that the oracle accepts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import sklearn.covariance as sk
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.errors import EstimationError
from equipoise.estimation.psd import nearest_correlation, repair_correlation
from equipoise.estimation.shrinkage import ledoit_wolf, oracle_approximating, shrink_constant

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


def test_nearest_correlation__a_correlation__itself_and_left_alone() -> None:
    matrix = np.array([[1.0, 0.5, -0.2], [0.5, 1.0, 0.1], [-0.2, 0.1, 1.0]])
    given_matrix = matrix.copy()
    np.testing.assert_allclose(nearest_correlation(given_matrix), matrix, atol=1e-15)
    np.testing.assert_array_equal(given_matrix, matrix)


def test_nearest_correlation__higham_2002_example__no_other_is_nearer() -> None:
    """The condition of optimality: off the diagonal, the change is a multiple of the null vector's square."""
    found = nearest_correlation(HIGHAM)
    values, vectors = np.linalg.eigh(found)
    assert values[0] == pytest.approx(0, abs=1e-9)
    assert np.diag(found).tolist() == [1.0, 1.0, 1.0]
    np.testing.assert_array_equal(found, found.T)
    null = np.outer(vectors[:, 0], vectors[:, 0])
    multiplier = (found - HIGHAM)[0, 1] / null[0, 1]
    np.testing.assert_allclose((found - HIGHAM)[0, 2], multiplier * null[0, 2], atol=1e-8)


def test_repair_correlation__smallest_eigenvalue_below_the_floor__mixed_up_to_it_exactly() -> None:
    matrix = np.array([[1.0, 0.995], [0.995, 1.0]])
    for floor in (0.01, 0.02, 0.5):
        repaired = repair_correlation(matrix, floor)
        assert repaired[0, 1] == pytest.approx(1 - floor, abs=1e-14)
    np.testing.assert_array_equal(repair_correlation(matrix), repair_correlation(matrix, 0.02))
    np.testing.assert_array_equal(repair_correlation(matrix, 0.004), matrix)


def test_repair_correlation__indefinite__the_nearest_one_and_then_mixed() -> None:
    nearest = nearest_correlation(HIGHAM)
    mix = 0.3
    repaired = repair_correlation(HIGHAM, mix)
    np.testing.assert_allclose(repaired, (1 - mix) * nearest + mix * np.eye(3), atol=1e-8)


def test_repair_correlation__within_1e_9__made_exact_without_touching_the_input() -> None:
    matrix = np.array([[1 + 9e-10, 0.5 + 9e-10], [0.5, 1 - 9e-10]])
    before = matrix.copy()
    repaired = repair_correlation(matrix)
    np.testing.assert_array_equal(matrix, before)
    assert np.diag(repaired).tolist() == [1.0, 1.0]
    assert repaired[0, 1] == repaired[1, 0] == pytest.approx(0.5 + 4.5e-10, abs=1e-12)


@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        ([[1.0, 0.5 + 2e-9], [0.5, 1.0]], r"^correlation\[0, 1\] is 0\.5, but \[1, 0\] is 0\.5"),
        ([[1.0, 0, 0.1], [0, 1.0, 0.2], [0.3, 0.1, 1.0]], r"n\[0, 2\] is 0\.1, but \[2, 0\] is 0\.3"),
        ([[1.0, 0.0, 0.0], [0.0, 1.0, 0.2], [0.0, np.inf, 1.0]], r"^correlation\[2, 1\] is inf"),
        ([[1.0, 0.0], [0.0, 1 - 2e-9]], r"^correlation\[1, 1\] is 1; it must be 1"),
        ([1.0, 2.0], r"^correlation has shape \(2,\)"),
        ([[[1.0]]], r"^correlation has shape \(1, 1, 1\)"),
    ],
)
def test_repair_correlation__beyond_1e_9__names_the_entry(matrix: list[object], message: str) -> None:
    with pytest.raises(EstimationError, match=message):
        repair_correlation(matrix)  # type: ignore[arg-type]


def test_shrink_constant__stack_and_ends__each_matrix() -> None:
    stack = np.array([HIGHAM, np.eye(3)])
    np.testing.assert_array_equal(shrink_constant(stack), shrink_constant(stack, 0.05))
    np.testing.assert_array_equal(shrink_constant(stack, 0), stack)
    np.testing.assert_array_equal(shrink_constant(stack, 1), [np.eye(3)] * 2)
    with pytest.raises(EstimationError, match=r"intensity -0\.1 is outside"):
        shrink_constant(HIGHAM, -0.1)


@pytest.mark.parametrize(("ours", "theirs"), [(ledoit_wolf, sk.ledoit_wolf), (oracle_approximating, sk.oas)])
def test_shrinkage__by_the_data__scikit_learn_s_of_scaled_returns(ours: Any, theirs: Any) -> None:
    returns = np.random.default_rng(5).normal(0.3, 1, (35, 3)) * [1.0, 5.0, 0.2]
    scaled = returns / np.sqrt((returns**2).mean(axis=0))
    expected, _ = theirs(scaled, assume_centered=True)
    found = ours(returns)
    np.testing.assert_allclose(np.diag(found), 1.0, rtol=1e-14)
    np.testing.assert_allclose(found[0, 1], expected[0, 1] / np.sqrt(expected[0, 0] * expected[1, 1]))
    with pytest.raises(EstimationError, match="column 1 does not move"):
        ours(returns * [1, 0, 1])


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


def test_nearest_correlation__converged__no_projection_more(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    real = np.linalg.eigh
    monkeypatch.setattr(np.linalg, "eigh", lambda M: asked.append(1) or real(M))
    nearest_correlation(np.array([[1.0, 0.5], [0.5, 1.0]]))
    assert len(asked) <= 2
    asked.clear()
    nearest_correlation(HIGHAM)
    assert 10 < len(asked) < 100
