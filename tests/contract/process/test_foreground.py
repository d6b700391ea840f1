"""A program on our own streams, in a process of its own that can be signalled."""

import signal
import subprocess
import sys

import pytest

RUN = """
import sys
from opsctl.systems.clock import SystemClock
from opsctl.systems.process.run import Command, LocalProcesses
from opsctl.cli.signals import signals_interrupt
with signals_interrupt():
    sys.exit(LocalProcesses(SystemClock()).attach(Command(("sh", "-c", sys.argv[1]))))
"""


def _start(script: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", RUN, script],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def test_streams_and_exit_code_are_passed_on() -> None:
    with _start("read word; echo got $word; exit 9") as running:
        out, _ = running.communicate("hello\n", timeout=60)

    assert (running.returncode, out) == (9, "got hello\n")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_goes_to_the_program_which_ends_us(number: signal.Signals) -> None:
    with _start(
        f"trap 'echo caught; exit 7' {number.name[3:]}; echo up; while :; do sleep 0.1; done"
    ) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == "up\n"
        running.send_signal(number)
        out, _ = running.communicate(timeout=60)

    assert (running.returncode, out) == (7, "caught\n")


def test_a_program_that_a_signal_ended_is_given_as_a_shell_does() -> None:
    with _start("kill -9 $$") as running:
        running.communicate(timeout=60)

    assert running.returncode == 137
