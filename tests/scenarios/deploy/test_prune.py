import os
import signal
import subprocess

import pytest

from tests.engines.docker import BUSYBOX
from tests.scenarios.deploy.deployed_project import STORE, WEB, DeployedProject


def _image(project: DeployedProject) -> str:
    return project.engine.run("inspect", "--format", "{{.Image}}", project.container_name("web"))


def _has(project: DeployedProject, image: str) -> bool:
    return project.engine.attempt("image", "inspect", image).returncode == 0


def _create_unused(project: DeployedProject) -> None:
    """Create unused things: a stopped container, a network, images, and a volume."""
    name = project.name
    project.engine.run("create", "--name", f"{name}-stopped", BUSYBOX)
    project.engine.run("network", "create", f"{name}-unused")
    project.engine.run("volume", "create", f"{name}-data")
    project.engine.run("tag", BUSYBOX, f"{name}-unused:1")
    dockerfile = f"FROM {BUSYBOX}\nENV UNUSED={name}\n"
    subprocess.run(
        ["docker", "-H", project.engine.host, "build", "-q", "-t", f"{name}-built:1", "-"],
        input=dockerfile.encode(),
        check=True,
        capture_output=True,
    )


def test_a_production_deploy_cleans_up_and_never_touches_a_volume(prod: DeployedProject) -> None:
    prod.write_compose_file({"web": WEB, "store": STORE})
    prod.commit_version("1")
    _create_unused(prod)

    done = prod.run_up()

    listed = prod.engine.run("ps", "--all") + prod.engine.run("network", "ls")
    assert f"{prod.name}-stopped" not in listed
    assert f"{prod.name}-unused" not in listed
    assert not _has(prod, f"{prod.name}-built:1")
    assert f"{prod.name}-data" in prod.engine.run("volume", "ls")
    assert "removed image" in done.err
    assert prod.served_version() == "1"
    assert prod.run_up("--json").json["outcome"] == "unchanged"


def test_a_development_deploy_removes_nothing(project: DeployedProject) -> None:
    project.write_compose_file({"web": WEB, "store": STORE})
    project.commit_version("1")
    _create_unused(project)

    project.run_up()

    assert _has(project, f"{project.name}-built:1")
    assert f"{project.name}-stopped" in project.engine.run("ps", "--all")


def test_after_a_clean_up_the_previous_release_is_restored_without_a_network(
    prod: DeployedProject,
) -> None:
    prod.deploy_version("1")
    first = _image(prod)
    prod.commit_version("2")
    prod.run_up()
    second = _image(prod)
    prod.commit_version("3")
    prod.run_up()

    # This engine has no network but loopback: nothing could be pulled.
    done = prod.opsctl("rollback")

    assert done.exit_code == 0, done.err
    assert prod.served_version() == "2"
    assert _image(prod) == second
    assert not _has(prod, first)
    assert prod.data == "do not lose this"
    newest = prod.history()[0]
    assert (newest["kind"], newest["git_subject"]) == ("rollback", "Serve 2")


def test_a_rollback_by_name_and_by_commit(project: DeployedProject) -> None:
    project.deploy_version("1")
    commit = project.git("rev-parse", "HEAD")
    for version in ("2", "3"):
        project.commit_version(version)
        project.run_up()
    second = project.history()[1]["id"]

    by_name = project.opsctl("rollback", second)
    served = project.served_version()
    by_commit = project.opsctl("rollback", commit[:10])

    assert (by_name.exit_code, by_commit.exit_code) == (0, 0), by_commit.err
    assert (served, project.served_version()) == ("2", "1")


def test_going_back_twice_goes_back_two_releases(project: DeployedProject) -> None:
    project.deploy_version("1")
    for version in ("2", "3"):
        project.commit_version(version)
        project.run_up()

    served = [(project.opsctl("rollback").exit_code, project.served_version()) for _ in range(2)]
    last = project.opsctl("rollback")

    assert served == [(0, "2"), (0, "1")]
    assert last.exit_code == 1
    assert "no release" in last.err


