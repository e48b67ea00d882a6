"""A study: the vault's backtest, traditional allocations beside it, their uncertainty, and the bands."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from equipoise.simulation.allocations import run_allocations
from equipoise.simulation.backtest import BacktestConfig, BacktestResult, run_backtest
from equipoise.simulation.benchmarks import Portfolio
from equipoise.simulation.bootstrap import Uncertainty, bootstrap
from equipoise.simulation.sweep import run_sweep

__all__ = ["BANDS", "Study", "run_study"]

BANDS: Mapping[str, Sequence[float]] = {
    "parity_band": (0.01, 0.03, 0.05, 0.1),
    "volatility_band": (0.05, 0.1, 0.2, 0.3),
}


@dataclass(frozen=True, eq=False)
class Study:
    """Everything that the page shows.

    Attributes
    ----------
    backtest
        Of the vault.
    portfolios
        The vault first, then the allocations.
    equal_risk
        The vault again, then the mixes of the allocations at its target volatility.
    held_on
        Key -> months in which a solver gave no weights.
    uncertainty, equal_risk_uncertainty
        Bootstrap intervals of all of them.
    sweep
        `sweep.run_sweep` over `grid`.
    grid
        Parameter -> values.
    source
        Where the prices came from.
    """

    backtest: BacktestResult
    portfolios: tuple[Portfolio, ...]
    equal_risk: tuple[Portfolio, ...]
    held_on: Mapping[str, int]
    uncertainty: Uncertainty
    equal_risk_uncertainty: Uncertainty
    sweep: pd.DataFrame
    grid: Mapping[str, Sequence[float]]
    source: str

    @property
    def vault(self) -> Portfolio:
        """The first portfolio."""
        return self.portfolios[0]


def run_study(
    closes: pd.DataFrame,
    config: BacktestConfig,
    *,
    grid: Mapping[str, Sequence[float]] | None = None,
    mix: Sequence[float] | None = None,
    jobs: int | None = None,
    source: str = "",
    on_stage: Callable[[str], None] = lambda _: None,
) -> Study:
    """Backtest, compare, resample, sweep.

    Parameters
    ----------
    closes, config
        As `run_backtest`.
    grid, jobs
        As `run_sweep`; `BANDS` by default.
    mix
        As `run_allocations`.
    source
        Where the prices came from.
    on_stage
        Called with a sentence before each part.

    Raises
    ------
    InputError
        As those functions; or fewer days than `bootstrap` needs.
    """
    on_stage(f"{len(closes)} days of {closes.shape[1]} assets by the vault's policy")
    result = run_backtest(closes, config)
    on_stage("traditional allocations on the same days and costs")
    others = run_allocations(closes, result, mix)
    portfolios = (result.portfolio, *others.portfolios)
    equal_risk = (result.portfolio, *others.equal_risk)
    on_stage("1,000 resamples for the confidence intervals")
    uncertainty = bootstrap(portfolios)
    # on the same days, so that the vault's own intervals are the same beside both
    equal_risk_uncertainty = bootstrap(equal_risk, block=uncertainty.block)
    chosen = BANDS if grid is None else grid
    on_stage("sensitivity to " + " and ".join(name.replace("_", " ") for name in chosen))
    table = run_sweep(closes, config, chosen, jobs=jobs)
    return Study(
        result,
        portfolios,
        equal_risk,
        others.held_on,
        uncertainty,
        equal_risk_uncertainty,
        table,
        dict(chosen),
        source,
    )
