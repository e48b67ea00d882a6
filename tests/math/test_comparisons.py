"""On-chain mathematics against references at 50 digits: every function, on edges and at random."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import mpmath
import pytest

from equipoise.client import Contract, create, load_artifact
from equipoise.client.rpc import RpcChain
from tests.math import comparisons_oracle, comparisons_vault
from tests.math.comparison import WAD, Comparison, table

COMPARISONS = [*comparisons_oracle.COMPARISONS, *comparisons_vault.COMPARISONS]
BATCH = 500


@pytest.fixture(scope="module")
def harnesses(node: RpcChain) -> Callable[[str], Contract]:
    made: dict[str, Contract] = {}

    def harness(name: str) -> Contract:
        if name not in made:
            made[name] = create(node, load_artifact(name), sender=node.request("eth_accounts")[0])
        return made[name]

    return harness


@pytest.mark.parametrize("comparison", COMPARISONS, ids=lambda c: c.name)
def test_function__edges_and_random__within_its_bound(
    comparison: Comparison, harnesses: Callable[[str], Contract], call_each: Callable[..., list[Any]]
) -> None:
    """EQ-16, EQ-45, EQ-140, EQ-142, EQ-144: every number lies in the interval of its reference."""
    cases = comparison.cases()
    contract = harnesses(comparison.harness)
    results = [
        result
        for first in range(0, len(cases), BATCH)
        for result in call_each(contract, comparison.function, cases[first : first + BATCH])
    ]
    with mpmath.workdps(50):
        wrong = [v for case, r in zip(cases, results, strict=True) for v in comparison.violations(case, r)]
    assert not wrong, f"{len(wrong)} of {len(cases)}: {wrong[:3]}"


def test_ewma__a_history_of_returns__is_the_definition(
    harnesses: Callable[[str], Contract], call_each: Callable[..., list[Any]]
) -> None:
    """EQ-140: step by step the same as sum w_k r_k^2 year / t_k / sum w_k, within a unit a step."""
    history = [(3_600, 40_000), (86_400, -900_000), (7_200, 0), (600, 2_000), (43_200, 500_000)] * 4
    harness, half_life, top = harnesses("OracleMathHarness"), 11 * 86_400, 4 * 10**9
    vol, weight = 0, 0
    for elapsed, change in history:
        sample = harness.call("sample", change, elapsed)
        old, fresh = harness.call("weights", weight, elapsed, half_life)
        vol, weight = harness.call("ewmaUpdate", vol, sample, old, fresh, top), old + fresh
    with mpmath.workdps(50):
        age, total, mean = 0, mpmath.mpf(0), mpmath.mpf(0)
        for elapsed, change in reversed(history):
            decay = mpmath.mpf(2) ** (-mpmath.mpf(age) / half_life)
            w = (1 - mpmath.mpf(2) ** (-mpmath.mpf(elapsed) / half_life)) * decay
            total, mean = total + w, mean + w * mpmath.mpf(change) ** 2 * 365 * 86_400 / elapsed
            age += elapsed
        exact = mpmath.sqrt(mean / total)
        assert exact - len(history) <= vol <= exact + 1
        assert abs(weight - total * WAD) <= 4 * len(history)


def test_factorise__any_accepted_matrix__multiplies_back(
    harnesses: Callable[[str], Contract], call_each: Callable[..., list[Any]]
) -> None:
    """EQ-3: L D L' is the matrix within 2 n units of 1e-18 an entry, as far as pivots reach 1e-3."""
    systems = next(c for c in COMPARISONS if c.function == "solveLinear").cases()
    arguments = [(a, n, WAD // 1_000) for a, _, n in systems]
    answers = call_each(harnesses("MathHarness"), "factorise", arguments)
    complete = 0
    for (a, n, least), (packed, accepted, index, pivot) in zip(arguments, answers, strict=True):
        if not accepted:
            assert pivot < least
            assert index > 0
            continue
        complete += 1
        with mpmath.workdps(50):
            E = [[mpmath.mpf(packed[i * n + j]) for j in range(n)] for i in range(n)]
            for i in range(n):
                for j in range(i + 1):
                    below = sum((E[i][k] * E[j][k] / E[k][k] for k in range(j)), mpmath.mpf(0))
                    assert abs(below + E[i][j] - a[i * n + j]) <= 2 * n
    assert complete > 30


def test_factorise__of_simple_fractions__is_exact(harnesses: Callable[[str], Contract]) -> None:
    """EQ-3: no rounding where there is nothing to round, also below zero."""
    half, quarter = WAD // 2, WAD // 4
    a = [WAD, 0, 0, half, WAD, 0, -half, 0, WAD]
    packed, complete, index, pivot = harnesses("MathHarness").call("factorise", a, 3, 1)
    assert (complete, index, pivot) == (True, 0, 0)
    last = WAD - quarter - quarter**2 // (3 * quarter)
    assert packed[3:6] == [half, 3 * quarter, 0]
    assert packed[6:8] == [-half, quarter]
    assert abs(packed[8] - last) <= 1


def test_factorise__a_row_that_fails_early__is_not_gone_on_with(harnesses: Callable[[str], Contract]) -> None:
    """EQ-3: its pivot is told as far as it was eliminated: 1 - 0.9^2, without the 0.4^2."""
    a = [WAD, 0, 0, 0, WAD, 0, 9 * WAD // 10, 4 * WAD // 10, WAD]
    _, complete, index, pivot = harnesses("MathHarness").call("factorise", a, 3, WAD // 2)
    assert (complete, index, pivot) == (False, 2, 19 * WAD // 100)


def test_table__in_the_readme__is_of_these_comparisons() -> None:
    """`python -m tests.math.test_comparisons` prints the table anew."""
    assert table(COMPARISONS) in (Path(__file__).parent / "README.md").read_text()


if __name__ == "__main__":
    print(table(COMPARISONS))
