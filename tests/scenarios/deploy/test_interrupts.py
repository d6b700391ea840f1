"""A signal at ten points of a deploy: the old version runs, or the release log has the problem."""

import signal
import subprocess

import pytest

from tests.scenarios.deploy.deployed_project import DeployedProject

# What the program has just printed when the signal comes.
POINTS = (
    "preflight:",
    "lock:",
    "snapshot:",
    "build:",
    "#1 ",
    "up:",
    "-web-1 Recreate",
    "-web-1 Starting",
    "verify:",
    "record:",
)


def _cut_off(project: DeployedProject, point: str, number: signal.Signals) -> tuple[int, str]:
    """Send the signal when the line appears; a second one must not disturb the recovery."""
    with project.start_opsctl("up") as running:
        assert running.stderr is not None
        said = ""
        for line in running.stderr:
            said += line
            if _has_point(line, point):
                running.send_signal(number)
                _again(running, number)
                break
        said += running.stderr.read()
    return running.returncode, said


def _has_point(line: str, point: str) -> bool:
    """Compose 2 writes two spaces where Compose 5 writes one."""
    return point.strip() in " ".join(line.split())


def _again(running: subprocess.Popen[str], number: signal.Signals) -> None:
    if number is not signal.SIGKILL:
        running.send_signal(number)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_deploy_leaves_the_previous_release_running(
    project: DeployedProject, number: signal.Signals
) -> None:
    project.deploy_version("0")
    serving = "0"

    for version, point in enumerate(POINTS, start=1):
        project.commit_version(str(version))
        code, said = _cut_off(project, point, number)
        outcome = project.outcomes()[0]
        if outcome == "done" and f"Serve {version}" == project.history()[0]["git_subject"]:
            serving = str(version)
        context = f"at {point!r}: exit {code}, {outcome}\n{said}"

        assert code in ({0, 130} if outcome == "done" else {1, 130}), context
        assert project.served_version() == serving, context
        assert project.data == "do not lose this", context
        assert project.container_names() == [
            project.container_name("store"),
            project.container_name("web"),
        ], context
        assert outcome in {"done", "failed", "restored"}, context
        assert (code == 1) is (outcome == "restored"), context


@pytest.mark.timeout(600)
def test_a_killed_deploy_is_recorded_and_can_be_continued_or_rolled_back(
    project: DeployedProject,
) -> None:
    project.deploy_version("0")
    serving = "0"

    for version, point in enumerate(POINTS, start=1):
        project.commit_version(str(version))
        code, said = _cut_off(project, point, signal.SIGKILL)
        status = project.opsctl("status", "--no-stats", "--json").json
        context = f"at {point!r}: {status}\n{said}"
        assert code == -signal.SIGKILL, context
        command = "up" if version % 2 else "rollback"
        if status["unfinished"]:
            assert any(
                "was cut off in step" in finding["what"] for finding in status["findings"]
            ), context
            done = project.opsctl(command)
            assert done.exit_code == 0, f"{context}\n{done.err}"
            serving = str(version) if command == "up" else serving
        elif project.history()[0]["git_subject"] == f"Serve {version}":
            serving = str(version)
        assert project.served_version() == serving, context
        assert project.data == "do not lose this", context
        assert project.container_names() == [
            project.container_name("store"),
            project.container_name("web"),
        ], context
        assert "running" not in project.outcomes(), context
