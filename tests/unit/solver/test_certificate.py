"""Certificates and contributions by hand, and the line between rounding and a wrong solution."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from equipoise.errors import SolverError
from equipoise.solver.certificate import certificate_error, risk_contributions, share_error
from equipoise.solver.parity import _excused
from equipoise.solver.solution import ParitySolution

PAIR = np.array([[1.0, 0.5], [0.5, 1.0]])
EPS = float(np.finfo(float).eps)


def test_certificate_error__two_assets__largest_miss_by_hand() -> None:
    """x (C x) = (0.4 * 0.7, 0.6 * 0.8) = (0.28, 0.48)."""
    assert certificate_error(PAIR, np.array([0.4, 0.6]), np.array([0.3, 0.4])) == pytest.approx(0.08)
    assert certificate_error(PAIR, np.array([0.4, 0.6]), np.array([0.2, 0.5])) == pytest.approx(0.08)


@pytest.mark.parametrize("coordinate", [0.0, -0.1, np.nan, np.inf])
def test_certificate_error__a_coordinate_that_is_none__infinite(coordinate: float) -> None:
    assert certificate_error(PAIR, np.array([0.5, coordinate]), np.array([0.5, 0.5])) == float("inf")


def test_risk_contributions__two_assets__by_hand_and_sum_to_the_volatility() -> None:
    """S w = (0.03, 0.055), w'Sw = 0.0425."""
    found = risk_contributions(np.array([[0.04, 0.02], [0.02, 0.09]]), np.array([0.5, 0.5]))
    np.testing.assert_allclose(found, [0.015 / np.sqrt(0.0425), 0.0275 / np.sqrt(0.0425)])
    assert found.sum() == pytest.approx(np.sqrt(0.0425))


def test_risk_contributions__whole_numbers_of_nothing__zeros_that_are_floats() -> None:
    assert risk_contributions(PAIR, [0, 0]).dtype == float  # type: ignore[arg-type]


def test_share_error__a_stack__largest_miss_of_each() -> None:
    """Shares (0.5, 0.5); then (2, 5) / 7, as C a = (2, 2.5); then (1, 4) / 5 without correlation."""
    stack = np.array([PAIR, PAIR, np.eye(2)])
    scaled = np.array([[0.3, 0.3], [1.0, 2.0], [1.0, 2.0]])
    budgets = np.array([[0.5, 0.5], [0.5, 0.5], [0.9, 0.1]])
    found = share_error(stack, scaled, budgets)
    np.testing.assert_allclose(found, [0.0, 5 / 7 - 0.5, 0.7], atol=1e-15)


def hedged(error: float) -> tuple[np.ndarray, ParitySolution]:
    """Terms of 1000 * 1500: a hedge whose rounding is 4 eps of that, 1.3e-9; volatilities 1 and 3."""
    x, half = np.array([1000.0, 1000.0]), np.array([0.5, 0.5])
    S = np.array([[1.0, -1.5], [-1.5, 9.0]])
    return S, ParitySolution(half, x, 1.0, half, error, 5)


def test_excused__error_of_rounding__returned() -> None:
    for error, tolerance in ((4 * EPS * 1.5e6, 1e-10), (3e-9, 3e-9)):
        S, solution = hedged(error)
        assert _excused(S, solution, tolerance) is solution


def test_excused__error_beyond_rounding__names_limit_and_eigenvalue() -> None:
    S, solution = hedged(4.01 * EPS * 1.5e6)
    with pytest.raises(SolverError, match=r"above 1\.3e-09; .* \(smallest eigenvalue 0\.5\)"):
        _excused(S, solution, 1e-10)


def test_excused__terms_of_any_size__never_more_than_the_rounding_tolerance() -> None:
    S, solution = hedged(1.1e-8)
    huge = replace(solution, coordinates=solution.coordinates * 1e6)
    with pytest.raises(SolverError, match="above 1e-08"):
        _excused(S, huge, 1e-10)
