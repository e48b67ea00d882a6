"""Largest and smallest of a few numbers, several times faster than NumPy's reductions of short arrays."""

from __future__ import annotations

import numpy as np

from equipoise.types import FloatArray

__all__ = ["SHORT", "largest", "smallest"]

SHORT = 64


def largest(v: FloatArray) -> float:
    """max |v_i| of shape (n,); NaN entries may or may not show."""
    return float(max(map(abs, v.tolist()))) if len(v) <= SHORT else float(np.abs(v).max())


def smallest(v: FloatArray) -> float:
    """min v_i of shape (n,); NaN entries may or may not show."""
    return float(min(v.tolist())) if len(v) <= SHORT else float(v.min())
