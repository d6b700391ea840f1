"""`restart` and `exec`, on what one deploy left running."""

import os
import pty
import sqlite3
import subprocess
from contextlib import closing

from tests.scenarios.deploy.deployed_project import STORE, WEB, DeployedProject

PASSWORD = "hunter2hunter2"
SICK = {
    **WEB,
    "healthcheck": {
        "test": ["CMD", "test", "!", "-e", "/scratch/sick"],
        "interval": "300ms",
        "retries": 1,
    },
    "tmpfs": ["/scratch"],
}


def test_a_restart_repairs_services_and_verifies_them(project: DeployedProject) -> None:
    database = {"OPSCTL_DEPLOY_DATABASE_IMAGES": "busybox"}
    once = {"image": STORE["image"], "command": ["echo", "done"]}
    calm = {**STORE, "volumes": []}
    project.write_compose_file({"web": SICK, "calm": calm, "store": STORE, "once": once})
    project.commit_version("1")
    project.run_up()
    project.variables.update(database)
    before, started = project.container_ids(), _start_times(project)

    project.engine.run("pause", project.container_name("calm"))
    plan = project.opsctl("restart", "calm", "-n")
    paused = project.opsctl("restart", "calm", "--json")
    project.engine.run("exec", project.container_name("web"), "touch", "/scratch/sick")
    sick = project.opsctl("restart", "web", "--json")
    refused = project.opsctl("restart")
    after_refusal = _start_times(project)
    allowed = project.opsctl("restart", "--allow-stateful")
    unknown = project.opsctl("restart", "nope")

    assert "asked for (paused" in plan.out, plan.err
    assert paused.exit_code == 0, paused.err
    assert paused.json["services"][0]["state"] == "running"
    assert sick.exit_code == 0, sick.err
    assert sick.json["services"][0]["health"] == "healthy"
    assert (refused.exit_code, "store keeps data" in refused.err) == (5, True)
    assert after_refusal["store"] == started["store"]
    assert allowed.exit_code == 0, allowed.err
    assert unknown.exit_code == 2
    assert project.container_ids() == before
    assert _start_times(project)["store"] > started["store"]
    assert _start_times(project)["once"] == started["once"]
    assert project.opsctl("status", "--no-stats").exit_code == 0


def _start_times(project: DeployedProject) -> dict[str, str]:
    names = [project.container_name(service) for service in ("web", "store", "once")]
    lines = project.engine.run("inspect", "--format", "{{.State.StartedAt}}", *names).split()
    return dict(zip(("web", "store", "once"), lines, strict=True))


def test_a_command_runs_in_a_service_and_is_audited(project: DeployedProject) -> None:
    service = {**STORE, "environment": {"PASSWORD": PASSWORD}}
    project.write_compose_file({"store": service, "pair": {**STORE, "volumes": [], "scale": 2}})
    project.run_up()

    code = project.opsctl("exec", "store", "--", "sh", "-c", f"echo {PASSWORD}; exit 42")
    several = project.opsctl("exec", "pair", "--", "hostname")
    second = project.opsctl("exec", "--index", "2", "pair", "--", "hostname")
    unknown = project.opsctl("exec", "nope", "--", "ls")
    piped = subprocess.run(
        project.command_line("exec", "store", "--", "cat"),
        cwd=project.directory,
        env=project.environment,
        input="to the container",
        capture_output=True,
        text=True,
        check=False,
    )
    terminal = _run_on_terminal(project, "exec", "store", "--", "sh", "-c", "tty; exit 3")
    project.engine.run("stop", "--time", "1", project.container_name("store"))
    stopped = project.opsctl("exec", "store", "--", "ls")

    assert (code.exit_code, code.out) == (42, f"{PASSWORD}\n")
    assert (several.exit_code, "--index 1 or 2" in several.err) == (2, True)
    assert project.engine.run(
        "inspect", f"{project.compose_project}-pair-2", "--format", "{{.Id}}"
    ).startswith(second.out.strip())
    assert (unknown.exit_code, "pair, store" in unknown.err) == (2, True)
    assert (piped.returncode, piped.stdout) == (0, "to the container")
    assert terminal == (3, "/dev/pts/0")
    assert (stopped.exit_code, "opsctl restart -e dev store" in stopped.err) == (1, True)
    audited = "".join(_audited_commands(project))
    assert "sh -c 'echo ***; exit 42'" in audited
    assert PASSWORD not in audited


def _run_on_terminal(project: DeployedProject, *words: str) -> tuple[int, str]:
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        project.command_line(*words),
        cwd=project.directory,
        env=project.environment,
        stdin=theirs,
        stdout=theirs,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as running:
        os.close(theirs)
        said = os.read(ours, 1000).decode()
        code = running.wait(60)
    os.close(ours)
    return code, said.strip()


def _audited_commands(project: DeployedProject) -> list[str]:
    with closing(sqlite3.connect(project.directory.parent / "state/state.db")) as database:
        rows = database.execute(
            "SELECT details FROM audit WHERE command = 'exec' AND outcome = 'started'"
        )
        return [row[0] for row in rows]


def test_an_experiment_runs_no_command_in_production(prod: DeployedProject) -> None:
    prod.write_compose_file({"store": STORE})
    prod.commit("One")
    prod.run_up()
    prod.git("switch", "--quiet", "--create", "exp/idea")

    refused = [
        prod.opsctl("exec", "store", "--", "touch", "/data/ran"),
        prod.opsctl("restart", "store"),
        prod.opsctl("lock", "mine"),
    ]

    assert [result.exit_code for result in refused] == [5, 5, 5]
    assert "ran" not in prod.engine.run("exec", prod.container_name("store"), "ls", "/data")
