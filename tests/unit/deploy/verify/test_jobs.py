from datetime import timedelta
from typing import Any

import pytest

from opsctl.deploy.verify.jobs import find_jobs
from tests.unit.deploy.observations import (
    NOW,
    make_observation,
    make_release,
    make_service_container,
)

WEB = {"image": "web:1", "restart": "unless-stopped"}
JOB = {"image": "job:1"}


@pytest.mark.parametrize(
    ("services", "expected"),
    [
        # Without any restart policy in the file, nothing tells a job from a server.
        ({"web": {"image": "web:1"}, "job": JOB}, set()),
        ({"web": {"image": "web:1"}, "job": {**JOB, "restart": "no"}}, {"job"}),
        ({"web": WEB, "job": JOB}, {"job"}),
        ({"web": WEB, "job": {**JOB, "restart": "on-failure:3"}}, {"job"}),
        ({"web": WEB, "job": {**JOB, "restart": "always"}}, set()),
        ({"web": WEB, "job": {**JOB, "healthcheck": {"test": ["CMD", "true"]}}}, set()),
        ({"web": WEB, "job": {**JOB, "ports": [{"target": 80, "published": "80"}]}}, set()),
    ],
)
def test_a_file_says_what_is_a_job(services: dict[str, Any], expected: set[str]) -> None:
    assert find_jobs(make_observation(services), now=NOW) == expected


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        ({"state": "exited", "exit_code": 0}, {"job"}),
        ({"state": "exited", "exit_code": 3}, set()),
        ({"state": "running", "started_at": NOW - timedelta(seconds=30)}, set()),
    ],
)
def test_what_has_ended_before_is_a_job(before: dict[str, Any], expected: set[str]) -> None:
    services = {"web": {"image": "web:1"}, "job": JOB}
    observation = make_observation(services, make_service_container("job", **before))

    assert find_jobs(observation, now=NOW) == expected


def test_what_has_completed_in_the_current_release_is_a_job() -> None:
    release = make_release(completed=("job",))
    observation = make_observation({"job": JOB}, current_release=release)

    assert find_jobs(observation, now=NOW) == {"job"}


@pytest.mark.parametrize(("age_s", "expected"), [(601, set()), (599, {"job"})])
def test_what_has_run_for_long_is_no_job(age_s: int, expected: set[str]) -> None:
    old = make_service_container("job", started_at=NOW - timedelta(seconds=age_s))

    assert find_jobs(make_observation({"web": WEB, "job": JOB}, old), now=NOW) == expected
