from dataclasses import replace
from typing import Any

import pytest

from opsctl.deploy.model import DeployOptions, EngineResources, Observation
from opsctl.deploy.preflight.shared_resources import (
    check_container_names,
    check_shared_resources,
    names_to_look_up,
)
from opsctl.systems.engine.compose_labels import PROJECT_LABEL
from opsctl.systems.engine.compose_resources import DeclaredResource, read_resources
from tests.unit.deploy.observations import make_observation, run_check

DB: dict[str, Any] = {
    "image": "db:1",
    "volumes": [{"type": "volume", "source": "data", "target": "/data"}],
    "networks": {"net": None},
}
FIXED, EXTERNAL = {"name": "shared"}, {"name": "shared", "external": True}
OURS, THEIRS = {PROJECT_LABEL: "shop-dev"}, {PROJECT_LABEL: "shop-prod"}


def _observe(
    declared: dict[str, Any], labels: dict[str, str] | None, *, kind: str, key: str = ""
) -> Observation:
    key = key or {"volume": "data", "network": "net"}[kind]
    observation = make_observation({"db": DB})
    resources: dict[str, Any] = {f"declared_{kind}s": read_resources({key: declared})}
    rendered = replace(observation.generated.rendered, **resources)
    generated = replace(observation.generated, rendered=rendered)
    engine: dict[str, Any] = {f"{kind}s": {"shared": labels}}
    return replace(observation, generated=generated, resources=EngineResources(**engine))


@pytest.mark.parametrize("kind", ["volume", "network"])
@pytest.mark.parametrize(
    ("declared", "labels", "issue"),
    [
        (FIXED, THEIRS, "shared"),
        (FIXED, OURS, ""),
        (FIXED, None, ""),
        (EXTERNAL, THEIRS, ""),
        (EXTERNAL, {}, ""),
        (EXTERNAL, None, "missing"),
    ],
)
def test_what_belongs_to_another_project_is_shared_only_when_declared(
    kind: str, declared: dict[str, Any], labels: dict[str, str] | None, issue: str
) -> None:
    issues = run_check(check_shared_resources, _observe(declared, labels, kind=kind))

    assert issues == ([(f"{issue} {kind}", False)] if issue else [])


@pytest.mark.parametrize(("kind", "is_warning"), [("volume", True), ("network", False)])
def test_what_compose_did_not_create_is_told(
    kind: str,
    is_warning: bool,  # noqa: FBT001 - a case
) -> None:
    issues = run_check(check_shared_resources, _observe(FIXED, {}, kind=kind))

    assert issues == [(f"shared {kind}", is_warning)]


def test_what_no_service_uses_does_not_count() -> None:
    observation = _observe(FIXED, THEIRS, kind="volume", key="unused")

    assert run_check(check_shared_resources, observation) == []


def test_a_rollback_runs_with_what_ran_before() -> None:
    observation = _observe(FIXED, THEIRS, kind="volume")

    assert run_check(check_shared_resources, observation, DeployOptions(kind="rollback")) == []


def test_only_fixed_and_external_names_are_looked_up() -> None:
    declared = (
        DeclaredResource("data", "shop-dev_data"),
        DeclaredResource("fixed", "pgdata"),
        DeclaredResource("other", "other", is_external=True),
    )

    assert names_to_look_up(declared, "shop-dev") == ("pgdata", "other")


@pytest.mark.parametrize(
    ("labels", "is_refused"), [(THEIRS, True), ({}, True), (OURS, False), (None, False)]
)
def test_a_container_name_that_others_use_is_refused(
    labels: dict[str, str] | None,
    is_refused: bool,  # noqa: FBT001 - a case
) -> None:
    known = EngineResources(containers={"cache": labels})
    services = {"web": {"image": "web:1", "container_name": "cache"}}

    issues = run_check(check_container_names, make_observation(services, resources=known))

    assert issues == ([("container name in use", False)] if is_refused else [])
