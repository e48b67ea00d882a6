"""One volatility from three opinions: EWMA (now lasts), GARCH (now fades), implied (what options cost).

Variances are averaged, not volatilities: variance is what adds up over days and over beliefs. A model without
an opinion on an asset is left out and the others share its weight; the correlation is the EWMA's.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from equipoise.errors import EstimationError
from equipoise.estimation.ewma import Estimate, EstimationConfig, estimate
from equipoise.estimation.garch import garch_volatility
from equipoise.estimation.implied import ImpliedVolatility

__all__ = ["BlendConfig", "Blended", "blend"]


@dataclass(frozen=True)
class BlendConfig:
    """How much to believe each model.

    Attributes
    ----------
    base
        EWMA volatility and the correlation.
    ewma, garch, implied
        Weights of the three variances, >= 0, sum 1. The defaults had the least or nearly the least QLIKE for
        BTC, ETH and the S&P 500 at 1, 7 and 30 days (`equipoise evaluate`, offchain/README.md).
    horizon_days
        Days ahead that GARCH looks, >= 1.
    implied_max_age_days
        Oldest implied volatility still believed, in days, >= 0.
    """

    base: EstimationConfig = field(default_factory=EstimationConfig)
    ewma: float = 0.25
    garch: float = 0.25
    implied: float = 0.5
    horizon_days: int = 7
    implied_max_age_days: int = 3

    def __post_init__(self) -> None:
        for name, weight in self.weights.items():
            if not weight >= 0:
                raise EstimationError(f"the weight of {name} is {weight}; it must be >= 0")
        total = sum(self.weights.values())
        if not abs(total - 1) <= 1e-9:
            raise EstimationError(
                f"the weights of {', '.join(self.weights)} sum to {total:.9g}; they must sum to 1"
            )
        if not self.horizon_days >= 1:
            raise EstimationError(f"horizon_days is {self.horizon_days}; it must be >= 1")
        if not self.implied_max_age_days >= 0:
            raise EstimationError(f"implied_max_age_days is {self.implied_max_age_days}; it must be >= 0")

    @property
    def weights(self) -> dict[str, float]:
        """Model -> weight."""
        return {"ewma": self.ewma, "garch": self.garch, "implied": self.implied}

    @property
    def model_id(self) -> str:
        """Canonical text of every setting: equal texts, equal models. Raise the 2 when the code changes."""
        base = self.base
        return (
            f"blend-2:ewma({_text(base.volatility_decay)})*{_text(self.ewma)}"
            f"+garch(1,1,{self.horizon_days}d)*{_text(self.garch)}"
            f"+implied({self.implied_max_age_days}d)*{_text(self.implied)}"
            f";corr({_text(base.correlation_decay)},{base.shrinkage},{_text(base.intensity)}"
            f",window={base.window},floor={_text(base.eigenvalue_floor)});min={base.min_observations}"
        )

    @property
    def model_hash(self) -> str:
        """SHA-256 of `model_id`, 64 hexadecimal digits."""
        return hashlib.sha256(self.model_id.encode()).hexdigest()


@dataclass(frozen=True)
class Blended:
    """A blend and where it came from.

    Attributes
    ----------
    estimate
        Blended volatilities, EWMA correlation.
    components
        Asset -> model -> volatility per sqrt(year); only models that had a weight and an opinion.
    model_id
        Of the configuration.
    """

    estimate: Estimate
    components: dict[str, dict[str, float]]
    model_id: str


def blend(
    prices: pd.DataFrame, config: BlendConfig | None = None, implied: ImpliedVolatility | None = None
) -> Blended:
    """Estimate from closes up to and including the last row, and implied volatilities up to that day.

    Parameters
    ----------
    prices
        Shape (T, n) as for `ewma.estimate`.
    config
        Defaults when omitted.
    implied
        May reach beyond the last row: later values are not read.

    Raises
    ------
    EstimationError
        As `ewma.estimate`; or no model with a weight has an opinion on an asset.
    """
    config = config or BlendConfig()
    base = estimate(prices, config.base)
    quotes = implied.at(prices.index[-1], config.implied_max_age_days) if implied else {}
    components: dict[str, dict[str, float]] = {}
    vol_ann = np.empty(len(base.vol_ann))
    for j, name in enumerate(map(str, prices.columns)):
        opinions = {
            "ewma": float(base.vol_ann[j]),
            "garch": _garch(prices.iloc[:, j], config) if config.garch > 0 else None,
            "implied": quotes.get(name),
        }
        heard = {k: v for k, v in opinions.items() if v is not None and config.weights[k] > 0}
        if not heard:
            raise EstimationError(
                f"no model has a volatility of {name} on {base.observed_at}; "
                "give EWMA a weight > 0, more days, or a younger implied volatility"
            )
        components[name] = heard
        weights = np.array([config.weights[k] for k in heard])
        vol_ann[j] = np.sqrt(weights / weights.sum() @ np.square(list(heard.values())))
    return Blended(replace(base, vol_ann=vol_ann), components, config.model_id)


def _garch(closes: pd.Series, config: BlendConfig) -> float | None:
    try:
        return garch_volatility(closes, config.horizon_days)
    except EstimationError:
        return None  # young assets and stubborn fits are expected; `components` shows the absence


def _text(value: float) -> str:
    """Shortest exact decimal, so that 1 and 1.0 read alike."""
    return np.format_float_positional(value, trim="-")
