"""The sources at a commit: a second checkout that is removed after use."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

from opsctl.systems.git.repository import SETTINGS
from opsctl.systems.process.run import Command, Processes

CHECKOUT_S = 300.0
# A checkout runs hooks, and this one is nobody's doing.
PROGRAM = ("git", "--no-pager", "-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false")


class Sources(Protocol):
    def at(self, top: Path, commit: str) -> AbstractContextManager[Path]:
        """Check out a commit beside the checkout at `top`, for the length of the block."""
        ...


def adding(top: Path, commit: str, place: Path) -> Command:
    words = ("worktree", "add", "--detach", "--force", "--end-of-options", str(place), commit)
    return Command((*PROGRAM, *words), cwd=top, env=SETTINGS, timeout_s=CHECKOUT_S)


def removing(top: Path, place: Path) -> Command:
    words = ("worktree", "remove", "--force", "--force", "--end-of-options", str(place))
    return Command((*PROGRAM, *words), cwd=top, env=SETTINGS, timeout_s=CHECKOUT_S)


class GitSources:
    def __init__(self, processes: Processes) -> None:
        self._processes = processes

    @contextmanager
    def at(self, top: Path, commit: str) -> Iterator[Path]:
        with TemporaryDirectory(prefix="opsctl-sources-") as folder:
            place = Path(folder) / "checkout"
            self._processes.run(adding(top, commit, place), check=True)
            try:
                yield place
            finally:
                self._processes.run(removing(top, place))
