"""What only real programs can show: groups, descriptors, signals, floods."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from opsctl.errors import OpsctlError, UnreachableError
from opsctl.systems.clock import SystemClock
from opsctl.systems.process import run as process
from opsctl.systems.process.output import LINE_LIMIT_BYTES, Line
from opsctl.systems.process.run import Command, LocalProcesses
from tests.waiting import wait_for

CANARY = "s3cret-canary"


@pytest.fixture
def processes() -> LocalProcesses:
    return LocalProcesses(SystemClock())


def is_gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def sh(script: str, *words: str) -> tuple[str, ...]:
    return ("sh", "-c", script, "sh", *words)


def test_at_the_deadline_the_whole_group_is_ended(
    processes: LocalProcesses, tmp_path: Path
) -> None:
    deaf = "trap '' TERM; sleep 300 & echo $! > \"$1\"; wait; wait"

    with pytest.raises(UnreachableError):
        processes.run(Command(sh(deaf, str(tmp_path / "pid")), timeout_s=2, grace_s=0.1))

    wait_for(lambda: is_gone(int((tmp_path / "pid").read_text())), 60, "the grandchild to end")


def test_a_program_may_clean_up_at_the_deadline(processes: LocalProcesses, tmp_path: Path) -> None:
    tidy = "trap 'echo tidied > \"$1\"; exit 0' TERM; while :; do sleep 0.05; done"

    with pytest.raises(UnreachableError):
        processes.run(Command(sh(tidy, str(tmp_path / "done")), timeout_s=2, grace_s=60))

    assert (tmp_path / "done").read_text() == "tidied\n"


def test_the_error_of_the_deadline_keeps_what_was_said(processes: LocalProcesses) -> None:
    with pytest.raises(UnreachableError) as caught:
        processes.run(
            Command(sh(f"echo waiting for {CANARY}; sleep 300"), timeout_s=2, secrets=(CANARY,))
        )

    assert caught.value.why == "waiting for ***"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_wait_ends_the_program(tmp_path: Path, number: signal.Signals) -> None:
    note = tmp_path / "pid"
    ours = subprocess.Popen(
        [sys.executable, "-c", _WAITS, str(note)], stderr=subprocess.PIPE, text=True
    )
    wait_for(lambda: note.exists() and note.read_text().strip(), 60, "the child to begin")

    ours.send_signal(number)
    _, said = ours.communicate(timeout=60)

    assert "KeyboardInterrupt" in said
    assert is_gone(int(note.read_text()))


_WAITS = """
import signal, sys
from opsctl.systems.clock import SystemClock
from opsctl.systems.process.run import Command, LocalProcesses

def stop(*_): raise KeyboardInterrupt

