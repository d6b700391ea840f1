import shlex

import pytest

from opsctl.deploy.hooks import add_hooks, build_environment, find_command
from opsctl.deploy.model import DeployOptions, DeployPlan, Observation
from opsctl.deploy.planning.plan import plan_deploy
from opsctl.settings.reading.validate import InvalidSettingsError, validate_section
from opsctl.settings.sections.deploy import Deploy, DeployHooks
from tests.unit.deploy.observations import (
    make_observation,
    make_service_container,
    make_target,
)

SECRET = "hunter2hunter2"
HOOKS = DeployHooks(
    before_up=(("./backup.sh", "a b"), ("notify", SECRET)), after_up=(("./smoke.sh",),)
)
SERVICES = {"web": {"image": "web:1"}}


def _plan(observation: Observation) -> DeployPlan:
    return plan_deploy(observation, DeployOptions(), release="dev-1", prunes=False)


def _kinds(plan: DeployPlan) -> list[str]:
    return [str(step.kind) for step in plan.steps]


def test_each_command_is_a_step_before_the_first_change_and_after_the_check() -> None:
    plan = add_hooks(_plan(make_observation(SERVICES)), HOOKS, ())

    assert _kinds(plan)[-6:] == ["before_up", "before_up", "up", "verify", "after_up", "record"]
    (backup,) = (step for step in plan.steps if "backup" in step.what)
    assert (backup.what, backup.reason) == ("./backup.sh 'a b'", "deploy.hooks.before_up")


def test_a_migration_runs_after_the_commands_that_run_before() -> None:
    plan = add_hooks(_plan(make_observation(SERVICES, pending_migrations="001.sql")), HOOKS, ())

    kinds = _kinds(plan)
    assert kinds.index("before_up") < kinds.index("migrate") < kinds.index("up")


def test_where_nothing_changes_no_command_runs() -> None:
    idle = _plan(make_observation(SERVICES, make_service_container("web")))

    assert idle.is_idle
    assert add_hooks(idle, HOOKS, ()) == idle


def test_a_secret_in_a_command_is_masked_in_the_plan_and_runs_as_it_is() -> None:
    plan = add_hooks(_plan(make_observation(SERVICES)), HOOKS, (SECRET,))

    (step,) = (step for step in plan.steps if step.what.startswith("notify"))
    assert step.what == shlex.join(("notify", "***"))
    assert find_command(HOOKS, step, (SECRET,)) == ("notify", SECRET)


def test_a_command_gets_what_is_deployed_and_no_other_variable_of_ours() -> None:
    variables = {"DATABASE_URL": SECRET, "OPSCTL_STATE_DIR": "/state", "OPSCTL_API_TOKEN": SECRET}
    plan = _plan(make_observation(SERVICES))

    environment = build_environment(make_target(variables=variables), plan)

    assert environment == {
        "OPSCTL_STATE_DIR": "/state",
        "DOCKER_HOST": "unix:///e",
        "OPSCTL_ENV": "dev",
        "OPSCTL_RELEASE": "dev-1",
        "OPSCTL_COMMIT": "a" * 40,
    }


@pytest.mark.parametrize("commands", [["./backup.sh"], [[]], [[" "]]])
def test_a_command_that_is_no_list_of_arguments_is_refused(commands: object) -> None:
    with pytest.raises(InvalidSettingsError):
        validate_section(Deploy, {"hooks": {"before_up": commands}})
