"""Brings these fixtures to every test, and makes the `engine` marker mean something."""

import os

import pytest

from tests.engines import (
    addresses,
    certificates,
    compose,
    disks,
    docker,
    mail,
    network,
    own_engine,
    pgbouncer,
    postgres,
    redis,
    server_folders,
    ssh,
    timescale,
    webhook,
)
from tests.engines.require import REQUIRED_VARIABLE, required_engines

_SERVERS = (
    addresses,
    certificates,
    compose,
    disks,
    docker,
    server_folders,
    webhook,
    mail,
    network,
    own_engine,
    pgbouncer,
    postgres,
    redis,
    ssh,
    timescale,
)

# The cheapest fixture that says whether the engine is there.
_PROBES = {
    "docker": "docker_engine",
    "timescale": "timescale_engine",
    "pgbouncer": "pgbouncer_program",
    "postgres": "postgres_bin",
    "redis": "redis_program",
    "root": "root_machine",
    "netem": "netem",
}


def pytest_configure(config: pytest.Config) -> None:
    required_engines(os.environ.get(REQUIRED_VARIABLE, ""))
    for module in _SERVERS:
        config.pluginmanager.register(module)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test with the engines its fixtures ask for, so that -m can choose by them."""
    for item in items:
        asked = getattr(item, "fixturenames", ())
        for engine, probe in _PROBES.items():
            if probe in asked:
                item.add_marker(pytest.mark.engine(engine))


@pytest.fixture(autouse=True)
def _marked_engines(request: pytest.FixtureRequest) -> None:
    """Skip a test that is marked for an engine which is not there."""
    for mark in request.node.iter_markers("engine"):
        request.getfixturevalue(_PROBES[mark.args[0]])
