"""When a real server is missing: skip by name at a desk, fail where it is required."""

import os
from typing import NoReturn

import pytest

ENGINES = ("docker", "timescale", "pgbouncer", "postgres", "redis", "root", "netem")
REQUIRED_VARIABLE = "OPSCTL_REQUIRE"


def required_engines(listed: str) -> frozenset[str]:
    """Read a comma list of engine names; an unknown one would require nothing, so it is refused."""
    names = frozenset(name.strip() for name in listed.split(",") if name.strip())
    unknown = sorted(names.difference(ENGINES))
    if unknown:
        known = ", ".join(ENGINES)
        raise pytest.UsageError(
            f"{REQUIRED_VARIABLE} names {', '.join(unknown)}; known are {known}"
        )
    return names


def give_up(engine: str, why: str) -> NoReturn:
    """Skip this test by the engine's name, or fail it where the engine is required."""
    if engine in required_engines(os.environ.get(REQUIRED_VARIABLE, "")):
        pytest.fail(f"{engine}: {why} ({REQUIRED_VARIABLE} lists it)", pytrace=False)
    pytest.skip(f"{engine}: {why}")
