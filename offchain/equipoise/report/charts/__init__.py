"""The figures of the report, one function each. A title says the finding, computed from the data."""

from __future__ import annotations

from collections.abc import Sequence

from equipoise.report.charts.costs import gas
from equipoise.report.charts.leverage import crashes, health_factor, leverage
from equipoise.report.charts.performance import drawdowns, nav, volatility
from equipoise.report.charts.risk import parity_gap, risk_contributions, weights
from equipoise.report.theme import Chart
from equipoise.simulation import Portfolio, ReplayResult

__all__ = [
    "all_charts",
    "crashes",
    "drawdowns",
    "gas",
    "health_factor",
    "leverage",
    "nav",
    "parity_gap",
    "risk_contributions",
    "volatility",
    "weights",
]


def all_charts(result: ReplayResult, portfolios: Sequence[Portfolio]) -> tuple[Chart, ...]:
    """Every chart of the report, in its order; those of leverage where there was any."""
    chosen = [risk_contributions, weights, parity_gap, gas, volatility]
    chosen += [leverage, health_factor] if result.levered else []
    chosen += [crashes] if result.crashes else []
    return (nav(portfolios), drawdowns(portfolios), *(chart(result, portfolios) for chart in chosen))
