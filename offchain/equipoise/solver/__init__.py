"""Parity coordinates and weights, each with its certificate. NumPy alone, faster with numba; no files."""

from equipoise.solver.batch import solve_parity_batch
from equipoise.solver.compiled import load_kernels
from equipoise.solver.constrained import ConstrainedSolution, solve_parity_constrained
from equipoise.solver.factor import solve_parity_factor
from equipoise.solver.groups import GroupBudgets, group_budgets
from equipoise.solver.parity import solve_parity
from equipoise.solver.solution import TOLERANCE, ParityBatch, ParitySolution
from equipoise.solver.turnover import TurnoverSolution, solve_parity_turnover

__all__ = [
    "TOLERANCE",
    "ConstrainedSolution",
    "GroupBudgets",
    "ParityBatch",
    "ParitySolution",
    "TurnoverSolution",
    "group_budgets",
    "load_kernels",
    "solve_parity",
    "solve_parity_batch",
    "solve_parity_constrained",
    "solve_parity_factor",
    "solve_parity_turnover",
]
