"""The compiled kernels are used where numba is, give NumPy's answers, and are not believed."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.errors import SolverError
from equipoise.solver import TOLERANCE, ParitySolution, compiled, load_kernels, parity, solve_parity
from equipoise.types import FloatArray
from tests.bench.problems import FAMILIES, problems

LARGE = 120


@pytest.fixture(scope="module", autouse=True)
def path() -> None:
    """Once, and both ways within a test; see `conftest`."""
    if not load_kernels():
        pytest.skip("numba is not here (pip install equipoise[fast]), or NUMBA_DISABLE_JIT is set")


def both(S: FloatArray, b: FloatArray, **options: object) -> tuple[ParitySolution, ParitySolution]:
    """Through the kernels and without."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parity, "kernels", compiled.kernels)
        machine = solve_parity(S, b, **options)  # type: ignore[arg-type]
        patch.setattr(parity, "kernels", lambda: None)
        return machine, solve_parity(S, b, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("n", [2, 8, 40, LARGE])
def test_solve_parity__with_and_without_kernels__same_weights(family: str, n: int) -> None:
    covariances, budgets = problems(family, n, 3)
    for S, b in zip(covariances, budgets, strict=True):
        machine, plain = both(S, b)
        assert max(machine.max_error, plain.max_error) <= TOLERANCE
        np.testing.assert_allclose(machine.weights, plain.weights, rtol=1e-6)
        np.testing.assert_allclose(machine.contributions, plain.contributions, atol=1e-9 * plain.volatility)
        assert machine.volatility == pytest.approx(plain.volatility, rel=1e-7)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1), n=st.integers(2, 100), thin=st.floats(0, 6), scale=st.floats(-200, 200)
)
def test_solve_parity__any_matrix__both_ways_certified(seed: int, n: int, thin: float, scale: float) -> None:
    rng = np.random.default_rng(seed)
    S = np.cov(rng.standard_normal((2 * n + 5, n)) @ rng.normal(0.1, 1, (n, n)), rowvar=False) * 10.0**scale
    b = 10 ** rng.uniform(-thin, 0, n)
    machine, plain = both(S, b / b.sum())
    assert max(machine.max_error, plain.max_error) <= TOLERANCE
    # the certificate, from the weights alone
    parts = machine.weights * (S @ machine.weights)
    np.testing.assert_allclose(parts / parts.sum(), b / b.sum(), rtol=0, atol=1e-9)


@pytest.mark.parametrize("n", [6, LARGE])
@pytest.mark.parametrize("how", ["columns first", "a view", "read only", "single precision", "not aligned"])
def test_solve_parity__arrays_of_any_layout__same_weights_and_left_alone(n: int, how: str) -> None:
    S, b = (values[0] for values in problems("well", n, 1))
    expected = solve_parity(S, b).weights
    wide = np.zeros((2 * n, 2 * n))
    wide[::2, ::2] = S
    shifted = np.zeros(8 * n * n + 1, dtype=np.uint8)[1:].view(float).reshape(n, n)
    shifted[:] = S
    layouts = {
        "columns first": np.asfortranarray(S),
        "a view": wide[::2, ::2],
        "read only": S.copy(),
        "single precision": S.astype(np.float32),
        "not aligned": shifted,
    }
    given_matrix = layouts[how]
    given_matrix.flags.writeable = how != "read only"
    b.flags.writeable = how != "read only"
    before = given_matrix.copy()
    found = solve_parity(given_matrix, b).weights
    np.testing.assert_allclose(found, expected, rtol=1e-5 if how == "single precision" else 1e-8)
    np.testing.assert_array_equal(given_matrix, before)


@pytest.mark.parametrize("n", [6, LARGE])
def test_solve_parity__start_that_is_a_view__same_weights(n: int) -> None:
    S, b = (values[0] for values in problems("well", n, 1))
    start = np.repeat(solve_parity(S, b).coordinates, 2)[::2]
    machine, plain = both(S, b, start=start)
    np.testing.assert_allclose(machine.weights, plain.weights, rtol=1e-8)
    assert machine.iterations <= 1


@pytest.mark.parametrize("trusting", [False, True])
def test_solve_parity__curvature_below_single_precision__solved_all_the_same(trusting: bool) -> None:
    """All assets together are a hedge of which the rough copy of the matrix sees no positive variance."""
    rest = 1e-8
    rho = (1 - rest) / (LARGE - 1)
    S = np.eye(LARGE) * (1 + rho) - rho
    machine, plain = both(S, np.full(LARGE, 1 / LARGE), assume_definite=trusting)
    for found in (machine, plain):
        np.testing.assert_allclose(found.weights, 1 / LARGE, rtol=1e-6)
        assert found.volatility == pytest.approx(np.sqrt(rest / LARGE), rel=1e-6)


