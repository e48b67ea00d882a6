"""Parity coordinates and weights, each with its certificate. NumPy alone, faster with numba; no files."""

from equipoise.solver.batch import solve_parity_batch
from equipoise.solver.compiled import load_kernels
from equipoise.solver.constrained import ConstrainedSolution, solve_parity_constrained
from equipoise.solver.factor import solve_parity_factor
from equipoise.solver.parity import solve_parity
from equipoise.solver.solution import TOLERANCE, ParityBatch, ParitySolution

__all__ = [
    "TOLERANCE",
    "ConstrainedSolution",
    "ParityBatch",
    "ParitySolution",
    "load_kernels",
    "solve_parity",
    "solve_parity_batch",
    "solve_parity_constrained",
    "solve_parity_factor",
]
