"""Hands every test the real servers of tests/engines, and takes back what one told the log."""

import logging
import os
import signal
from collections.abc import Iterator

import pytest
from hypothesis import settings

# A shell that starts the tests in the background has them ignore what some of them send themselves.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

pytest_plugins = ("tests.engines.plugin",)

# Searching for new examples is for the desk; what is merged is judged by the same ones each time.
settings.register_profile("ci", derandomize=True, deadline=None)
if os.environ.get("CI"):
    settings.load_profile("ci")


@pytest.fixture(autouse=True, scope="session")
def own_memory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What opsctl remembers of settings is not kept in the home of whoever runs the tests."""
    before = os.environ.get("XDG_CACHE_HOME")
    os.environ["XDG_CACHE_HOME"] = str(tmp_path_factory.mktemp("cache"))
    yield
    if before is None:
        del os.environ["XDG_CACHE_HOME"]
    else:
        os.environ["XDG_CACHE_HOME"] = before


@pytest.fixture(autouse=True)
def own_logs(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A run of opsctl inside this process sets its logger up; the next test starts without."""
    monkeypatch.setattr("opsctl.logs._LogState.target", None)
    log = logging.getLogger("opsctl")
    before = (log.level, log.propagate, log.handlers[:])
    yield
    level, log.propagate, log.handlers[:] = before
    log.setLevel(level)
