"""Parity weights against papers, closed forms and 50-digit arithmetic; refusals by name."""

from __future__ import annotations

import json
from pathlib import Path

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.errors import SolverError
from equipoise.solver import TOLERANCE, solve_parity, solve_parity_batch
from equipoise.solver.certificate import certificate_error, risk_contributions

ROOT = Path(__file__).resolve().parents[3]
CASES = ROOT.parent / "shared" / "market" / "erc_reference_cases.json"

BLOCKS = np.array([[1.0, 0.8, 0.0, 0.0], [0.8, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, -0.5], [0.0, 0.0, -0.5, 1.0]])
VOLS = np.array([0.1, 0.2, 0.3, 0.4])


def covariance(correlation: np.ndarray, sigma: np.ndarray) -> np.ndarray:
    return correlation * np.outer(sigma, sigma)


def hedged_correlation(rng: np.random.Generator, n: int, smallest: float) -> np.ndarray:
    """Random matrix whose smallest eigenvalue has a positive eigenvector: the assets hedge each other."""
    basis = rng.normal(size=(n, n))
    basis[:, 0] = np.abs(basis[:, 0]) + 0.1
    vectors, _ = np.linalg.qr(basis)
    values = np.concatenate([[smallest], 10 ** rng.uniform(-1, 0, n - 1)])
    matrix = (vectors * values) @ vectors.T
    scale = 1 / np.sqrt(np.diag(matrix))
    return matrix * np.outer(scale, scale)


def high_precision(correlation: np.ndarray, budgets: np.ndarray, start: np.ndarray) -> list[mpmath.mpf]:
    """The positive root of x_i (C x)_i = b_i to 50 digits (it is unique, so the start does not matter)."""
    n = len(budgets)
    with mpmath.workdps(60):
        C = mpmath.matrix(correlation.tolist())
        b = [mpmath.mpf(v) for v in budgets.tolist()]
        x = mpmath.matrix(start.tolist())
        for _ in range(8):
            Cx = C * x
            residual = mpmath.matrix([x[i] * Cx[i] - b[i] for i in range(n)])
            jacobian = mpmath.matrix(n, n)
            for i in range(n):
                for j in range(n):
                    jacobian[i, j] = x[i] * C[i, j] + (Cx[i] if i == j else 0)
            x -= mpmath.lu_solve(jacobian, residual)
        assert mpmath.norm(residual, mpmath.inf) < mpmath.mpf(10) ** -50
        assert all(v > 0 for v in x)
        return list(x)


@pytest.mark.parametrize(
    ("correlation", "published", "volatility"),
    [(np.eye(4), [0.48, 0.24, 0.16, 0.12], 0.096), (BLOCKS, [0.384, 0.192, 0.243, 0.182], 0.103)],
    ids=["example 1", "example 2"],
)
def test_solve_parity__maillard_roncalli_teiletche_2010__published_digits(
    correlation: np.ndarray, published: list[float], volatility: float
) -> None:
    solution = solve_parity(covariance(correlation, VOLS))
    np.testing.assert_allclose(solution.weights, published, atol=0.0005)
    assert solution.volatility == pytest.approx(volatility, abs=0.0005)


def test_solve_parity__every_reference_case__published_digits_and_recomputed_weights() -> None:
    if not CASES.is_file():
        pytest.skip("../shared/market is not here; two of its cases stand in the test above")
    cases = json.loads(CASES.read_text())["cases"]
    assert len(cases) >= 7
    for case in cases:
        solution = solve_parity(case["covariance"], case["budgets"])
        digits = 0.5000001 * 10.0 ** -case["expected_decimals"]
        np.testing.assert_allclose(solution.weights, case["expected_weights"], rtol=0, atol=digits)
        np.testing.assert_allclose(solution.weights, case["recomputed_weights"], rtol=0, atol=1e-9)
        assert solution.volatility == pytest.approx(case["recomputed_vol"], abs=1e-9)


@pytest.mark.parametrize("rho", [-0.999999, -0.5, 0.0, 0.9, 0.999999])
def test_solve_parity__two_assets__inverse_volatility_whatever_the_correlation(rho: float) -> None:
    matrix = covariance(np.array([[1.0, rho], [rho, 1.0]]), np.array([0.2, 0.6]))
    np.testing.assert_allclose(solve_parity(matrix).weights, [0.75, 0.25], rtol=1e-9)


def test_solve_parity__no_correlation__root_of_budget_over_volatility() -> None:
    budgets = np.array([0.1, 0.2, 0.3, 0.4])
    expected = np.sqrt(budgets) / VOLS
    solution = solve_parity(np.diag(VOLS**2), budgets)
    np.testing.assert_allclose(solution.weights, expected / expected.sum(), rtol=1e-12)
    np.testing.assert_allclose(solution.coordinates, np.sqrt(budgets), rtol=1e-12)


def test_solve_parity__volatilities_change__coordinates_do_not() -> None:
    first = solve_parity(covariance(BLOCKS, VOLS)).coordinates
    second = solve_parity(covariance(BLOCKS, VOLS[::-1] * 1e5)).coordinates
    np.testing.assert_allclose(first, second, rtol=1e-10)


def test_solve_parity__skew_of_rounding__solution_of_the_symmetric_matrix() -> None:
    """A thousandth of what is refused, and more than a product D C D leaves."""
    S = covariance(BLOCKS, VOLS)
    expected = solve_parity(S)
    S[0, 1] *= 1 + 1e-10
    found = solve_parity(S)
    for name in ("weights", "coordinates", "volatility", "contributions"):
        np.testing.assert_allclose(getattr(found, name), getattr(expected, name), rtol=1e-9)


