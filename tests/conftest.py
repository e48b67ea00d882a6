"""Plugins of shared fixtures, which live in tests/fixtures, and the depth of generated tests.

`HYPOTHESIS_PROFILE` is quick, default or deep; generated examples are the same in every run but a deep one.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

pytest_plugins = [
    "tests.fixtures.node",
    "tests.fixtures.build",
    "tests.fixtures.world",
    "tests.fixtures.market",
    "tests.fixtures.levered",
    "tests.fixtures.governance",
    "tests.fixtures.attacks",
    "tests.fixtures.lives",
    "tests.fixtures.keeping",
    "tests.fixtures.deploying",
    "tests.fixtures.privileges",
]

_SHARED_CHAIN = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
for name, examples in {"quick": 20, "default": 100, "deep": 2_000}.items():
    settings.register_profile(
        name,
        max_examples=examples,
        derandomize=name != "deep",
        deadline=None,
        suppress_health_check=_SHARED_CHAIN,
    )
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))
