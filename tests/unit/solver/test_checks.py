"""What the solvers say of wrong input: the entry, its value, and where the limits lie."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from equipoise.errors import SolverError
from equipoise.solver.checks import (
    SYMMETRY,
    as_array,
    as_budgets,
    as_start,
    check_correlation,
    check_covariance,
    equal_budgets,
)
from equipoise.solver.reductions import SHORT

LONG = SHORT + 6


def test_equal_budgets__one_over_n_each__shared_and_so_read_only() -> None:
    assert equal_budgets(4).tolist() == [0.25] * 4
    with pytest.raises(ValueError, match="read-only"):
        equal_budgets(4)[0] = 1.0


def test_as_array__rows_of_other_lengths__named_with_the_cause() -> None:
    with pytest.raises(SolverError, match=r"^weights is not an array of numbers \(.*inhomogeneous"):
        as_array([[1.0], [1.0, 2.0]], "weights")
    assert as_array([1, 2], "weights").dtype == float


@pytest.mark.parametrize("n", [3, LONG])
def test_as_budgets__sum_slightly_off__divided_by_it(n: int) -> None:
    for excess in (8e-7, -8e-7):
        given = np.full(n, 1 / n)
        given[0] += excess
        found = as_budgets(given, n)
        assert found.sum() == pytest.approx(1.0, abs=1e-15)
        np.testing.assert_allclose(found, given / (1 + excess), rtol=1e-14)


def test_as_budgets__of_each_problem__divided_row_by_row() -> None:
    found = as_budgets([[0.5, 0.5], [0.25, 0.75 + 4e-7], [0.1, 0.9]], 2, 3)
    np.testing.assert_allclose(found.sum(axis=1), 1.0, rtol=1e-15)
    np.testing.assert_allclose(found[1], [0.25 / 1.0000004, 1 - 0.25 / 1.0000004], rtol=1e-12)


def spoilt(n: int, at: int, value: float) -> np.ndarray:
    budgets = np.full(n, 1 / n)
    budgets[at] = value
    return budgets


@pytest.mark.parametrize(
    ("budgets", "n", "message"),
    [
        (spoilt(3, 1, 0.0), 3, "^budget 0 of asset 1 is not > 0 and finite"),
        (spoilt(3, 2, np.nan), 3, "^budget nan of asset 2"),
        (spoilt(LONG, 5, 0.0), LONG, "^budget 0 of asset 5"),
        (spoilt(LONG, 5, np.inf), LONG, "^budget inf of asset 5"),
        (spoilt(3, 0, 0.2), 3, r"^budgets sum to 0\.866666667; they must"),
        (spoilt(LONG, 5, 0.5), LONG, r"^budgets sum to 1\.48571429; they must"),
        ([[0.5, 0.5], [-0.25, 1.25]], 2, r"^budget -0\.25 of asset 0"),
        ([[0.5, 0.5], [1.25, 0.0]], 2, "^budget 0 of asset 1"),
        ([[0.5, 0.5001], [0.4, 0.5]], 2, r"^budgets sum to 0\.9;"),
        ([[0.5, 0.5]] * 3, 2, r"^budgets have shape \(3, 2\); give one an asset, \(2,\)"),
        (["a", "b"], 2, "^budgets is not an array"),
    ],
)
def test_as_budgets__wrong__named(budgets: Any, n: int, message: str) -> None:
    with pytest.raises(SolverError, match=message):
        as_budgets(budgets, n, 2)


@pytest.mark.parametrize("start", [[0.5, 0.0], [0.5, np.inf], [0.5], [[0.5, 0.5]]])
def test_as_start__no_coordinates__told_what_to_give(start: Any) -> None:
    with pytest.raises(SolverError, match=r"^start has shape .*; give \(2,\) coordinates > 0$"):
        as_start(start, 2)
    with pytest.raises(SolverError, match=r"give \(2,\) weights > 0$"):
        as_start(start, 2, "weights")


def test_as_start__text__named() -> None:
    with pytest.raises(SolverError, match="start is not an array of numbers"):
        as_start(["a"], 1)  # type: ignore[list-item]
    assert as_start([1, 2], 2).dtype == float


def changed(i: int, j: int, value: float) -> np.ndarray:
    S = np.diag([0.04, 0.09, 0.16])
    S[i, j] = value
    return S


@pytest.mark.parametrize(
    ("S", "message"),
    [
        (changed(1, 2, np.nan), r"^covariance has nan at \(1, 2\)"),
        (changed(2, 0, -np.inf), r"^covariance has -inf at \(2, 0\)"),
        (changed(1, 1, 0.0), "^variance of asset 1 is 0;"),
        (changed(2, 2, -1.0), "^variance of asset 2 is -1;"),
        (changed(0, 2, 0.01), r"entry \(0, 2\) is 0\.01, \(2, 0\) is 0$"),
        (changed(0, 2, -0.01), r"entry \(0, 2\) is -0\.01, \(2, 0\) is 0$"),
    ],
)
def test_check_covariance__wrong_entry__named(S: np.ndarray, message: str) -> None:
    with pytest.raises(SolverError, match=message):
        check_covariance(S)


def test_check_covariance__skew_of_the_correlation__not_of_the_covariance_is_judged() -> None:
    """Volatilities of 0.1 and 10: the entries of a correlation and of its covariance are alike here."""
    for skew, fine in ((0.9 * SYMMETRY, True), (1.1 * SYMMETRY, False)):
        S = np.array([[0.01, 0.2], [0.2, 100.0]])
        S[0, 1] += skew
        S = S * np.outer([1, 1000], [1, 1000])
        if fine:
            check_covariance(S)
        else:
            with pytest.raises(SolverError, match="not symmetric"):
                check_covariance(S)


def pair(rho: float, n: int = 3) -> np.ndarray:
    C = np.eye(n)
    C[0, 2] = C[2, 0] = rho
    return C


def test_check_correlation__eigenvalue_beyond_rounding__the_floor_is_ten_n_eps() -> None:
    floor = 10 * 3 * np.finfo(float).eps
    check_correlation(pair(1 - 3 * floor))
    with pytest.raises(SolverError, match=r"correlation is .*, it must be > 6\.7e-15"):
        check_correlation(pair(1 - 0.3 * floor))


@pytest.mark.parametrize(
    ("C", "message"),
    [
        (pair(1.0), r"> 6\.7e-15 \(assets 0 and 2 have a correlation of 1\); repair"),
        (pair(-1.0), r"> 6\.7e-15 \(assets 0 and 2 have a correlation of -1\); repair"),
        (
            np.array([[1, 0.9, -0.9], [0.9, 1, 0.9], [-0.9, 0.9, 1]]),
            r"is -0\.8, it must be > 6\.7e-15; repair",
        ),
    ],
)
def test_check_correlation__not_definite__twins_are_named(C: np.ndarray, message: str) -> None:
    with pytest.raises(SolverError, match=message):
        check_correlation(C)
