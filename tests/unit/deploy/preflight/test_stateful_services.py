from typing import Any

import pytest

from opsctl.deploy.model import DeployOptions
from opsctl.deploy.preflight.stateful_services import check_stateful_services, major_version
from tests.unit.deploy.observations import make_observation, make_service_container, run_check

VOLUMES = [{"type": "volume", "source": "data", "target": "/d"}]
DATABASE: dict[str, Any] = {"image": "postgres:17.4", "volumes": VOLUMES}


@pytest.mark.parametrize(
    ("service", "options", "issues"),
    [
        (DATABASE, DeployOptions(), []),
        (
            {**DATABASE, "image": "postgres:18"},
            DeployOptions(),
            [("stateful service", False)],
        ),
        (
            {**DATABASE, "image": "postgres:18"},
            DeployOptions(allow_stateful=True),
            [("stateful service", True)],
        ),
        ({**DATABASE, "volumes": []}, DeployOptions(), []),
    ],
)
def test_recreating_a_database_must_be_allowed(
    service: dict[str, Any], options: DeployOptions, issues: list[Any]
) -> None:
    database = make_service_container("db", image="postgres:17.4", image_id="sha256:17")
    ids = {"postgres:17.4": "sha256:17", "postgres:18": "sha256:18"}
    observation = make_observation({"db": service}, database, image_ids=ids)

    assert run_check(check_stateful_services, observation, options) == issues


@pytest.mark.parametrize(
    ("image", "version"),
    [
        ("postgres:17.4", "17"),
        ("timescale/timescaledb:2.19.3-pg17", "17"),
        ("redis:8.0.2", "8"),
        ("host:5000/redis:v8", "8"),
        ("redis", ""),
        ("redis:latest", ""),
        ("redis:8@sha256:abc", "8"),
    ],
)
def test_the_major_version_is_read_from_the_tag(image: str, version: str) -> None:
    assert major_version(image) == version
