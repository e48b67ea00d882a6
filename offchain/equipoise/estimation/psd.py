"""Make a matrix a correlation matrix that is safely positive definite, changing it as little as possible."""

from __future__ import annotations

import numpy as np

from equipoise.errors import EstimationError
from equipoise.types import FloatArray

__all__ = ["nearest_correlation", "repair_correlation"]

_STEPS = 200
_CLOSE = 1e-10


def nearest_correlation(matrix: FloatArray) -> FloatArray:
    """Nearest correlation matrix in the Frobenius norm, up to 1e-10: Higham (2002), alternating projections.

    Shape (n, n), symmetric, finite. The result is positive semidefinite with unit diagonal, often singular.
    """
    Y = _symmetric(matrix)
    correction = np.zeros_like(Y)
    for _ in range(_STEPS):
        R = Y - correction
        values, vectors = np.linalg.eigh(R)
        X = (vectors * np.maximum(values, 0.0)) @ vectors.T
        correction = X - R
        last, Y = Y, X.copy()
        np.fill_diagonal(Y, 1.0)
        if np.abs(Y - last).max() < _CLOSE:
            break
    return (Y + Y.T) / 2


def repair_correlation(matrix: FloatArray, floor: float = 0.02) -> FloatArray:
    """Correlation matrix whose smallest eigenvalue is at least `floor`.

    Parameters
    ----------
    matrix
        Shape (n, n), symmetric with unit diagonal (within 1e-9), entries in any finite range.
    floor
        In (0, 1). The contract refuses pivots below 0.01, and no LDL' pivot is below the smallest eigenvalue.

    Returns
    -------
    array
        The matrix itself when it is good already; else the nearest correlation matrix, mixed with as much of
        the identity as the floor needs.
    """
    C = _symmetric(matrix)
    off = np.abs(np.diag(C) - 1)
    if off.max() > 1e-9:
        i = int(off.argmax())
        raise EstimationError(f"correlation[{i}, {i}] is {C[i, i]:g}; it must be 1 (within 1e-9)")
    if not 0 < floor < 1:
        raise EstimationError(f"eigenvalue floor {floor} is outside (0, 1)")
    np.fill_diagonal(C, 1.0)
    smallest = np.linalg.eigvalsh(C)[0]
    if smallest < 0:
        C = nearest_correlation(C)
        smallest = np.linalg.eigvalsh(C)[0]
    if smallest < floor:
        mix = (floor - smallest) / (1.0 - smallest)
        C = (1.0 - mix) * C + mix * np.eye(len(C))
    return C


def _symmetric(matrix: FloatArray) -> FloatArray:
    """A copy, exactly symmetric; EstimationError that names the entry when it was not, within 1e-9."""
    C = np.array(matrix, dtype=float)
    if C.ndim != 2 or C.shape[0] != C.shape[1] or C.size == 0:
        raise EstimationError(f"correlation has shape {C.shape}; it must be square, (n, n)")
    if not np.isfinite(C).all():
        i, j = map(int, np.argwhere(~np.isfinite(C))[0])
        raise EstimationError(f"correlation[{i}, {j}] is {C[i, j]:g}; it must be finite")
    skew = np.abs(C - C.T)
    if skew.max() > 1e-9:
        i, j = map(int, np.argwhere(skew == skew.max())[0])
        raise EstimationError(
            f"correlation[{i}, {j}] is {C[i, j]:g}, but [{j}, {i}] is {C[j, i]:g}; it must be symmetric"
        )
    return np.asarray((C + C.T) / 2)
