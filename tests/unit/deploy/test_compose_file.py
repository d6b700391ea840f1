import json
from typing import Any

import pytest

from opsctl.deploy.compose_file import active, chosen, draft, merged, needed, only
from opsctl.errors import OpsctlError, UsageError
from opsctl.systems.engine.compose_model import read_rendered
from tests.unit.deploy.worlds import drafted

WEB: dict[str, Any] = {"image": "web:1"}


def _text(**services: Any) -> str:
    return json.dumps({"name": "shop-dev", "services": services})


@pytest.mark.parametrize(
    "environment", [None, {}, {"APP_ENV": "wrong", "X": "1"}, {"APP_ENV": None}]
)
def test_every_service_knows_its_environment(environment: dict[str, Any] | None) -> None:
    rendered = read_rendered(_text(web={**WEB, "environment": environment}))

    made = draft(rendered, app_env="production", profiles=())

    assert made.service("web").environment["APP_ENV"] == "production"


def test_the_same_project_makes_the_same_text_and_another_another() -> None:
    one = drafted({"web": WEB, "db": WEB})
    again = drafted({"db": WEB, "web": WEB})
    other = drafted({"web": WEB, "db": {"image": "db:2"}})

    assert one.digest == again.digest
    assert one.digest != other.digest


def test_what_is_built_gets_the_name_that_compose_would_give_it() -> None:
    assert drafted({"web": {"build": {"context": "."}}}).images == {"web": "shop-dev-web"}


def test_dollars_stay_doubled_for_compose_to_read_again() -> None:
    made = drafted({"web": {**WEB, "command": ["echo", "$$HOME"]}})

    assert "$$HOME" in made.text
    assert made.service("web").command == ("echo", "$HOME")


def test_only_services_of_the_profiles_at_hand_run() -> None:
    services = {"web": WEB, "tool": {**WEB, "profiles": ["tools"]}, "off": {**WEB, "scale": 0}}
    rendered = read_rendered(_text(**services))

    assert active(rendered, ()) == ("web",)
    assert active(rendered, ("tools",)) == ("web", "tool")


def test_a_project_without_services_is_refused() -> None:
    with pytest.raises(OpsctlError, match="no services"):
        draft(read_rendered(_text()), app_env="production", profiles=())


def test_an_unknown_service_is_refused_with_those_there_are() -> None:
    with pytest.raises(UsageError) as refused:
        chosen(("$(touch f)",), {"web": 1, "db": 1})

    assert refused.value.hint == "It has: db, web"
    assert chosen(("web", "web"), {"web": 1}) == ("web",)


def test_a_part_is_laid_over_what_runs() -> None:
    old = _text(web={"image": "web:1"}, db={"image": "db:1"})
    new = _text(web={"image": "web:2"}, db={"image": "db:2"})

    both = json.loads(merged(new, old, ["web"]))["services"]

    assert both == {"web": {"image": "web:2"}, "db": {"image": "db:1"}}


def test_a_project_is_cut_down_to_what_ran() -> None:
    text = _text(web={"image": "web:2", "depends_on": {"new": {}, "db": {}}}, db=WEB, new=WEB)

    cut = json.loads(only(text, {"web": "web:1", "db": "db:1"}))["services"]

    assert cut["web"] == {"image": "web:1", "depends_on": {"db": {}}}
    assert sorted(cut) == ["db", "web"]


def test_a_circle_of_dependencies_has_an_end() -> None:
    made = drafted({"a": {**WEB, "depends_on": ["b"]}, "b": {**WEB, "depends_on": ["a"]}})

    assert needed(made, ("a",)) == ("a", "b")
