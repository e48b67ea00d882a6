"""When the compiled kernels are used. They are an extra, `pip install equipoise[fast]`; NumPy is enough.

Loading numba takes a second, and some seconds once after an installation: as long as NumPy takes for
thousands of solutions. So a process solves its first ones in NumPy, as just-in-time compilers do.
"""

from __future__ import annotations

from functools import lru_cache
from importlib import import_module
from types import ModuleType

import numpy as np

from equipoise.types import FloatArray

__all__ = ["WARM_UP", "contiguous", "kernels", "load_kernels"]

WARM_UP = 1000
"""Solutions of a process before numba is loaded."""

_left = WARM_UP


def kernels() -> ModuleType | None:
    """The module `kernels` for one more solution; None while the process warms up, and without numba."""
    global _left
    if _left > 0:
        _left -= 1
        return None
    return _loaded()


def load_kernels() -> bool:
    """Use the kernels from now on, without a warm-up; whether there are any.

    There are none without numba, with NUMBA_DISABLE_JIT=1, and where numba finds no place for its cache.
    """
    global _left
    _left = 0
    return _loaded() is not None


@lru_cache(maxsize=1)
def _loaded() -> ModuleType | None:
    try:
        if import_module("numba").config.DISABLE_JIT:
            return None
        return import_module("equipoise.solver.kernels")
    except (ImportError, RuntimeError):  # not installed, not for this NumPy, or nowhere to keep the cache
        return None


def contiguous(S: FloatArray) -> FloatArray:
    """An array as the kernels' signatures ask for it; itself where it already is."""
    flags = S.flags
    return S if flags.c_contiguous and flags.aligned else np.array(S, order="C")
