"""Killed between any two writes, a notifier loses nothing, and repeats whole bundles at most."""

import os
import shutil
import signal
import sys
import threading
from itertools import count
from pathlib import Path
from types import FrameType

import pytest

from opsctl.notify.model import Notice, SendResult, Severity
from opsctl.notify.notifier import Notifier
from opsctl.state import Store, open_store
from opsctl.systems.clock import SystemClock
from opsctl.systems.files.local import LocalFiles
from opsctl.systems.sqlite.database import SqliteDatabases
from tests.fakes.channel import KeptChannel
from tests.fakes.disk_context import notifier as make_notifier

# Statements to the store, and what goes to files: a kill falls before each of them.
WRITES = frozenset({"execute", "write", "flock", "ftruncate", "unlink", "rename", "fsync"})
# A run has about a hundred of these; far above that something runs in a circle.
MOST_STEPS = 1000


class Home:
    """A state directory, the mailbox of a channel, and what a caller was promised."""

    def __init__(self, path: Path) -> None:
        self.state = path / "state"
        self._mailbox, self._reported = path / "box", path / "told"

    def store(self) -> Store:
        return open_store(self.state, SqliteDatabases(LocalFiles(), SystemClock()))

    def notifier(self, store: Store) -> Notifier:
        return make_notifier(lambda: store, _Lines(self._mailbox), SystemClock(), self.state)

    def report(self, notifier: Notifier, key: str) -> None:
        notifier.report(Notice(key, "disk", Severity.WARNING, f"{key} is full"))
        append(self._reported, key)

    @property
    def reported(self) -> set[str]:
        return set(lines(self._reported))

    @property
    def arrived(self) -> list[list[str]]:
        """Give bundle and key of each message that arrived."""
        return [line.split() for line in lines(self._mailbox)]


class _Lines(KeptChannel):
    """Takes each message as a line that is in the file when it answers."""

    def __init__(self, mailbox: Path) -> None:
        super().__init__()
        self._mailbox = mailbox

    def send(self, bundle: object, *, limit_s: float) -> SendResult:
        assert limit_s > 0
        for message in getattr(bundle, "messages", ()):
            append(self._mailbox, f"{getattr(bundle, 'id', '')} {message.key}")
        return SendResult(is_accepted=True)


def append(path: Path, line: str) -> None:
    descriptor = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    os.write(descriptor, f"{line}\n".encode())
    os.close(descriptor)


def lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


def run_once(home: Home, key: str) -> None:
    """Report a problem, send what is due, report another one, and send again."""
    with home.store() as store:
        notifier = home.notifier(store)
        home.report(notifier, key)
        notifier.flush(5)
        home.report(notifier, f"{key}-more")
        notifier.flush(5)


def killed_at(step: int, home: Home) -> bool:
    """Run in a process that is killed at this step; False if there is no such step."""
    process = os.fork()
    if process == 0:
        try:
            _die_at(step)
            run_once(home, "second")
        finally:
            sys.setprofile(None)
            os._exit(0)
    _, status = os.waitpid(process, 0)
    return os.waitstatus_to_exitcode(status) == -signal.SIGKILL


def _die_at(step: int) -> None:
    steps = count(1)

    def watch(_frame: FrameType, event: str, called: object) -> None:
        is_step = event == "c_call" and getattr(called, "__name__", "") in WRITES
        if is_step and next(steps) == step:
            os.kill(os.getpid(), signal.SIGKILL)

    threading.setprofile(watch)
    sys.setprofile(watch)


@pytest.fixture
def begun(tmp_path: Path) -> Path:
    """Keep one message that waits since before."""
    path = tmp_path / "begun"
    path.mkdir()
    home = Home(path)
    with home.store() as store:
        home.report(home.notifier(store), "first")
    return path


def test_a_kill_between_any_two_writes_loses_nothing_and_repeats_only_whole_bundles(
    begun: Path, tmp_path: Path
) -> None:
    kills = repeats = 0
    for step in range(1, MOST_STEPS):
        path = tmp_path / f"{step}"
        shutil.copytree(begun, path)
        home = Home(path)
        if not killed_at(step, home):
            break
        run_once(home, "third")

        keys = [key for _, key in home.arrived]
        # What came twice came with the same id: the receiver can tell.
        assert set(keys) >= home.reported, step
        assert len(set(keys)) == len({tuple(line) for line in home.arrived}), step
        repeats += len(keys) > len(set(keys))
        kills += 1
        shutil.rmtree(path)

    assert 40 < kills < MOST_STEPS - 1
    # The documented window: sent, and killed before that was recorded.
    assert 0 < repeats < kills / 4
