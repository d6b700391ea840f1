from datetime import timedelta
from typing import Any

import pytest

from opsctl.deploy.verify.service_health import Health, Rules, judge
from tests.unit.deploy.worlds import NOW, drafted, running

RULES = Rules(stable_s=5, crash_restarts=3, restarts_before={"id of web": 2})


@pytest.mark.parametrize(
    ("container", "restart", "health"),
    [
        ({}, "always", Health.WELL),
        ({"started_at": NOW - timedelta(seconds=4)}, "always", Health.WAITING),
        ({"started_at": NOW - timedelta(seconds=5)}, "always", Health.WELL),
        ({"started_at": None}, "always", Health.WAITING),
        ({"health": "healthy", "started_at": NOW}, "always", Health.WELL),
        ({"health": "starting"}, "always", Health.WAITING),
        ({"health": "unhealthy"}, "always", Health.FAILED),
        ({"restart_count": 4}, "always", Health.WELL),
        ({"restart_count": 5}, "always", Health.FAILED),
        ({"state": "restarting", "exit_code": 1}, "always", Health.WAITING),
        ({"state": "restarting", "restart_count": 5}, "always", Health.FAILED),
        ({"state": "exited"}, "no", Health.DONE),
        ({"state": "exited"}, "on-failure:3", Health.DONE),
        ({"state": "exited"}, "", Health.DONE),
        ({"state": "exited"}, "always", Health.WAITING),
        ({"state": "exited", "exit_code": 1}, "no", Health.FAILED),
        ({"state": "created"}, "no", Health.WAITING),
        ({"state": "dead"}, "no", Health.FAILED),
        ({"state": "paused"}, "no", Health.FAILED),
    ],
)
def test_a_container_is_judged(container: dict[str, Any], restart: str, health: Health) -> None:
    service = drafted({"web": {"image": "web:1", "restart": restart}}).service("web")

    (verdict,) = judge(service, (running("web", **container),), RULES, now=NOW)

    assert verdict.health is health
    assert verdict.why


def test_what_is_left_of_the_stable_window_is_said() -> None:
    service = drafted({"web": {"image": "web:1"}}).service("web")
    young = running("web", started_at=NOW - timedelta(seconds=4.75))

    (verdict,) = judge(service, (young,), RULES, now=NOW)

    assert verdict.left_s == 0.25


def test_what_ran_out_of_memory_says_so() -> None:
    service = drafted({"web": {"image": "web:1"}}).service("web")
    run = running("web", state="exited", exit_code=137, was_out_of_memory=True)

    (verdict,) = judge(service, (run,), RULES, now=NOW)

    assert verdict.why == "exit code 137, out of memory"


def test_a_missing_replica_is_a_failure() -> None:
    service = drafted({"web": {"image": "web:1", "scale": 2}}).service("web")

    verdicts = judge(service, (running("web"),), RULES, now=NOW)

    assert [one.health for one in verdicts] == [Health.WELL, Health.FAILED]
