"""The factor model's own edges: shapes, a start, what is accepted, and numbers beyond doubles."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

from equipoise.errors import SolverError
from equipoise.solver import solve_parity_factor

B = np.array([[1.0, 0.2], [0.5, 0.1], [0.3, -0.4]])
MODEL: dict[str, Any] = {
    "loadings": B,
    "factor_covariance": [[0.04, 0.01], [0.01, 0.09]],
    "specific_variance": [0.1, 0.2, 0.3],
}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"loadings": [["a", 1.0]] * 3}, "^loadings is not an array of numbers"),
        ({"factor_covariance": [["a"]]}, "^factor covariance is not an array of numbers"),
        ({"specific_variance": ["a"]}, "^specific variance is not an array of numbers"),
        ({"factor_covariance": np.eye(3)}, r"^loadings have shape \(3, 2\), factor covariance \(3, 3\)"),
        ({"specific_variance": [0.1, 0.2]}, r"specific variance \(2,\); give"),
        ({"loadings": np.ones(3)}, r"^loadings have shape \(3,\)"),
        ({"loadings": np.ones((0, 2)), "specific_variance": []}, r"^loadings have shape \(0, 2\)"),
        ({"loadings": np.where(B == 0.1, np.inf, B)}, r"^loadings have inf at \(1, 1\)"),
        ({"specific_variance": [0.1, 0.2, np.inf]}, "^specific variance of asset 2 is inf"),
        ({"factor_covariance": [[0.04, 0.0], [0.0, -1.0]]}, "^factor variance of asset 1 is -1"),
    ],
)
def test_solve_parity_factor__wrong_model__named(change: dict[str, Any], message: str) -> None:
    with pytest.raises(SolverError, match=message):
        solve_parity_factor(**(MODEL | change))


def test_solve_parity_factor__one_asset_and_one_factor__everything() -> None:
    found = solve_parity_factor([[1.0]], [[0.04]], [0.05])
    assert found.weights.tolist() == [1.0]
    assert found.volatility == pytest.approx(0.3)


def test_solve_parity_factor__start_at_the_solution__no_step_is_needed() -> None:
    cold = solve_parity_factor(**MODEL)
    assert cold.iterations > 0
    warm = solve_parity_factor(**MODEL, start=cold.coordinates)
    assert warm.iterations == 0
    np.testing.assert_allclose(warm.weights, cold.weights, rtol=1e-9)


def test_solve_parity_factor__error_at_the_tolerance__accepted_and_beyond_it_not() -> None:
    error = solve_parity_factor(**MODEL).max_error
    assert error > 0
    assert solve_parity_factor(**MODEL, tolerance=error).max_error == error
    with pytest.raises(SolverError, match=r"misses a budget by .* above"):
        solve_parity_factor(**MODEL, tolerance=error * 0.99)


def test_solve_parity_factor__numbers_beyond_doubles__refused_without_a_warning() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(SolverError):
            solve_parity_factor(**(MODEL | {"loadings": B * 1e200}))
