from typing import Any

import pytest

from opsctl.deploy.model import DeployOptions
from opsctl.deploy.preflight.unset_variables import check_unset_variables
from opsctl.systems.engine.compose_variables import UnsetVariable
from tests.unit.deploy.observations import make_observation, make_preflight_input, run_check

SERVICES: dict[str, Any] = {
    "web": {"image": "web:1", "depends_on": ["db"]},
    "db": {"image": "db:1"},
    "other": {"image": "other:1"},
    "tool": {"image": "tool:1", "profiles": ["tools"]},
}
DB_PASSWORD = UnsetVariable("DB_PASSWORD", ("db", "tool"))
UNPLACED = UnsetVariable("FROM_ENV_FILE")
OF_TOOL = UnsetVariable("TOOL_PORT", ("tool",))


@pytest.mark.parametrize(
    ("env", "variable", "services", "issues"),
    [
        ("prod", DB_PASSWORD, (), [("unset variable", False)]),
        ("dev", DB_PASSWORD, (), [("unset variable", True)]),
        ("prod", UNPLACED, (), [("unset variable", False)]),
        ("prod", OF_TOOL, (), []),
        ("prod", DB_PASSWORD, ("web",), [("unset variable", False)]),
        ("prod", DB_PASSWORD, ("other",), []),
        ("prod", UNPLACED, ("other",), [("unset variable", False)]),
    ],
)
def test_an_unset_variable_of_what_is_deployed_is_refused_in_production(
    env: str, variable: UnsetVariable, services: tuple[str, ...], issues: list[Any]
) -> None:
    observation = make_observation(SERVICES, env=env, unset_variables=(variable,))

    assert run_check(check_unset_variables, observation, DeployOptions(services)) == issues


def test_an_unset_variable_may_be_allowed_by_name() -> None:
    unset = (DB_PASSWORD, UNPLACED)
    observation = make_observation(SERVICES, env="prod", unset_variables=unset)

    issues = run_check(check_unset_variables, observation, allow_unset=("DB_PASSWORD",))

    assert issues == [("unset variable", False)]


def test_the_refusal_names_the_service_the_variable_and_the_ways_out() -> None:
    observation = make_observation(SERVICES, env="prod", unset_variables=(DB_PASSWORD,))

    (issue,) = check_unset_variables(make_preflight_input(observation))

    assert issue.what.startswith("db uses DB_PASSWORD, which is not set")
    assert "${DB_PASSWORD:-}" in issue.fix
    assert "deploy.allow_unset" in issue.fix
