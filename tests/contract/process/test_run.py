"""One suite over the fake and the real thing: what every caller of Processes may count on."""

from pathlib import Path

import pytest

from opsctl.errors import OpsctlError, UnreachableError
from opsctl.systems.clock import SystemClock
from opsctl.systems.process.output import Line
from opsctl.systems.process.run import Command, LocalProcesses, Processes
from tests.fakes.processes import ScriptedProcesses

CANARY = "s3cret-canary"
SPEAKS = ("sh", "-c", f"echo one; echo {CANARY}; echo two >&2")
FAILS = ("sh", "-c", f"echo 'no room for {CANARY}' >&2; exit 4")
HANGS = ("sh", "-c", "exec sleep 300")


@pytest.fixture(params=["local", "scripted"])
def processes(request: pytest.FixtureRequest) -> Processes:
    if request.param == "local":
        return LocalProcesses(SystemClock())
    scripted = ScriptedProcesses()
    scripted.script(*SPEAKS, stdout=f"one\n{CANARY}\n", stderr="two\n")
    scripted.script(*FAILS, stderr=f"no room for {CANARY}\n", exit_code=4)
    scripted.script(*HANGS, is_late=True)
    return scripted


def test_what_a_program_says_is_kept_apart(processes: Processes) -> None:
    finished = processes.run(Command(SPEAKS))

    assert finished.exit_code == 0
    assert finished.stdout == f"one\n{CANARY}\n"
    assert finished.stderr == "two\n"


def test_a_failing_program_is_a_value(processes: Processes) -> None:
    finished = processes.run(Command(FAILS))

    assert finished.exit_code == 4
    assert finished.complaint == f"no room for {CANARY}"


def test_a_failing_program_is_an_error_when_it_has_to_work(processes: Processes) -> None:
    with pytest.raises(OpsctlError) as caught:
        processes.run(Command(FAILS, secrets=(CANARY,)), check=True)

    assert "exit code 4: no room for ***" in caught.value.why


def test_a_program_that_hangs_did_not_answer(processes: Processes) -> None:
    with pytest.raises(UnreachableError) as caught:
        processes.run(Command(HANGS, timeout_s=0.1))

    assert "did not finish within 0.1 s" in caught.value.what


def test_a_caller_chooses_what_lateness_means(processes: Processes) -> None:
    with pytest.raises(OpsctlError) as caught:
        processes.run(Command(HANGS, timeout_s=0.1, late=OpsctlError))

    assert caught.value.exit_code == 1


def test_a_missing_program_says_how_to_get_it(processes: Processes, tmp_path: Path) -> None:
    with pytest.raises(OpsctlError) as caught:
        processes.run(Command((str(tmp_path / "git"),)))

    assert caught.value.hint == "Install it: apt-get install git"


def test_lines_are_handed_on_without_secrets(processes: Processes) -> None:
    lines: list[Line] = []

    finished = processes.stream(Command(SPEAKS, secrets=(CANARY,)), lines.append)

    assert finished.exit_code == 0
    assert [line for line in lines if not line.is_error] == [Line("one"), Line("***")]
    assert [line for line in lines if line.is_error] == [Line("two", is_error=True)]


def test_no_secret_is_in_an_error_or_a_repr(processes: Processes) -> None:
    command = Command(FAILS, env={"PGPASSWORD": CANARY}, input=CANARY.encode(), secrets=(CANARY,))

    finished = processes.run(command)
    with pytest.raises(OpsctlError) as caught:
        finished.require()

    shown = [repr(command), repr(finished), repr(caught.value), *vars(caught.value).values()]
    assert not [text for text in shown if CANARY in text]


def test_an_attached_program_gives_its_exit_code(processes: Processes) -> None:
    assert processes.attach(Command(FAILS)) == 4


def test_a_program_that_is_not_there_cannot_be_attached(processes: Processes) -> None:
    with pytest.raises(OpsctlError) as missing:
        processes.attach(Command(("no-such-program",)))

    assert missing.value.what == "cannot run no-such-program"
