"""Log returns over observed days: a return spans the closed days before it, and none is invented."""

from __future__ import annotations

import numpy as np
import pandas as pd

__all__ = ["common_returns", "log_returns"]


def log_returns(prices: pd.DataFrame) -> pd.DataFrame:
    """Log return of each asset since its own previous close.

    Parameters
    ----------
    prices
        Shape (T, n), NaN where a market was closed.

    Returns
    -------
    DataFrame
        Shape (T, n); NaN on the first row, before an asset's second price, and where its market was closed.
    """
    logs = pd.DataFrame(np.log(prices))
    return logs - logs.ffill().shift(1)


def common_returns(prices: pd.DataFrame) -> pd.DataFrame:
    """Log returns between consecutive days on which every asset has a price; shape (days - 1, n), no NaN."""
    return pd.DataFrame(np.log(prices.dropna())).diff().iloc[1:]
