"""Plugins of shared fixtures. Fixtures themselves live in tests/fixtures."""

pytest_plugins = ["tests.fixtures.node", "tests.fixtures.build"]
