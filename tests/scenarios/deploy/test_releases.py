"""Which release runs after kills, failures, repeats and other projects' clean-ups."""

import signal
from pathlib import Path

from tests.engines.docker import BUSYBOX
from tests.engines.own_engine import OwnEngine
from tests.scenarios.deploy.conftest import make_project
from tests.scenarios.deploy.deployed_project import STORE, DeployedProject


def _kill_at(project: DeployedProject, point: str, *words: str) -> None:
    """Kill the command when it has printed this."""
    with project.start_opsctl(*words) as running:
        assert running.stderr is not None
        for line in running.stderr:
            if point in " ".join(line.split()):
                running.kill()
                break
    assert running.returncode == -signal.SIGKILL


def _roll_back(project: DeployedProject) -> str:
    done = project.opsctl("rollback")
    assert done.exit_code == 0, done.err
    return project.served_version()


def test_a_build_that_fails_after_a_killed_deploy_does_not_hide_what_ran(
    project: DeployedProject,
) -> None:
    project.deploy_version("1")
    project.commit_version("2")
    project.run_up()
    project.commit_version("3")
    _kill_at(project, "-web-1 Recreate", "up")
    project.commit_version("4", dockerfile=f"FROM {BUSYBOX}\nRUN exit 9\n")

    project.run_up(exit_code=1)
    status = project.opsctl("status", "--no-stats")
    served = _roll_back(project)

    assert status.exit_code == 3
    assert "was cut off in step up" in status.out
    assert served == "2"
    assert project.outcomes()[:3] == ["done", "failed", "abandoned"]


def test_a_killed_rollback_asked_again_goes_where_it_was_going(project: DeployedProject) -> None:
    project.deploy_version("1")
    project.commit_version("2")
    project.run_up()
    _kill_at(project, "up:", "rollback")

    assert _roll_back(project) == "1"


def test_repeated_deploys_of_a_bad_commit_do_not_hide_the_good_release(
    prod: DeployedProject,
) -> None:
    prod.deploy_version("1")
    prod.commit_version("2")
    prod.run_up()
    prod.run_up("--build")

    first = _roll_back(prod)
    prod.run_up()
    second = _roll_back(prod)
    third = prod.opsctl("rollback")

    assert (first, second) == ("1", "1")
    assert third.exit_code == 1
    assert "differs from what runs" in third.err


def test_the_clean_up_of_another_project_spares_the_previous_release(
    prod: DeployedProject, own_engine: OwnEngine, tmp_path: Path
) -> None:
    prod.deploy_version("1")
    prod.commit_version("2")
    prod.run_up()
    other = make_project(own_engine, tmp_path / "other")
    other.env = "prod"
    other.write_compose_file({"store": STORE})
    other.commit("Other")

    other.run_up()
    plan = other.opsctl("prune", "-n")
    own_engine.remove(lambda name: other.name in name)

    assert f"kept for project {prod.name}" in plan.out
    assert _roll_back(prod) == "1"


def test_a_commit_that_leaves_an_image_as_it_was_changes_nothing(
    project: DeployedProject,
) -> None:
    project.deploy_version("1")
    before = project.container_ids()
    project.commit("Only notes")

    project.run_up()

    assert project.container_ids() == before
    assert project.opsctl("status", "--no-stats").exit_code == 0


def test_a_changed_mounted_file_recreates_its_service_and_a_rollback_mounts_the_old_one(
    project: DeployedProject,
) -> None:
    config = project.directory / "app.conf"
    config.write_text("one")
    web = {**STORE, "volumes": ["./app.conf:/app.conf:ro"], "user": "1000"}
    project.write_compose_file({"web": web, "store": STORE})
    project.commit("One")
    project.run_up()
    unchanged = project.run_up("--json").json["outcome"]
    store = project.container_ids()[project.container_name("store")]
    config.write_text("two")
    project.commit("Two")

    plan = project.opsctl("up", "-n")
    project.run_up()
    after_up = _read_config(project)
    done = project.opsctl("rollback")

    assert unchanged == "unchanged"
    assert "mounted files changed: app.conf" in plan.out
    assert done.exit_code == 0, done.err
    assert (after_up, _read_config(project)) == ("two", "one")
    assert project.container_ids()[project.container_name("store")] == store


def _read_config(project: DeployedProject) -> str:
    return project.engine.run("exec", project.container_name("web"), "cat", "/app.conf")
