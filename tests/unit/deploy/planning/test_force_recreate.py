from collections.abc import Mapping

from opsctl.deploy.model import DeployOptions, Observation
from opsctl.deploy.planning.plan import plan_deploy
from tests.unit.deploy.observations import make_observation, make_service_container

SERVICES = {
    "web": {"image": "web:1"},
    "side": {"image": "side:1", "network_mode": "service:web"},
    "other": {"image": "other:1"},
}
OBSERVATION = make_observation(
    SERVICES, *(make_service_container(name) for name in ("web", "side", "other"))
)


def _plan(observation: Observation, *names: str) -> Mapping[str, tuple[str, str]]:
    options = DeployOptions(force_recreate=names)
    plan = plan_deploy(observation, options, release="r", prunes=False)
    return {row.service: (str(row.change), row.reason) for row in plan.services}


def test_only_what_is_asked_for_is_recreated() -> None:
    rows = _plan(OBSERVATION, "other")

    assert rows["other"] == ("recreate", "asked for")
    assert rows["web"][0] == rows["side"][0] == "keep"


def test_what_uses_its_network_is_recreated_too() -> None:
    rows = _plan(OBSERVATION, "web")

    assert rows["web"] == ("recreate", "asked for")
    assert rows["side"] == ("recreate", "it uses the network of web")


def test_asking_makes_a_deploy_of_what_would_change_nothing() -> None:
    options = DeployOptions(force_recreate=("other",))

    assert plan_deploy(OBSERVATION, DeployOptions(), release="r", prunes=False).is_idle
    assert not plan_deploy(OBSERVATION, options, release="r", prunes=False).is_idle


def test_a_service_that_does_not_exist_is_created() -> None:
    rows = _plan(make_observation(SERVICES), "web")

    assert rows["web"] == ("create", "it does not exist")
