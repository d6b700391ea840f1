"""Compose may do only what the plan has: what it adds is refused, and the deploy is undone."""

import shutil
from pathlib import Path

from tests.scenarios.deploy.deployed_project import STORE, WEB, DeployedProject
from tests.waiting import wait_for

# Recreates everything, once, although its dry run did not say so.
LYING_DOCKER = """#!/bin/sh
if [ -e {flag} ] && [ "$9" != "--dry-run" ]; then
  for word do
    shift; set -- "$@" "$word"
    if [ "$word" = up ]; then set -- "$@" --force-recreate; rm {flag}; fi
  done
fi
exec {docker} "$@"
"""


def _let_docker_lie(project: DeployedProject, folder: Path) -> None:
    docker, flag = shutil.which("docker"), folder / "lie"
    flag.touch()
    (folder / "bin").mkdir()
    program = folder / "bin/docker"
    program.write_text(LYING_DOCKER.format(flag=flag, docker=docker))
    program.chmod(0o755)
    project.variables["PATH"] = f"{folder}/bin:{project.environment['PATH']}"


def test_what_compose_does_beyond_the_plan_is_refused_and_restored(
    project: DeployedProject, tmp_path: Path
) -> None:
    project.deploy_version("1")
    store = project.container_ids()[project.container_name("store")]
    project.commit_version("2")
    _let_docker_lie(project, tmp_path)

    done = project.run_up(exit_code=1)

    assert f"container {project.container_name('store')} (service store)" in done.err
    assert "the plan does not have" in done.err
    assert "restored the previous release" in done.err
    assert project.container_ids()[project.container_name("store")] == store
    assert project.served_version() == "1"
    assert project.data == "do not lose this"


def test_a_paused_service_runs_on_and_a_sick_one_does_not_block_others(
    project: DeployedProject,
) -> None:
    check = {"test": ["CMD", "test", "-e", "/well"], "interval": "300ms", "retries": 1}
    start = ["sh", "-c", "touch /well; exec sleep 1000"]
    sick = {**STORE, "command": start, "healthcheck": check}
    project.write_compose_file({"web": WEB, "sick": sick, "store": STORE})
    project.commit_version("1")
    project.run_up()
    name = project.container_name("sick")
    project.engine.run("exec", name, "rm", "/well")
    wait_for(lambda: "unhealthy" in project.engine.run("ps"), 60, "the unhealthy service")
    project.engine.run("pause", project.container_name("store"))
    project.commit_version("2")

    done = project.run_up()
    again = project.run_up(exit_code=1)

    assert "sick was unhealthy before this deploy" in done.err + done.out
    assert project.served_version() == "2"
    assert project.read_variable("store", "HOME")
    assert "opsctl restart -e dev sick" in again.err