signal.signal(signal.SIGTERM, stop)
script = 'echo $$ > "$1.new"; mv "$1.new" "$1"; exec sleep 300'
LocalProcesses(SystemClock()).run(Command(("sh", "-c", script, "sh", sys.argv[1])))
"""


def test_a_listener_that_raises_ends_the_program(processes: LocalProcesses, tmp_path: Path) -> None:
    def stop(line: Line) -> None:
        (tmp_path / "pid").write_text(line.text)
        raise LookupError

    with pytest.raises(LookupError):
        processes.stream(Command(sh("echo $$; exec sleep 300")), stop)

    assert is_gone(int((tmp_path / "pid").read_text()))


def test_lines_come_while_the_program_runs(processes: LocalProcesses, tmp_path: Path) -> None:
    waits = 'echo ready; until [ -e "$1" ]; do sleep 0.02; done; echo seen'
    lines: list[str] = []

    def answer(line: Line) -> None:
        lines.append(line.text)
        (tmp_path / "heard").touch()

    processes.stream(Command(sh(waits, str(tmp_path / "heard")), timeout_s=60), answer)

    assert lines == ["ready", "seen"]


def test_a_program_inherits_no_descriptor_of_ours(
    processes: LocalProcesses, tmp_path: Path
) -> None:
    with (tmp_path / "lock").open("w") as lock:
        os.set_inheritable(lock.fileno(), True)  # noqa: FBT003 - the interface of os
        finished = processes.run(Command(sh('ls -l "/proc/$$/fd"')))

    assert finished.exit_code == 0
    assert "lock" not in finished.stdout


def test_only_a_few_variables_reach_a_program() -> None:
    ours = {"PATH": os.environ["PATH"], "GIT_DIR": "/elsewhere", "PGPASSWORD": CANARY}
    processes = LocalProcesses(SystemClock(), ours)

    finished = processes.run(Command(("env",), env={"APP_ENV": "prod"}))

    said = dict(line.split("=", 1) for line in finished.stdout.splitlines())
    assert said == {"PATH": os.environ["PATH"], "APP_ENV": "prod"}


def test_a_program_that_reads_finds_nothing(processes: LocalProcesses) -> None:
    assert processes.run(Command(("cat",), timeout_s=60)).out == b""


def test_more_than_a_pipe_holds_goes_through_both_ways(processes: LocalProcesses) -> None:
    given = bytes(range(256)) * 4096

    finished = processes.run(Command(("cat",), input=given))

    assert finished.out == given


def test_a_program_need_not_read_what_it_is_given(processes: LocalProcesses) -> None:
    assert processes.run(Command(("true",), input=b"x" * 1_000_000)).exit_code == 0


def test_a_flood_is_bounded_and_known_to_be(processes: LocalProcesses) -> None:
    flood = f"head -c {process.OUTPUT_LIMIT_BYTES + 1} /dev/zero"

    finished = processes.run(Command(sh(flood)))

    assert len(finished.out) == process.OUTPUT_LIMIT_BYTES
    with pytest.raises(OpsctlError, match="cannot read the output of"):
        finished.require()


def test_a_streamed_flood_keeps_its_end(processes: LocalProcesses) -> None:
    lines: list[Line] = []

    finished = processes.stream(Command(("seq", "100000")), lines.append)

    assert len(lines) == 100_000
    assert finished.require().out.endswith(b"\n99999\n100000\n")
    assert len(finished.out) == LINE_LIMIT_BYTES


def test_what_a_program_leaves_behind_does_not_keep_us(processes: LocalProcesses) -> None:
    finished = processes.run(Command(sh("sleep 100 & echo $!"), timeout_s=60))

    os.kill(int(finished.stdout), signal.SIGKILL)
    assert finished.exit_code == 0
    assert finished.duration_s < 50


def test_a_program_has_no_terminal_to_prompt_on(processes: LocalProcesses) -> None:
    assert processes.run(Command(sh(": < /dev/tty"))).exit_code != 0


def test_a_program_ended_by_a_signal_says_which(processes: LocalProcesses) -> None:
    with pytest.raises(OpsctlError) as caught:
        processes.run(Command(sh("kill -9 $$")), check=True)

    assert caught.value.why == "ended by SIGKILL"


def test_a_missing_folder_is_not_a_missing_program(
    processes: LocalProcesses, tmp_path: Path
) -> None:
    with pytest.raises(OpsctlError) as caught:
        processes.run(Command(("git",), cwd=tmp_path / "gone"))

    assert caught.value.why == f"{tmp_path / 'gone'} is not a directory"


def test_a_file_that_is_not_a_program_is_reported(
    processes: LocalProcesses, tmp_path: Path
) -> None:
    plain = tmp_path / "plain"
    plain.write_text("not for running")

    with pytest.raises(OpsctlError) as caught:
        processes.run(Command((str(plain),)))

    assert caught.value.hint == "Is it executable for this user?"


def test_without_a_free_descriptor_nothing_is_left_running() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _STARVES], capture_output=True, text=True, check=True
    )

    assert done.stdout == "OpsctlError: cannot run sleep: Too many open files\n[]\n"


# Each round leaves one descriptor more to start with, until it works.
_STARVES = """
import os, psutil, resource
from opsctl.errors import OpsctlError
from opsctl.systems.clock import SystemClock
from opsctl.systems.process.run import Command, LocalProcesses

processes = LocalProcesses(SystemClock(), {"PATH": os.environ["PATH"]})
errors = set()
for limit in range(len(os.listdir("/proc/self/fd")), 30):
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, 4096))
    try:
        processes.run(Command(("sleep", "0")))
    except OpsctlError as error:
        errors.add(f"{type(error).__name__}: {error}: {error.why}")
resource.setrlimit(resource.RLIMIT_NOFILE, (1024, 4096))
print(*errors)
print(psutil.Process().children())
"""


def test_an_argument_with_a_nul_is_refused_unquoted(processes: LocalProcesses) -> None:
    with pytest.raises(OpsctlError) as caught:
        processes.run(Command(("true", f"{CANARY}\0")))

    assert CANARY not in str(vars(caught.value))


def test_words_are_never_read_by_a_shell(processes: LocalProcesses, tmp_path: Path) -> None:
    hostile = "$(touch f); `touch f` && touch f"

    finished = processes.run(Command(("echo", hostile), cwd=tmp_path))

    assert finished.stdout == f"{hostile}\n"
    assert not list(tmp_path.iterdir())


def test_an_interruption_while_a_program_is_being_started_ends_it(tmp_path: Path) -> None:
    note = tmp_path / "pid"

    done = subprocess.run(
        [sys.executable, "-c", _INTERRUPTED_AT_THE_START, str(note)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert "KeyboardInterrupt" in done.stderr
    wait_for(lambda: is_gone(int(note.read_text())), 60, "the child to end")


# The signal comes when the child is there, and nobody has taken it in hand yet.
_INTERRUPTED_AT_THE_START = """
import os, pathlib, signal, subprocess, sys
from opsctl.systems.clock import SystemClock
from opsctl.systems.process.run import Command, LocalProcesses

class Interrupted(subprocess.Popen):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        pathlib.Path(sys.argv[1]).write_text(str(self.pid))
        os.kill(os.getpid(), signal.SIGINT)

subprocess.Popen = Interrupted
LocalProcesses(SystemClock()).run(Command(("sleep", "300")))
"""
