"""Our covariance estimators where skfolio asks for its own kind; needs the extra `study`."""

from __future__ import annotations

from typing import Any

from skfolio.moments.covariance import BaseCovariance
from sklearn.base import clone

__all__ = ["SkfolioCovariance"]


class SkfolioCovariance(BaseCovariance):
    """Wraps any estimator with `fit` and `covariance_`, such as `DccCovariance`, for a prior of skfolio.

    `nearest`, `higham` and `higham_max_iteration` are skfolio's own.
    """

    def __init__(
        self, estimator: Any, nearest: bool = True, higham: bool = False, higham_max_iteration: int = 100
    ) -> None:
        super().__init__(nearest=nearest, higham=higham, higham_max_iteration=higham_max_iteration)
        self.estimator = estimator

    def fit(self, X: Any, y: Any = None) -> SkfolioCovariance:
        """Fit a clone of the estimator to returns X, shape (T, n)."""
        self.estimator_ = clone(self.estimator).fit(X)
        self._set_covariance(self.estimator_.covariance_)
        return self
