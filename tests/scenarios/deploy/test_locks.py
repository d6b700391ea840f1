import re

import pytest

from tests.scenarios.deploy.deployed_project import STORE, WEB, CommandResult, DeployedProject
from tests.waiting import wait_for

SLOW = {**WEB, "healthcheck": {"test": ["CMD", "false"], "interval": "1s", "start_period": "600s"}}


@pytest.fixture
def busy(project: DeployedProject) -> DeployedProject:
    """A project whose deploys run until they are interrupted."""
    project.write_compose_file({"web": SLOW, "store": STORE})
    project.commit_version("1")
    return project


def test_the_second_deploy_reports_who_holds_the_lock_and_since_when(busy: DeployedProject) -> None:
    with busy.start_opsctl("up") as first:
        said = first.stderr
        assert said is not None
        wait_for(lambda: "verify:" in said.readline(), 80, "the first to verify")
        second = busy.opsctl("up")
        status = busy.opsctl("status", "--no-stats", "--json").json
        other = _as_another_user(busy)
        first.terminate()
        said.read()

    for refused in (second, other):
        assert refused.exit_code == 75, refused.err
        assert re.search(r"since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", refused.err)
        assert f"pid {first.pid}" in refused.err
    assert str(first.pid) in status["holder"]
    assert status["unfinished"] == ""
    assert busy.opsctl("status", "--no-stats", "--json").json["holder"] == ""


def _as_another_user(project: DeployedProject) -> CommandResult:
    """Deploy with another state directory, as another user has: only the engine is shared."""
    state = project.variables.get("OPSCTL_STATE_DIR")
    project.variables["OPSCTL_STATE_DIR"] = str(project.directory.parent / "another")
    try:
        return project.opsctl("up")
    finally:
        del project.variables["OPSCTL_STATE_DIR"]
        if state:
            project.variables["OPSCTL_STATE_DIR"] = state


def test_the_second_deploy_may_wait_for_the_first(project: DeployedProject) -> None:
    project.write_compose_file({"web": WEB, "store": STORE})
    project.commit_version("1")

    with project.start_opsctl("up") as first:
        said = first.stderr
        assert said is not None
        wait_for(lambda: "up:" in said.readline(), 80, "the first to start")
        second = project.opsctl("up", "--lock-timeout", "60s")
        said.read()

    assert (first.returncode, second.exit_code) == (0, 0), second.err
    assert "nothing changed" in second.out


def test_a_kill_releases_the_lock_at_once(busy: DeployedProject) -> None:
    with busy.start_opsctl("up") as first:
        said = first.stderr
        assert said is not None
        wait_for(lambda: "verify:" in said.readline(), 80, "the first to verify")
        first.kill()
        said.read()
    busy.write_compose_file({"web": WEB, "store": STORE})

    done = busy.run_up()

    assert "was cut off in step verify" in done.err
    assert busy.served_version() == "1"


def test_the_lock_of_one_user_can_be_taken_by_every_other(project: DeployedProject) -> None:
    project.write_compose_file({"store": STORE})
    project.run_up()

    (lock,) = project.directory.parent.glob("opsctl-*.lock")

    assert lock.stat().st_mode & 0o777 == 0o666
    assert lock.name.startswith(f"opsctl-{project.compose_project}-")


def test_another_environment_is_not_kept_waiting(busy: DeployedProject) -> None:
    busy.write_compose_file({"store": STORE}, env="prod")
    busy.commit("Production")
    with busy.start_opsctl("up") as first:
        said = first.stderr
        assert said is not None
        wait_for(lambda: "verify:" in said.readline(), 80, "the first to verify")
        busy.env = "prod"
        other = busy.opsctl("up")
        first.terminate()
        said.read()

    assert other.exit_code == 0, other.err
