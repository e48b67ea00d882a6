"""The parity coordinates that the oracle lacks, solved here; the chain verifies them."""

from __future__ import annotations

from typing import Any

from equipoise.solver.parity import solve_parity
from equipoise.units import pack_word8, unpack_correlations, unpack_word8

__all__ = ["missing", "solve"]


def missing(risk: Any) -> bool:
    """Whether there are correlations without coordinates, by IVolatilityOracle.RiskData.

    New correlations bring theirs along; new budgets clear them.
    """
    return bool(risk.correlationsAt and not risk.coordinates)


def solve(risk: Any) -> int:
    """WORD8 of the coordinates. Raises SolverError, InputError for what no solver of ours takes."""
    n = risk.n
    matrix = unpack_correlations(risk.correlations, n)
    return pack_word8(solve_parity(matrix, unpack_word8(risk.budgets, n)).coordinates)
