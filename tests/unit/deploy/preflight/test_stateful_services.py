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


@pytest.mark.parametrize(
    ("image", "mount", "is_refused"),
    [
        ("postgis/postgis:17-3.5", {"type": "bind", "source": "/srv/pg", "target": "/pg"}, True),
        ("rabbitmq:4", VOLUMES[0], True),
        ("minio/minio:1", {"type": "bind", "source": "/srv/m", "target": "/data"}, True),
        ("mongo-express:1", VOLUMES[0], False),
    ],
)
def test_what_keeps_data_is_recreated_only_when_allowed(
    image: str,
    mount: dict[str, Any],
    is_refused: bool,  # noqa: FBT001 - a case
) -> None:
    running = make_service_container("x", image=image, config_hash="another")
    observation = make_observation({"x": {"image": image, "volumes": [mount]}}, running)

    issues = run_check(check_stateful_services, observation)

    assert issues == ([("stateful service", False)] if is_refused else [])


@pytest.mark.parametrize(
    ("image", "settings", "is_refused"),
    [
        ("minio/minio:1", {}, True),
        ("minio/minio:1", {"stateless": ("old",)}, False),
        ("acme/files:1", {}, False),
        ("acme/files:1", {"stateful": ("old",)}, True),
    ],
)
def test_what_left_the_file_is_removed_only_when_it_keeps_no_data(
    image: str,
    settings: dict[str, Any],
    is_refused: bool,  # noqa: FBT001 - a case
) -> None:
    old = make_service_container("old", image=image)
    observation = make_observation({"web": {"image": "web:1"}}, old)

    issues = run_check(check_stateful_services, observation, **settings)

    assert issues == ([("stateful service", False)] if is_refused else [])