def test_with_nothing_kept_a_rollback_rebuilds_from_the_commit(prod: DeployedProject) -> None:
    prod.variables["OPSCTL_DEPLOY_KEEP_RELEASES"] = "0"
    prod.deploy_version("1")
    first = _image(prod)
    prod.commit_version("2")
    prod.run_up()
    gone = not _has(prod, first)

    plan = prod.opsctl("rollback", "-n")
    done = prod.opsctl("rollback")

    assert gone
    assert "build it from commit" in plan.out
    assert done.exit_code == 0, done.err
    assert prod.served_version() == "1"
    assert prod.git("worktree", "list").count("\n") == 0


def test_a_missing_image_that_must_be_kept_stops_the_clean_up(
    prod: DeployedProject,
) -> None:
    prod.deploy_version("1")
    prod.commit_version("2")
    prod.variables["OPSCTL_DEPLOY_PRUNE"] = "false"
    prod.run_up()
    prod.engine.run("system", "prune", "--all", "--force")
    del prod.variables["OPSCTL_DEPLOY_PRUNE"]
    prod.engine.run("volume", "create", f"{prod.name}-data")

    plan = prod.opsctl("prune", "-n", "--exit-code")
    by_hand = prod.opsctl("prune", "--yes")
    forced = prod.opsctl("prune", "--yes", "--keep", "0")

    assert plan.exit_code == 0
    assert "nothing would be removed" in plan.out
    assert "nothing was removed" in by_hand.out
    assert forced.exit_code == 0, forced.err
    assert prod.served_version() == "2"


def test_a_deploy_succeeds_while_someone_else_cleans_up(prod: DeployedProject) -> None:
    prod.deploy_version("1")
    prod.commit_version("2")
    prune = f"while docker -H {prod.engine.host} system prune -f; do :; done"
    with subprocess.Popen(
        ["sh", "-c", prune],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as other:
        done = prod.opsctl("up")
        # The shell and the clean-up that it runs: that one would meet the next test.
        os.killpg(other.pid, signal.SIGKILL)

    assert done.exit_code == 0, done.err
    assert prod.served_version() == "2"
    assert prod.data == "do not lose this"


def test_development_and_production_of_one_folder_do_not_affect_each_other(
    project: DeployedProject,
) -> None:
    project.deploy_version("1")
    mine = project.container_ids()
    project.env = "prod"
    project.write_compose_file({"web": WEB, "store": STORE, "only-prod": STORE})
    project.commit("Production")
    project.run_up()
    theirs = project.container_ids()

    project.env = "dev"
    project.write_compose_file({"store": STORE})
    dev_after_prod = project.container_ids()
    project.run_up()

    assert dev_after_prod == mine
    assert project.container_names() == [project.container_name("store")]
    assert project.data == "do not lose this"
    project.env = "prod"
    assert project.container_ids() == theirs


@pytest.mark.parametrize("env", ["dev", "prod"])
def test_a_manual_clean_up_shows_its_plan_and_keeps_what_runs(
    project: DeployedProject, env: str
) -> None:
    project.env = env
    project.deploy_version("1")
    _create_unused(project)

    plan = project.opsctl("prune", "-n", "--json").json
    still_exists = _has(project, f"{project.name}-built:1")
    unconfirmed = project.opsctl("prune")
    done = project.opsctl("prune", "--yes", "--json").json

    kinds = {item["kind"] for item in plan["remove"]}
    assert {"container", "network", "image"} <= kinds
    assert still_exists
    assert unconfirmed.exit_code == 2
    assert not _has(project, f"{project.name}-built:1")
    assert {item["name"] for item in done["removed"]} >= {f"{project.name}-stopped"}
    assert project.run_up("--json").json["outcome"] == "unchanged"
