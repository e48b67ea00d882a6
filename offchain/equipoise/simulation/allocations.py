"""Traditional allocations on the books, days and costs of a backtest: what the vault is compared with.

Each trades to its weights at the close of the first day of a month, from the covariances and closes known
then: once as it is, without borrowing, and once at the vault's target volatility. Mean-variance and
hierarchical risk parity are skfolio's; without that package they are left out.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np
import pandas as pd

from equipoise.errors import InputError
from equipoise.simulation.backtest import BacktestResult
from equipoise.simulation.benchmarks import Portfolio, minimum_variance_weights
from equipoise.simulation.equal_risk import run_at_volatility
from equipoise.simulation.ledger import run_targets
from equipoise.types import FloatArray

__all__ = ["MISSING_SKFOLIO", "Allocations", "run_allocations"]

MISSING_SKFOLIO = "mean-variance and hierarchical risk parity are left out: pip install 'equipoise[study]'"

WINDOW = 365
"""Rows of returns that mean-variance and hierarchical risk parity look back at."""

LEAST_WINDOW = 30

CALM_SHARE = 0.4

_SUM_TOLERANCE = 1e-6

Rule = Callable[[int], FloatArray | None]
"""Row to weights (n,), sum 1, >= 0; None keeps what is held."""


@dataclass(frozen=True, eq=False)
class Allocations:
    """The allocations of one backtest.

    Attributes
    ----------
    portfolios
        Fully invested, without borrowing.
    equal_risk
        The same mixes in the same order, scaled to the vault's target volatility.
    held_on
        By key the months in which a solver gave no weights, so that both held on to theirs.
    """

    portfolios: tuple[Portfolio, ...]
    equal_risk: tuple[Portfolio, ...]
    held_on: Mapping[str, int]


def run_allocations(
    closes: pd.DataFrame, result: BacktestResult, mix: Sequence[float] | None = None
) -> Allocations:
    """Run every allocation on the days and at the costs of `result`, the backtest of `closes`.

    They start in cash on its base day and invest when the vault does.

    Parameters
    ----------
    closes, result
        As given to and by `run_backtest`.
    mix
        Weights of one's own, shape (n,), >= 0, sum 1, restored every month; they stand in for 60/40.

    Raises
    ------
    InputError
        A mix outside its domain, or too few returns before the first day for skfolio's.
    """
    prices = closes.ffill().bfill()
    first, covariances = result.oracle.first, result.oracle.covariances
    own = None if mix is None else _mix(mix, prices.shape[1])
    months = pd.DatetimeIndex(prices.index).to_period("M")
    turns = [first, *(t for t in range(first + 1, len(prices)) if months[t] != months[t - 1])]
    portfolios, equal_risk, held_on = [], [], {}
    for key, name, rule_text, once, rule in _rules(prices, covariances, own):
        found = {t: rule(t) for t in (turns[:1] if once else turns)}
        targets = {t: weights for t, weights in found.items() if weights is not None}
        portfolio = run_targets(
            prices,
            targets,
            result.config.costs,
            covariances,
            key=key,
            name=name,
            rule=rule_text,
            base=max(first - 1, 0),
        )
        portfolios.append(portfolio)
        scaled = f"{rule_text} Scaled to the vault's target volatility."
        equal_risk.append(run_at_volatility(prices, targets, result, key=key, name=name, rule=scaled))
        held_on[key] = len(found) - len(targets)
    return Allocations(tuple(portfolios), tuple(equal_risk), held_on)


def _mix(values: Sequence[float], n: int) -> FloatArray:
    mix = np.asarray(values, dtype=float)
    written = ", ".join(f"{value:g}" for value in mix)
    if len(mix) != n:
        raise InputError(f"the mix {written} has {len(mix)} weights for {n} assets; give one each")
    if not (mix >= 0).all() or abs(mix.sum() - 1) > _SUM_TOLERANCE:
        raise InputError(f"the mix {written} sums to {mix.sum():g}; give weights >= 0 that sum to 1")
    return mix


def _rules(
    prices: pd.DataFrame, covariances: FloatArray, mix: FloatArray | None
) -> list[tuple[str, str, str, bool, Rule]]:
    n = prices.shape[1]
    equal = np.full(n, 1 / n)

    def inverse_volatility(t: int) -> FloatArray:
        inverse = 1 / np.sqrt(np.diag(covariances[t]))
        return inverse / inverse.sum()

    def sixty_forty(t: int) -> FloatArray:
        """The calmest asset plays the bonds."""
        calm = int(np.diag(covariances[t]).argmin())
        weights = np.full(n, (1 - CALM_SHARE) / (n - 1))
        weights[calm] = CALM_SHARE
        return weights

    rules: list[tuple[str, str, str, bool, Rule]] = [
        ("buy_and_hold", "Buy and hold", "Equal dollars on the first day, never traded again.", True,
         lambda t: equal),
        ("equal_weight", "Equal weight", "Equal dollars, restored every month.", False, lambda t: equal),
        ("sixty_forty", "60/40", "40 % in the asset that is calmest by the estimate, 60 % in equal parts in "
         "the others, restored every month.", False, sixty_forty)
        if mix is None else
        ("mix", "Own mix", " / ".join(f"{100 * share:g}" for share in mix) + " % in the order of the assets, "
         "restored every month.", False, lambda t: mix),
        ("inverse_volatility", "Inverse volatility", "Weights proportional to 1 / volatility, every month.",
         False, inverse_volatility),
        ("minimum_variance", "Min. variance", "Long-only weights of least variance by the same estimate, "
         "every month.", False, lambda t: minimum_variance_weights(covariances[t])),
    ]  # fmt: skip
    if find_spec("skfolio") is not None:
        optimizers = _skfolio()
        rules += [
            ("mean_variance", "Mean-variance", f"Long-only weights of the best Sharpe ratio over the last "
             f"{WINDOW} days, every month (skfolio MeanRisk); none exist where no asset rose.", False,
             _fitted(prices, optimizers["mean_variance"])),
            ("hierarchical", "Hierarchical RP", f"Hierarchical risk parity of the last {WINDOW} days, every "
             "month (skfolio HierarchicalRiskParity).", False, _fitted(prices, optimizers["hierarchical"])),
        ]  # fmt: skip
    return rules


def _skfolio() -> dict[str, Any]:
    from skfolio import RiskMeasure
    from skfolio.optimization import HierarchicalRiskParity, MeanRisk, ObjectiveFunction

    return {
        "mean_variance": MeanRisk(
            objective_function=ObjectiveFunction.MAXIMIZE_RATIO,
            risk_measure=RiskMeasure.VARIANCE,
            # each problem is solved once: compiling it for other parameters would take half of the time
            solver_params={"ignore_dpp": True},
        ),
        "hierarchical": HierarchicalRiskParity(risk_measure=RiskMeasure.VARIANCE),
    }


def _fitted(prices: pd.DataFrame, optimizer: Any) -> Rule:
    """Weights by an estimator of scikit-learn's manners, from simple returns up to the day."""
    returns = prices.pct_change()

    def rule(t: int) -> FloatArray | None:
        window = returns.iloc[max(1, t + 1 - WINDOW) : t + 1]
        if len(window) < LEAST_WINDOW:
            raise InputError(f"{len(window)} returns by {prices.index[t]:%Y-%m-%d}; start the prices earlier")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                weights = np.asarray(optimizer.fit(window).weights_, dtype=float)
        except Exception:  # a solver of another project: whatever it raises, it has no weights
            return None
        weights = np.clip(weights, 0.0, None)
        return weights / weights.sum() if np.isfinite(weights).all() and weights.sum() > 0 else None

    return rule
