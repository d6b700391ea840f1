"""A server process to start, freeze, thaw and kill; it never outlives the test process."""

import contextlib
import shutil
import signal
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import psutil
import pytest

from tests.waiting import wait_for

_START_S = 90


class Daemon:
    def __init__(
        self,
        argv: Sequence[str],
        *,
        log: Path,
        stop_by: signal.Signals,
        die_by: signal.Signals,
        become: Sequence[str] = (),
    ) -> None:
        # In this order: changing the user would forget the signal.
        self.argv = [*become, *bound_to_us(argv, die_by)]
        self.log = log
        self._stop_by = stop_by
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None, "not started"
        return self._process.pid

    def start(self, is_ready: Callable[[], bool]) -> None:
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self.argv,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        wait_for(lambda: self._ended() or is_ready(), _START_S, f"{self.log.stem} to answer")
        if self._ended():
            tail = self.log.read_text("utf-8", errors="replace")[-2000:]
            pytest.fail(f"{self.log.stem} ended at once:\n{tail}")

    def freeze(self) -> None:
        """Stop it and its children in their tracks: connections stand, and nothing answers."""
        # The parent first: from then on it has no further children.
        leader = psutil.Process(self.pid)
        leader.suspend()
        wait_for(lambda: leader.status() == psutil.STATUS_STOPPED, _START_S, "it to stand still")
        for process in self._family()[1:]:
            process.suspend()

    def thaw(self) -> None:
        for process in self._family():
            with contextlib.suppress(psutil.NoSuchProcess):
                process.resume()

    def kill(self) -> None:
        """End it as a crash would."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        self._end(self._stop_by)

    def _end(self, how: signal.Signals) -> None:
        if self._process is None or self._ended():
            return
        family = self._family()
        self.thaw()
        self._process.send_signal(how)
        self._process.wait(timeout=_START_S)
        psutil.wait_procs(family, timeout=_START_S)

    def _family(self) -> list[psutil.Process]:
        leader = psutil.Process(self.pid)
        return [leader, *leader.children(recursive=True)]

    def _ended(self) -> bool:
        return self._process is not None and self._process.poll() is not None


def bound_to_us(argv: Sequence[str], die_by: signal.Signals) -> list[str]:
    """Have the kernel send a signal when the test process dies, even by SIGKILL."""
    if shutil.which("setpriv") is None:
        return list(argv)
    return ["setpriv", "--pdeathsig", die_by.name.removeprefix("SIG"), *argv]
