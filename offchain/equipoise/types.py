"""Small types shared by several rooms. No logic lives here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["FloatArray", "IntArray", "RiskModel"]

FloatArray = NDArray[np.floating[Any]]
IntArray = NDArray[np.integer[Any]]


@dataclass(frozen=True)
class RiskModel:
    """What the volatility oracle knows, in floats.

    Attributes
    ----------
    vol_ann
        Shape (n,), volatility per sqrt(year), > 0.
    correlation
        Shape (n, n), symmetric, unit diagonal, positive definite.
    budgets
        Shape (n,), fractions of variance, > 0, sum 1.
    coordinates
        Shape (n,), the x > 0 with x_i (C x)_i = b_i.
    """

    vol_ann: FloatArray
    correlation: FloatArray
    budgets: FloatArray
    coordinates: FloatArray
