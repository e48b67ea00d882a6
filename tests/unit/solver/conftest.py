"""Every test of this room runs twice: in NumPy alone and through the compiled kernels."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from equipoise.solver import load_kernels, parity


@pytest.fixture(scope="module", autouse=True, params=["numpy", "compiled"])
def path(request: pytest.FixtureRequest) -> Iterator[None]:
    if request.param == "compiled" and not load_kernels():
        pytest.skip("numba is not here (pip install equipoise[fast]), or NUMBA_DISABLE_JIT is set")
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "numpy":
            patch.setattr(parity, "kernels", lambda: None)
        yield