def test_solve_parity__one_asset__everything() -> None:
    assert solve_parity([[0.04]]).weights.tolist() == [1.0]


def test_solve_parity__variances_600_orders_apart__still_certified() -> None:
    solution = solve_parity(np.diag([1e-300, 1e300]))
    assert solution.max_error <= TOLERANCE
    assert solution.weights[0] == pytest.approx(1.0)


@settings(max_examples=150, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    n=st.integers(2, 12),
    smallest=st.floats(-5, -0.1),
    spread=st.floats(0, 8),
    thin=st.floats(0, 6),
)
def test_solve_parity__hedged_and_near_singular__contributions_equal_budgets(
    seed: int, n: int, smallest: float, spread: float, thin: float
) -> None:
    rng = np.random.default_rng(seed)
    sigma = 10 ** rng.uniform(-spread, spread, n)
    matrix = covariance(hedged_correlation(rng, n, 10**smallest), sigma)
    budgets = 10 ** rng.uniform(-thin, 0, n)
    budgets /= budgets.sum()
    solution = solve_parity(matrix, budgets)
    assert (solution.weights > 0).all()
    assert solution.weights.sum() == pytest.approx(1.0, rel=1e-12)
    assert solution.contributions.sum() == pytest.approx(solution.volatility, rel=1e-9)
    np.testing.assert_allclose(solution.contributions / solution.volatility, budgets, rtol=0, atol=1e-9)
    correlation = matrix / np.outer(np.sqrt(np.diag(matrix)), np.sqrt(np.diag(matrix)))
    assert certificate_error(correlation, solution.coordinates, budgets) <= 1e-9
    assert solution.iterations <= 60


@pytest.mark.parametrize("seed", range(12))
def test_solve_parity__against_50_digits__weights_within_1e_9(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 9))
    matrix = hedged_correlation(rng, n, 10 ** rng.uniform(-4, -1))
    budgets = rng.dirichlet(np.ones(n)) * 0.9 + 0.1 / n
    solution = solve_parity(matrix, budgets)
    exact = high_precision(matrix, budgets, solution.coordinates)
    total = sum(exact)
    assert [float(v) for v in exact] == pytest.approx(solution.coordinates.tolist(), rel=1e-9)
    assert [float(v / total) for v in exact] == pytest.approx(solution.weights.tolist(), rel=1e-9)


def test_solve_parity_batch__stack__same_as_one_by_one() -> None:
    rng = np.random.default_rng(3)
    stack = np.array(
        [covariance(hedged_correlation(rng, 5, 0.01), rng.uniform(0.1, 2, 5)) for _ in range(50)]
    )
    budgets = rng.dirichlet(np.full(5, 2.0), size=50) * 0.95 + 0.01
    batch = solve_parity_batch(stack, budgets)
    assert len(batch) == 50
    for k in range(50):
        np.testing.assert_allclose(batch[k].weights, solve_parity(stack[k], budgets[k]).weights, rtol=1e-10)


def test_solve_parity_batch__budgets_for_all__broadcast() -> None:
    batch = solve_parity_batch(np.stack([np.eye(2), np.diag([1.0, 4.0])]), [0.5, 0.5])
    np.testing.assert_allclose(batch.weights, [[1 / 2, 1 / 2], [2 / 3, 1 / 3]])


def test_solve_parity__beyond_double_precision__refused_rather_than_wrong() -> None:
    matrix = hedged_correlation(np.random.default_rng(5), 8, 1e-12)
    with pytest.raises(SolverError, match="nearly singular"):
        solve_parity(matrix)


@pytest.mark.parametrize(
    ("matrix", "budgets", "message"),
    [
        ([[1.0, 0.0]], None, "square"),
        ([1.0, 2.0], None, "square"),
        ([], None, "square"),
        ([[]], None, "square"),
        ([[1.0, 0.5], [0.4, 1.0]], None, "not symmetric"),
        ([[1.0, float("nan")], [0.0, 1.0]], None, "not finite"),
        ([[1.0, "x"], [0.0, 1.0]], None, "not an array of numbers"),
        ([[1.0, 2.0], [2.0, 1.0]], None, "not positive definite"),
        ([[1.0, 1.0], [1.0, 1.0]], None, "not positive definite"),
        ([[0.0, 0.0], [0.0, 1.0]], None, "variance of asset 0"),
        ([[-1.0, 0.0], [0.0, 1.0]], None, "variance of asset 0"),
        (np.eye(2), [0.5, 0.6], "sum to 1.1"),
        (np.eye(2), [1.0, 0.0], "not > 0"),
        (np.eye(2), [1.5, -0.5], "not > 0"),
        (np.eye(2), [1.0], "give one an asset"),
        (np.eye(2), [[0.5, 0.5]], "give one an asset"),
        (np.eye(2), [0.5, float("inf")], "budget inf of asset 1 is not > 0 and finite"),
    ],
)
def test_solve_parity__outside_the_domain__solver_error(
    matrix: object, budgets: object, message: str
) -> None:
    with pytest.raises(SolverError, match=message):
        solve_parity(matrix, budgets)  # type: ignore[arg-type]


def test_certificate_error__perturbed_or_negative__seen() -> None:
    budgets = np.full(4, 0.25)
    x = solve_parity(BLOCKS).coordinates
    assert certificate_error(BLOCKS, x, budgets) < 1e-12
    assert certificate_error(BLOCKS, x * [1.001, 1, 1, 1], budgets) > 1e-4
    assert certificate_error(BLOCKS, -x, budgets) == float("inf")


def test_risk_contributions__nothing_held__zeros() -> None:
    assert risk_contributions(np.eye(2), np.zeros(2)).tolist() == [0.0, 0.0]
