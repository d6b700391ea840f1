"""Takes and frees one lock, and starts a child, by orders on stdin; answers on stdout."""

import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

from opsctl.errors import BusyError
from opsctl.state import Locks
from opsctl.state.model import Actor
from opsctl.systems.clock import SystemClock
from opsctl.systems.files.local import LocalFiles

LOCKS = Locks(Path(sys.argv[1]), LocalFiles(), SystemClock(), Actor("op", "box", os.getpid()))


def take(held: ExitStack) -> str:
    try:
        held.enter_context(LOCKS.hold("deploy-prod", purpose="up"))
    except BusyError as error:
        return f"busy {error.why}"
    return "taken"


def start_child() -> str:
    # All descriptors are passed on that are not closed on exec: the lock's must not be.
    command = [sys.executable, "-c", "import sys; sys.stdin.read()"]
    return str(subprocess.Popen(command, close_fds=False).pid)


if __name__ == "__main__":
    with ExitStack() as held:
        for line in sys.stdin:
            match line.strip():
                case "take":
                    answer = take(held)
                case "child":
                    answer = start_child()
                case _:
                    held.close()
                    answer = "freed"
            print(answer, flush=True)  # noqa: T201 - its answer
