"""The sources at a commit, submodules included: a second checkout that is removed after use."""

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

from opsctl.errors import OpsctlError
from opsctl.systems.git.repository import SETTINGS
from opsctl.systems.process.run import Command, Processes

CHECKOUT_S = 300.0
# A checkout runs hooks, and this one is nobody's doing.
PROGRAM = ("git", "--no-pager", "-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false")
# The process is in the name, so that the next one knows what a killed one left.
FOLDER = re.compile(r"opsctl-sources-(?P<process>\d+)-.*")
SUBMODULE = "160000"


@dataclass(frozen=True, slots=True)
class Submodule:
    path: str
    commit: str


class Sources(Protocol):
    def check(self, top: Path, commit: str) -> None:
        """Refuse a commit that cannot be checked out whole from what is on this machine."""
        ...

    def at(self, top: Path, commit: str) -> AbstractContextManager[Path]:
        """Check out a commit beside the checkout at `top`, for the length of the block."""
        ...


def adding(top: Path, commit: str, place: Path) -> Command:
    return _git(top, "worktree", "add", "--detach", "--force", "--end-of-options", place, commit)


def removing(top: Path, place: Path) -> Command:
    return _git(top, "worktree", "remove", "--force", "--force", "--end-of-options", place)


def _git(top: Path, *words: str | Path) -> Command:
    argv = (*PROGRAM, *(str(word) for word in words))
    return Command(argv, cwd=top, env=SETTINGS, timeout_s=CHECKOUT_S)


def read_submodules(listing: str) -> tuple[Submodule, ...]:
    """Read `ls-tree -r -z`."""
    entries = (entry.partition("\t") for entry in listing.split("\0") if entry)
    fields = ((about.split(), path) for about, _, path in entries)
    return tuple(Submodule(path, about[2]) for about, path in fields if about[0] == SUBMODULE)


class GitSources:
    def __init__(self, processes: Processes) -> None:
        self._processes = processes

    def check(self, top: Path, commit: str) -> None:
        for submodule in self._submodules(top, commit):
            folder = top / submodule.path
            words = ("-C", folder, "cat-file", "-e", f"{submodule.commit}^{{commit}}")
            is_own = (folder / ".git").exists()
            if not is_own or self._processes.run(_git(top, *words)).exit_code:
                raise OpsctlError(
                    f"cannot check out commit {commit[:12]}",
                    why=f"its submodule {submodule.path} is not here at {submodule.commit[:12]}",
                    hint=f"git -C {top} submodule update --init --recursive; or deploy what is"
                    " checked out: opsctl up",
                )
            self.check(folder, submodule.commit)

    @contextmanager
    def at(self, top: Path, commit: str) -> Iterator[Path]:
        self.check(top, commit)
        with (
            TemporaryDirectory(prefix=f"opsctl-sources-{os.getpid()}-") as folder,
            ExitStack() as added,
        ):
            place = Path(folder) / "checkout"
            self._add(top, commit, place, added)
            yield place

    def _add(self, top: Path, commit: str, place: Path, added: ExitStack) -> None:
        """Add the worktree and those of its submodules; the inner ones are removed first."""
        self._remove_stale(top)
        self._processes.run(adding(top, commit, place), check=True)
        added.callback(lambda: self._processes.run(removing(top, place)))
        for submodule in self._submodules(top, commit):
            self._add(top / submodule.path, submodule.commit, place / submodule.path, added)

    def _submodules(self, top: Path, commit: str) -> tuple[Submodule, ...]:
        has_any = _git(top, "cat-file", "-e", f"{commit}:.gitmodules")
        if self._processes.run(has_any).exit_code:
            return ()
        listing = _git(top, "ls-tree", "-r", "-z", "--end-of-options", commit)
        return read_submodules(self._processes.run(listing, check=True).require().stdout)

    def _remove_stale(self, top: Path) -> None:
        """Remove what a killed process left."""
        listing = self._processes.run(_git(top, "worktree", "list", "--porcelain", "-z")).stdout
        for line in listing.split("\0"):
            path = Path(line.removeprefix("worktree "))
            folder = next((each for each in path.parents if FOLDER.fullmatch(each.name)), None)
            if line.startswith("worktree ") and folder is not None and not _is_alive(folder):
                self._processes.run(removing(top, path))
                shutil.rmtree(folder, ignore_errors=True)


def _is_alive(folder: Path) -> bool:
    found = FOLDER.fullmatch(folder.name)
    return found is not None and Path(f"/proc/{found['process']}").exists()