def liar(**lies: object) -> SimpleNamespace:
    real = compiled._loaded()
    names = ("coordinates_dense", "direction", "product_lower", "scan")
    return SimpleNamespace(**({name: getattr(real, name, None) for name in names} | lies))


@pytest.mark.parametrize("wrong", ["coordinates", "volatilities", "nan", "negative"])
def test_solve_parity__kernel_that_lies__seen_and_solved_without_it(
    wrong: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    S, b = (values[0] for values in problems("well", 6, 1))
    monkeypatch.setattr(parity, "kernels", lambda: None)
    expected = solve_parity(S, b)
    x, sigma = expected.coordinates, np.sqrt(np.diag(S))
    tilt = np.array([1.0, 1.0, 1.001, 1.0, 1.0, 1.0])
    made = {
        "coordinates": (x * tilt, sigma),
        "volatilities": (x, sigma * tilt),
        "nan": (x * np.nan, sigma),
        "negative": (-x, sigma),
    }[wrong]
    told: list[str] = []

    def coordinates_dense(*_: object) -> tuple[object, ...]:
        told.append(wrong)
        return (*made, 1, True, 1.0)

    monkeypatch.setattr(parity, "kernels", lambda: liar(coordinates_dense=coordinates_dense))
    found = solve_parity(S, b)
    assert told == [wrong]
    np.testing.assert_array_equal(found.weights, expected.weights)


@pytest.mark.parametrize("lie", ["direction", "no direction", "product"])
def test_solve_parity__rough_kernels_that_lie__certified_all_the_same(
    lie: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    S, b = (values[0] for values in problems("well", LARGE, 1))
    expected = solve_parity(S, b)
    lies: dict[str, dict[str, object]] = {
        "direction": {"direction": lambda lower, h, g, forcing: (g[::-1].copy(), True)},
        "no direction": {"direction": lambda lower, h, g, forcing: (g, False)},
        "product": {"product_lower": lambda lower, v: v * np.linspace(1, 2, len(v))},
    }
    machine = liar(**lies[lie])
    monkeypatch.setattr(parity, "kernels", lambda: machine)
    found = solve_parity(S, b)
    assert found.max_error <= TOLERANCE
    np.testing.assert_allclose(found.weights, expected.weights, rtol=1e-6)


@pytest.fixture
def fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As in a process that has solved nothing yet."""
    monkeypatch.setattr(compiled, "_left", compiled.WARM_UP)
    compiled._loaded.cache_clear()
    yield
    compiled._loaded.cache_clear()


@pytest.mark.usefixtures("fresh")
def test_kernels__process_that_warms_up__only_after_so_many_solutions(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(compiled, "_left", 3)
    assert [compiled.kernels() is None for _ in range(5)] == [True, True, True, False, False]


@pytest.mark.usefixtures("fresh")
def test_load_kernels__process_that_warms_up__used_at_once() -> None:
    assert load_kernels()
    assert compiled.kernels() is not None


@pytest.mark.usefixtures("fresh")
def test_load_kernels__no_numba__false_and_numpy_solves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "numba", None)  # importing it is an ImportError then
    assert not load_kernels()
    assert solve_parity(np.eye(3)).weights == pytest.approx([1 / 3] * 3)


@pytest.mark.usefixtures("fresh")
def test_load_kernels__jit_switched_off__false(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules["numba"].config, "DISABLE_JIT", True)
    assert not load_kernels()


@pytest.mark.parametrize("n", [5, LARGE])
def test_solve_parity__slightly_skew__same_answer_both_ways(n: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between rounding and an error there is a matrix that is taken as its symmetric part."""
    S, b = (values[0] for values in problems("well", n, 1))
    S[0, 1] *= 1 + 1e-10
    machine, plain = both(S, b)
    np.testing.assert_allclose(machine.weights, plain.weights, rtol=1e-8)
    S[0, 1] *= 1 + 1e-5
    for switch in (compiled.kernels, lambda: None):
        monkeypatch.setattr(parity, "kernels", switch)
        with pytest.raises(SolverError, match="not symmetric"):
            solve_parity(S, b)
