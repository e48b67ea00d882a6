"""A pytest plugin: no shrinking, since nobody reads the counterexample of a mutant."""

from __future__ import annotations

import pytest
from hypothesis import Phase, settings


@pytest.hookimpl(trylast=True)
def pytest_configure() -> None:
    quick = settings(settings.get_profile("quick"), phases=[Phase.explicit, Phase.generate])
    settings.register_profile("mutants", quick)
    settings.load_profile("mutants")
