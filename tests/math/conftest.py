"""A harness around the internal libraries, and random correlation matrices that are hard on solvers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from equipoise.client import Contract, create, load_artifact
from equipoise.units import pack_budgets, pack_correlations, unpack_correlations, unpack_word8

FLOOR = 0.002  # smallest eigenvalue floor that the oracle can be set to
WAD = 10**18


@dataclass(frozen=True)
class Case:
    """A packed problem: words as the chain takes them, arrays as the chain reads them."""

    n: int
    correlations: tuple[int, int]
    budgets: int

    @property
    def C(self) -> np.ndarray:
        return unpack_correlations(self.correlations, self.n)

    @property
    def b(self) -> np.ndarray:
        return unpack_word8(self.budgets, self.n)


@pytest.fixture(scope="module")
def harness(world: Any) -> Contract:
    return create(world.chain, load_artifact("MathHarness"), sender=world.accounts[0])


@pytest.fixture(scope="session")
def call_each() -> Callable[..., list[Any]]:
    """Results of one function for many argument lists, in one exchange."""

    def run(contract: Contract, function: str, arguments: list[tuple[Any, ...]]) -> list[Any]:
        calls = [(contract.address, contract.encode(function, *each)) for each in arguments]
        count = len(arguments[0])
        return [contract.decode(function, data, count) for data in contract.chain.call_many(calls)]

    return run


def _rows(rng: np.random.Generator, n: int, sign: int) -> np.ndarray:
    """Through Cholesky rows whose last entry, the root of a pivot, is often tiny."""
    L = np.eye(n)
    for i in range(1, n):
        row = rng.normal(size=i)
        row = sign * np.abs(row) if sign else row
        pivot = 10 ** rng.uniform(-3, 0)
        L[i, :i] = row / np.linalg.norm(row) * np.sqrt(1 - pivot)
        L[i, i] = np.sqrt(pivot)
    return L @ L.T


def _correlation(rng: np.random.Generator, n: int) -> np.ndarray:
    kind = rng.integers(5)
    if kind == 0:  # all pairs as negative as they can be, perhaps with flipped signs
        rho = -(1 - 10 ** rng.uniform(-3, 0)) / (n - 1)
        flips = rng.choice([-1, 1], n) if rng.random() < 0.5 else np.ones(n)
        return (np.full((n, n), rho) + (1 - rho) * np.eye(n)) * np.outer(flips, flips)
    if kind == 1:  # few factors, little noise
        loadings = rng.normal(size=(n, int(rng.integers(1, n + 1))))
        covariance = loadings @ loadings.T + 10 ** rng.uniform(-4, -0.5) * np.eye(n)
    elif kind == 2:  # a random spectrum over four decades
        basis, _ = np.linalg.qr(rng.normal(size=(n, n)))
        covariance = (basis * 10 ** rng.uniform(-4, 0, n)) @ basis.T
    else:
        covariance = _rows(rng, n, -1 if kind == 3 else 0)
    scale = 1 / np.sqrt(np.diag(covariance))
    return covariance * np.outer(scale, scale)


@pytest.fixture(scope="session")
def random_case() -> Callable[..., Case]:
    """A problem whose smallest eigenvalue is above `floor`, often only just; `n` and budgets random."""

    def make(rng: np.random.Generator, floor: float = FLOOR, n: int | None = None) -> Case:
        n = n or int(rng.integers(2, 9))
        C = _correlation(rng, n)
        smallest = np.linalg.eigvalsh(C)[0]
        target = floor * (1.1 + 0.3 * rng.random())
        if smallest < target:
            mix = (target - smallest) / (1 - smallest)
            C = (1 - mix) * C + mix * np.eye(n)
        budgets = np.full(n, 1 / n)
        if rng.random() < 0.5:
            budgets = 0.0101 + (1 - 0.0101 * n) * rng.dirichlet(np.full(n, 0.5))
        np.fill_diagonal(C, 1.0)
        return Case(n, pack_correlations((C + C.T) / 2), pack_budgets(budgets))

    return make
