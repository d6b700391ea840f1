"""Hands every test the real servers of tests/engines."""

pytest_plugins = ("tests.engines.plugin",)
