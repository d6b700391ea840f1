from datetime import timedelta
from typing import Any

import pytest

from opsctl.deploy.verify.service_health import HealthRules, ServiceHealth, judge_service
from tests.unit.deploy.observations import NOW, make_generated, make_service_container

RULES = HealthRules(stable_s=5, crash_restarts=3, restarts_before={"id of web": 2})


@pytest.mark.parametrize(
    ("container", "restart", "health"),
    [
        ({}, "always", ServiceHealth.HEALTHY),
        ({"started_at": NOW - timedelta(seconds=4)}, "always", ServiceHealth.WAITING),
        ({"started_at": NOW - timedelta(seconds=5)}, "always", ServiceHealth.HEALTHY),
        ({"started_at": None}, "always", ServiceHealth.WAITING),
        ({"health": "healthy", "started_at": NOW}, "always", ServiceHealth.HEALTHY),
        ({"health": "starting"}, "always", ServiceHealth.WAITING),
        ({"health": "unhealthy"}, "always", ServiceHealth.FAILED),
        ({"restart_count": 4}, "always", ServiceHealth.HEALTHY),
        ({"restart_count": 5}, "always", ServiceHealth.FAILED),
        ({"state": "restarting", "exit_code": 1}, "always", ServiceHealth.WAITING),
        ({"state": "restarting", "restart_count": 5}, "always", ServiceHealth.FAILED),
        ({"state": "exited"}, "no", ServiceHealth.COMPLETED),
        ({"state": "exited"}, "on-failure:3", ServiceHealth.COMPLETED),
        ({"state": "exited"}, "", ServiceHealth.COMPLETED),
        ({"state": "exited"}, "always", ServiceHealth.WAITING),
        ({"state": "exited", "exit_code": 1}, "no", ServiceHealth.FAILED),
        ({"state": "created"}, "no", ServiceHealth.WAITING),
        ({"state": "dead"}, "no", ServiceHealth.FAILED),
        ({"state": "paused"}, "no", ServiceHealth.FAILED),
    ],
)
def test_a_container_is_judged(
    container: dict[str, Any], restart: str, health: ServiceHealth
) -> None:
    service = make_generated({"web": {"image": "web:1", "restart": restart}}).service("web")

    (verdict,) = judge_service(
        service, (make_service_container("web", **container),), RULES, now=NOW
    )

    assert verdict.health is health
    assert verdict.why


def test_the_rest_of_the_stable_time_is_reported() -> None:
    service = make_generated({"web": {"image": "web:1"}}).service("web")
    young = make_service_container("web", started_at=NOW - timedelta(seconds=4.75))

    (verdict,) = judge_service(service, (young,), RULES, now=NOW)

    assert verdict.remaining_s == 0.25


def test_an_out_of_memory_exit_is_reported() -> None:
    service = make_generated({"web": {"image": "web:1"}}).service("web")
    killed = make_service_container("web", state="exited", exit_code=137, was_out_of_memory=True)

    (verdict,) = judge_service(service, (killed,), RULES, now=NOW)

    assert verdict.why == "exit code 137, out of memory"


def test_a_missing_replica_is_a_failure() -> None:
    service = make_generated({"web": {"image": "web:1", "scale": 2}}).service("web")

    verdicts = judge_service(service, (make_service_container("web"),), RULES, now=NOW)

    assert [verdict.health for verdict in verdicts] == [ServiceHealth.HEALTHY, ServiceHealth.FAILED]
