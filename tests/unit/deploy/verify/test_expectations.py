from dataclasses import replace
from typing import Any

from opsctl.deploy.model import DeployOptions, DeployPlan, Observation
from opsctl.deploy.planning.plan import plan_deploy
from opsctl.deploy.verify.expectations import expect_services, find_warnings
from tests.unit.deploy.observations import (
    NOW,
    make_observation,
    make_service_container,
    summarize,
)

SERVICES: dict[str, Any] = {"a": {"image": "a:1"}, "b": {"image": "b:1"}}
SICK = make_service_container("a", health="unhealthy")
CHANGED = make_service_container("b", config_hash="another")


def plan(observation: Observation) -> DeployPlan:
    return plan_deploy(observation, DeployOptions(), release="r", prunes=False)


def test_what_was_unhealthy_and_is_not_changed_is_excused_with_a_warning() -> None:
    observation = make_observation(SERVICES, SICK, CHANGED)

    expected = expect_services(observation, plan(observation), ("a", "b"), now=NOW)
    (warning,) = find_warnings(expected, (SICK, CHANGED), env="dev")

    assert expected.excused == {SICK.container.id}
    assert (warning.check, warning.is_warning) == ("unhealthy service", True)
    assert "a was unhealthy before" in warning.what
    assert "opsctl restart -e dev a" in warning.fix


def test_it_is_not_warned_of_once_it_has_recovered() -> None:
    observation = make_observation(SERVICES, SICK, CHANGED)
    expected = expect_services(observation, plan(observation), ("a", "b"), now=NOW)

    recovered = replace(SICK, container=replace(SICK.container, health="healthy"))

    assert summarize(find_warnings(expected, (recovered,), env="dev")) == []


def test_what_is_changed_is_not_excused() -> None:
    sick = make_service_container("a", health="unhealthy", config_hash="another")
    observation = make_observation(SERVICES, sick, make_service_container("b"))

    expected = expect_services(observation, plan(observation), ("a", "b"), now=NOW)

    assert expected.excused == frozenset()


def test_nothing_is_excused_where_nothing_changes() -> None:
    observation = make_observation(SERVICES, SICK, make_service_container("b"))

    expected = expect_services(observation, plan(observation), ("a", "b"), now=NOW)

    assert expected.excused == frozenset()


def test_a_job_that_is_kept_is_not_waited_for() -> None:
    services = {"a": {"image": "a:1", "restart": "no"}, "b": {"image": "b:1", "restart": "no"}}
    observation = make_observation(services, make_service_container("a", started_at=NOW), CHANGED)
    observation = replace(
        observation,
        containers=(
            make_service_container("a", started_at=NOW),
            make_service_container("b", started_at=NOW, config_hash="another"),
        ),
    )

    expected = expect_services(observation, plan(observation), ("a", "b"), now=NOW)

    assert expected.jobs == {"b"}
    assert summarize(find_warnings(expected, observation.containers, env="dev")) == [
        ("running job", True)
    ]
