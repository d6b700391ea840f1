from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from opsctl.deploy.deployed_project import assume_project
from opsctl.deploy.model import GeneratedProject, ServiceContainer
from opsctl.deploy.services.restart import RestartPlan, plan_restarts, refuse_stateful
from opsctl.errors import RefusedError
from opsctl.settings.sections.deploy import Deploy
from tests.unit.deploy.observations import make_generated, make_service_container

DATABASE = {"image": "postgres:17", "volumes": [{"type": "volume", "source": "d", "target": "/d"}]}
SERVICES: Mapping[str, Any] = {
    "web": {"image": "web:1", "restart": "always", "depends_on": {"db": {"condition": "x"}}},
    "db": DATABASE,
    "job": {"image": "job:1"},
}
CONTAINERS = (
    make_service_container("web"),
    make_service_container("db", image="postgres:17"),
    make_service_container("job", state="exited"),
)


def _plan(
    *services: str,
    deployed: GeneratedProject | None = None,
    containers: tuple[ServiceContainer, ...] = CONTAINERS,
) -> list[tuple[str, str]]:
    deployed = deployed or make_generated(SERVICES)
    restarts = plan_restarts(deployed, containers, services, Deploy())
    return [(restart.service, restart.reason) for restart in restarts]


def test_all_services_restart_dependencies_first_but_no_completed_one_shot() -> None:
    assert _plan() == [("db", "all services (running)"), ("web", "all services (running)")]


def test_a_named_service_restarts_alone_in_whatever_state() -> None:
    assert _plan("job") == [("job", "asked for (exited)")]


def test_a_one_shot_that_failed_restarts_with_all() -> None:
    failed = make_service_container("job", state="exited", exit_code=3)

    assert _plan(containers=(failed,)) == [("job", "all services (exited)")]


def test_what_uses_its_network_restarts_after_it() -> None:
    services = {"web": {"image": "web:1"}, "side": {"image": "side:1"}}
    side = make_service_container("side", network_mode="container:id of web")

    planned = _plan(
        "web", deployed=make_generated(services), containers=(side, make_service_container("web"))
    )

    assert planned == [
        ("web", "asked for (running)"),
        ("side", "it uses the network of web (running)"),
    ]


def test_what_asks_for_it_with_restart_true_restarts_after_it() -> None:
    follower = {"image": "a:1", "depends_on": {"web": {"condition": "x", "restart": True}}}
    services = {"web": {"image": "web:1"}, "a": follower}

    planned = _plan(
        "web",
        deployed=make_generated(services),
        containers=(make_service_container("a"), make_service_container("web")),
    )

    assert planned[1] == ("a", "depends_on web, restart: true (running)")


def test_each_container_of_a_service_is_a_row() -> None:
    second = replace(CONTAINERS[0].container, id="2", name="shop-dev-web-2", state="paused")

    planned = _plan("web", containers=(*CONTAINERS, ServiceContainer("web", second)))

    assert planned == [("web", "asked for (running)"), ("web", "asked for (paused)")]


@pytest.mark.parametrize("is_recorded", [True, False])
def test_a_service_that_keeps_data_is_refused(*, is_recorded: bool) -> None:
    deployed = make_generated(SERVICES) if is_recorded else assume_project("shop-dev", CONTAINERS)
    restarts = tuple(plan_restarts(deployed, CONTAINERS, (), Deploy()))
    plan = RestartPlan("dev", "shop-dev", "unix:///e", restarts)

    with pytest.raises(RefusedError) as refused:
        refuse_stateful(plan, CONTAINERS)

    assert "db keeps data" in refused.value.why
    assert "--allow-stateful" in refused.value.hint
    assert "opsctl restart -e dev job web" in refused.value.hint


def test_a_service_without_data_is_not_refused() -> None:
    restarts = tuple(plan_restarts(make_generated(SERVICES), CONTAINERS, ("web",), Deploy()))

    refuse_stateful(RestartPlan("dev", "shop-dev", "unix:///e", restarts), CONTAINERS)

    assert [restart.service for restart in restarts] == ["web"]
