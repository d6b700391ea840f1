"""The end of the process: as Python's own would be, and quicker."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

LEAVE = """
import atexit, sys, threading, time
from opsctl.cli.exit import exit_process
{before}
exit_process({code})
"""


def left(before: str = "", code: int = 0, *, stdout: int = subprocess.PIPE) -> tuple[int, str]:
    argv = [sys.executable, "-c", LEAVE.format(before=before, code=code)]
    # Without it what is printed is written at once, and nothing is left for the end.
    env = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    done = subprocess.run(
        argv, stdout=stdout, stderr=subprocess.PIPE, env=env, check=False, timeout=60
    )
    return done.returncode, ((done.stdout or b"") + done.stderr).decode()


@pytest.mark.parametrize("code", [0, 3, 130])
def test_the_exit_code_arrives(code: int) -> None:
    assert left(code=code) == (code, "")


def test_what_was_written_arrives() -> None:
    before = "print('answer'); sys.stderr.write('trouble')"

    assert left(before) == (0, "answer\ntrouble")


def test_what_was_to_be_done_at_the_end_is_done() -> None:
    assert left("atexit.register(print, 'tidied up')") == (0, "tidied up\n")


def test_a_thread_that_is_waited_for_ends_first() -> None:
    before = "threading.Thread(target=lambda: (time.sleep(0.3), print('done'))).start()"

    assert left(before, 3) == (3, "done\n")


def test_a_thread_that_nobody_waits_for_holds_nobody_up() -> None:
    before = "threading.Thread(target=time.sleep, args=(60,), daemon=True).start()"

    assert left(before) == (0, "")


def test_an_answer_that_cannot_be_written_is_no_success() -> None:
    with Path("/dev/full").open("w") as full:
        code, said = left("print('answer')", stdout=full.fileno())

    assert code == 120
    assert "No space left" in said
