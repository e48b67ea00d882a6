"""Replay of the real vault on real prices, the figures of the result, and what it is compared with."""

from equipoise.simulation.benchmarks import VAULT, Portfolio, compare, minimum_variance_weights, spans_year
from equipoise.simulation.metrics import Statistics
from equipoise.simulation.result import MODES, ReplayResult

__all__ = [
    "MODES",
    "VAULT",
    "Portfolio",
    "ReplayResult",
    "Statistics",
    "compare",
    "minimum_variance_weights",
    "spans_year",
]
