"""A signal at ten points of a deploy: the old version serves, or the ledger says what is wrong."""

import signal
import subprocess

import pytest

from tests.scenarios.deploy.stage import Stage

# What the program has just said when the signal comes.
POINTS = (
    "preflight:",
    "lock:",
    "snapshot:",
    "build:",
    "#1 ",
    "up:",
    "-web-1  Recreate",
    "-web-1  Starting",
    "verify:",
    "record:",
)


def _cut_off(stage: Stage, point: str, number: signal.Signals) -> tuple[int, str]:
    """Send the signal as soon as the line is said; a second one must not disturb the clean-up."""
    with stage.start("up") as running:
        assert running.stderr is not None
        said = ""
        for line in running.stderr:
            said += line
            if point in line:
                running.send_signal(number)
                _again(running, number)
                break
        said += running.stderr.read()
    return running.returncode, said


def _again(running: subprocess.Popen[str], number: signal.Signals) -> None:
    if number is not signal.SIGKILL:
        running.send_signal(number)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_deploy_leaves_what_ran_before(stage: Stage, number: signal.Signals) -> None:
    stage.deploy("0")
    serving = "0"

    for version, point in enumerate(POINTS, start=1):
        stage.version(str(version))
        code, said = _cut_off(stage, point, number)
        outcome = stage.outcomes()[0]
        if outcome == "done" and f"Serve {version}" == stage.history()[0]["git_subject"]:
            serving = str(version)
        context = f"at {point!r}: exit {code}, {outcome}\n{said}"

        assert code in ({0, 130} if outcome == "done" else {1, 130}), context
        assert stage.serves() == serving, context
        assert stage.precious == "do not lose this", context
        assert stage.names() == [stage.container("store"), stage.container("web")], context
        assert outcome in {"done", "failed", "restored"}, context
        assert (code == 1) is (outcome == "restored"), context


@pytest.mark.timeout(600)
def test_a_killed_deploy_is_found_in_the_ledger_and_goes_on_or_back(stage: Stage) -> None:
    stage.deploy("0")
    serving = "0"

    for version, point in enumerate(POINTS, start=1):
        stage.version(str(version))
        code, said = _cut_off(stage, point, signal.SIGKILL)
        status = stage.opsctl("status", "--no-stats", "--json").json
        context = f"at {point!r}: {status}\n{said}"
        assert code == -signal.SIGKILL, context
        mend = "up" if version % 2 else "rollback"
        if status["unfinished"]:
            assert any("was cut off in step" in one["what"] for one in status["findings"]), context
            done = stage.opsctl(mend)
            assert done.exit_code == 0, f"{context}\n{done.err}"
            serving = str(version) if mend == "up" else serving
        elif stage.history()[0]["git_subject"] == f"Serve {version}":
            serving = str(version)
        assert stage.serves() == serving, context
        assert stage.precious == "do not lose this", context
        assert stage.names() == [stage.container("store"), stage.container("web")], context
        assert "running" not in stage.outcomes(), context
