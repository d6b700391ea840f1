import pytest

from opsctl.deploy.model import ServiceContainer
from opsctl.deploy.services.exec import build_exec, choose_container
from opsctl.errors import OpsctlError, UsageError
from tests.unit.deploy.observations import make_service_container

NUMBER = "com.docker.compose.container-number"


def _container(number: int, state: str = "running") -> ServiceContainer:
    name = f"shop-dev-web-{number}"
    return make_service_container("web", name=name, state=state, labels={NUMBER: str(number)})


def test_the_only_container_is_chosen_whatever_its_number() -> None:
    chosen = choose_container([_container(3)], "web", index=None, env="dev")

    assert chosen.container.name == "shop-dev-web-3"


def test_of_several_containers_one_must_be_named() -> None:
    containers = [_container(1), _container(2)]

    with pytest.raises(UsageError) as refused:
        choose_container(containers, "web", index=None, env="dev")
    chosen = choose_container(containers, "web", index=2, env="dev")

    assert refused.value.hint == "Choose one: --index 1 or 2"
    assert chosen.container.name == "shop-dev-web-2"


def test_a_number_that_is_not_there_is_refused_with_those_that_are() -> None:
    with pytest.raises(UsageError) as refused:
        choose_container([_container(1)], "web", index=2, env="dev")

    assert refused.value.hint == "It has: 1"


@pytest.mark.parametrize(
    ("state", "command"),
    [("exited", "restart"), ("paused", "restart"), ("created", "up"), ("dead", "up")],
)
def test_a_container_that_does_not_run_says_how_to_start_it(state: str, command: str) -> None:
    with pytest.raises(OpsctlError) as refused:
        choose_container([_container(1, state)], "web", index=None, env="dev")

    assert refused.value.why == f"its container shop-dev-web-1 is {state}"
    assert refused.value.hint == f"Start it: opsctl {command} -e dev web"


@pytest.mark.parametrize(
    ("has_terminal", "options"), [(True, "--interactive --tty"), (False, "--interactive")]
)
def test_the_words_of_the_command_stay_as_they_are(*, has_terminal: bool, options: str) -> None:
    argv = build_exec("unix:///e", "id", ("sh", "-c", "a; b"), has_terminal=has_terminal)

    assert argv == ("docker", "-H", "unix:///e", "exec", *options.split(), "id", "sh", "-c", "a; b")
