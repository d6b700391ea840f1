import json
from typing import Any

import pytest

from opsctl.deploy.compose_file import (
    active_services,
    check_service_names,
    generate_project,
    keep_services,
    merge_services,
    with_dependencies,
)
from opsctl.errors import OpsctlError, UsageError
from opsctl.systems.engine.compose_model import read_rendered
from tests.unit.deploy.observations import make_generated

WEB: dict[str, Any] = {"image": "web:1"}


def _text(**services: Any) -> str:
    return json.dumps({"name": "shop-dev", "services": services})


@pytest.mark.parametrize(
    "environment", [None, {}, {"APP_ENV": "wrong", "X": "1"}, {"APP_ENV": None}]
)
def test_every_service_has_app_env(environment: dict[str, Any] | None) -> None:
    rendered = read_rendered(_text(web={**WEB, "environment": environment}))

    generated = generate_project(rendered, app_env="production", profiles=())

    assert generated.service("web").environment["APP_ENV"] == "production"


def test_only_the_same_project_gives_the_same_digest() -> None:
    first = make_generated({"web": WEB, "db": WEB})
    again = make_generated({"db": WEB, "web": WEB})
    other = make_generated({"web": WEB, "db": {"image": "db:2"}})

    assert first.digest == again.digest
    assert first.digest != other.digest


def test_a_built_image_gets_the_name_that_compose_would_give_it() -> None:
    assert make_generated({"web": {"build": {"context": "."}}}).images == {"web": "shop-dev-web"}


def test_dollars_stay_escaped_for_compose() -> None:
    generated = make_generated({"web": {**WEB, "command": ["echo", "$$HOME"]}})

    assert "$$HOME" in generated.text
    assert generated.service("web").command == ("echo", "$HOME")


def test_only_services_of_active_profiles_run() -> None:
    services = {"web": WEB, "tool": {**WEB, "profiles": ["tools"]}, "off": {**WEB, "scale": 0}}
    rendered = read_rendered(_text(**services))

    assert active_services(rendered, ()) == ("web",)
    assert active_services(rendered, ("tools",)) == ("web", "tool")


def test_a_project_without_services_is_refused() -> None:
    with pytest.raises(OpsctlError) as refused:
        generate_project(read_rendered(_text()), app_env="production", profiles=())

    assert refused.value.why == "its compose file has no services to run"


def test_an_unknown_service_is_refused_with_a_list_of_services() -> None:
    with pytest.raises(UsageError) as refused:
        check_service_names(("$(touch f)",), {"web": 1, "db": 1})

    assert refused.value.hint == "Its services: db, web"
    assert check_service_names(("web", "web"), {"web": 1}) == ("web",)


def test_named_services_replace_those_of_the_old_project() -> None:
    old = _text(web={"image": "web:1"}, db={"image": "db:1"})
    new = _text(web={"image": "web:2"}, db={"image": "db:2"})

    services = json.loads(merge_services(new, old, ["web"]))["services"]

    assert services == {"web": {"image": "web:2"}, "db": {"image": "db:1"}}


def test_a_project_is_reduced_to_the_services_that_ran() -> None:
    text = _text(web={"image": "web:2", "depends_on": {"new": {}, "db": {}}}, db=WEB, new=WEB)

    services = json.loads(keep_services(text, {"web": "web:1", "db": "db:1"}))["services"]

    assert services["web"] == {"image": "web:1", "depends_on": {"db": {}}}
    assert sorted(services) == ["db", "web"]


def test_circular_dependencies_end() -> None:
    generated = make_generated(
        {"a": {**WEB, "depends_on": ["b"]}, "b": {**WEB, "depends_on": ["a"]}}
    )

    assert with_dependencies(generated, ("a",)) == ("a", "b")
