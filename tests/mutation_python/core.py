"""The Python core: what is mutated, and the tests that need no chain and judge it."""

from __future__ import annotations

MODULES = (
    "units.py",
    *(f"policy/{name}.py" for name in ("auction", "leverage", "parity", "rebalance")),
    *(f"solver/{name}.py" for name in ("batch", "certificate", "checks", "conjugate")),
    *(f"solver/{name}.py" for name in ("constrained", "factor", "groups", "newton", "parity")),
    *(f"solver/{name}.py" for name in ("solution", "stack", "turnover")),
    *(f"oracle/{name}.py" for name in ("aggregator", "payload", "publisher")),
    *(f"estimation/{name}.py" for name in ("blend", "covariance", "ewma", "psd", "shrinkage")),
)
"""Below offchain/equipoise. The numba kernels are out: compiled code cannot be switched while it runs."""

TESTS = (
    "tests/unit/test_units.py",
    "tests/unit/policy",
    "tests/unit/solver",
    *(f"tests/unit/oracle/test_{name}.py" for name in ("aggregator", "committee", "payload", "publisher")),
    *(f"tests/unit/estimation/test_{name}.py" for name in ("blend", "conditioning", "covariance", "ewma")),
)
