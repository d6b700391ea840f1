"""The history of files: new on this branch, changed since the trunk, rewritten."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from opsctl.errors import OpsctlError
from opsctl.systems.git.repository import MOST_COMMITS, asking, read_ref
from opsctl.systems.process.run import Command, Processes

RENAMED, REMOVED = "R", "D"
SHORT = 12


@dataclass(frozen=True, slots=True)
class Rewrite:
    """A file that was on the trunk and has changed since."""

    path: str
    change: str
    commit: str = ""
    """Empty: since the trunk, here."""


class History(Protocol):
    def untracked(self, top: Path) -> tuple[str, ...]:
        """List files that are neither tracked nor ignored."""
        ...

    def changed(self, top: Path, trunks: tuple[str, ...]) -> tuple[str, ...] | None:
        """List files that differ from where this left the trunk; None where there is no trunk."""
        ...

    def rewrites(
        self, top: Path, under: str, trunks: tuple[str, ...]
    ) -> tuple[Rewrite, ...] | None:
        """List files below `under` that were edited, renamed or removed once a trunk had them."""
        ...


def listing(top: Path) -> Command:
    return asking("ls-files", "-z", "--others", "--exclude-standard", "--full-name", at=top)


def difference(base: str, under: str, *, at: Path) -> Command:
    words = ("diff", "--no-ext-diff", "--no-textconv", "-M", "--name-status", "-z")
    return asking(*words, "--end-of-options", base, "--", under, at=at)


def first_parents(base: str, under: str, *, at: Path) -> Command:
    """Ask what each change of the trunk did to files that were there before it."""
    shape = ("--name-status", "-z", "-M", "--diff-filter=MDR", "--format=%x01%H")
    words = ("log", "--first-parent", "-m", "--no-ext-diff", "--no-textconv", *shape)
    return asking(*words, "-n", str(MOST_COMMITS), "--end-of-options", base, "--", under, at=at)


def read_changes(words: list[str]) -> Iterator[tuple[str, str, str]]:
    """Read `--name-status -z`: a letter, a path, and for renames the path it has now."""
    given = iter(words)
    for word in given:
        kind = word.lstrip("\n")[:1]
        if kind:
            path = next(given, "")
            yield kind, path, next(given, "") if kind == RENAMED else path


def read_log(output: str) -> Iterator[tuple[str, str, str, str]]:
    """Read the answer to `first_parents`: commit, letter, path, path after it; newest first."""
    for entry in output.split("\x01")[1:]:
        commit, *words = entry.split("\0")
        for kind, path, now in read_changes(words):
            yield commit, kind, path, now


def describe_change(kind: str, now: str) -> str:
    if kind == RENAMED:
        return f"was renamed to {now}"
    return "was removed" if kind == REMOVED else "was edited"


class GitHistory:
    """Asks the git program; runs no filter, hook or driver of the repository."""

    def __init__(self, processes: Processes) -> None:
        self._processes = processes

    def untracked(self, top: Path) -> tuple[str, ...]:
        return tuple(name for name in self._ask(listing(top)).split("\0") if name)

    def changed(self, top: Path, trunks: tuple[str, ...]) -> tuple[str, ...] | None:
        base = self._base(top, trunks)
        if base is None:
            return None
        found = read_changes(self._ask(difference(base, ".", at=top)).split("\0"))
        names = [name for _, before, now in found for name in (before, now)]
        return tuple(dict.fromkeys((*names, *self.untracked(top))))

    def rewrites(
        self, top: Path, under: str, trunks: tuple[str, ...]
    ) -> tuple[Rewrite, ...] | None:
        base = self._base(top, trunks)
        if base is None:
            return None
        here = read_changes(self._ask(difference(base, under, at=top)).split("\0"))
        found = [
            Rewrite(path, describe_change(kind, now)) for kind, path, now in here if kind in "MDRT"
        ]
        known = {rewrite.path for rewrite in found}
        log = read_log(self._ask(first_parents(base, under, at=top)))
        for commit, kind, path, now in log:
            stands = path if kind != RENAMED else now
            # What is gone from the trunk for long can be neither mended nor pointed at.
            if kind != REMOVED and stands not in known and (top / stands).exists():
                known.add(stands)
                output = "was edited" if kind != RENAMED else f"was renamed from {path}"
                found.append(Rewrite(stands, output, commit[:SHORT]))
        return tuple(found)

    def _base(self, top: Path, trunks: tuple[str, ...]) -> str | None:
        """Find where this left the trunk; a remote's trunk counts before a local one."""
        shape = "--format=%(objectname) %(refname)"
        output = self._ask(asking("for-each-ref", shape, "refs/heads", "refs/remotes", at=top))
        rows = [line.split(" ", 1) for line in output.splitlines()]
        wanted = {trunk.casefold() for trunk in trunks}
        held = [(c, ref) for c, ref in rows if read_ref(ref).name.casefold() in wanted]
        held.sort(key=lambda row: not row[1].startswith("refs/remotes/"))
        for commit, _ in held:
            asked = asking("merge-base", "HEAD", commit, at=top)
            found = self._processes.run(asked)
            if not found.exit_code:
                return found.stdout.strip()
        return None

    def _ask(self, command: Command) -> str:
        finished = self._processes.run(command)
        if finished.exit_code:
            what = f"cannot ask git about {command.cwd}"
            raise OpsctlError(what, why=finished.complaint)
        return os.fsdecode(finished.require().out)
