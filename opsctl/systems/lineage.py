"""Where the commits of a checkout were made: git's own diary, which a renamed branch keeps."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from opsctl.systems.git import asking
from opsctl.systems.process import Processes

# Longer than any branch lives; a diary of years is not read whole for one answer.
MOST_COMMITS = "1000"
_MOVED = re.compile(r"checkout: moving from (?P<old>\S+) to (?P<new>\S+)\Z")
_RENAMED = re.compile(r"Branch: renamed refs/heads/(?P<old>\S+) to refs/heads/(?P<new>\S+)\Z")


@dataclass(frozen=True, slots=True)
class Lineage:
    made_on: tuple[str, ...] = ()
    """Branches on which commits that no trunk holds were made, as far as this clone saw it."""
    renamed_from: tuple[str, ...] = ()
    """Earlier names of the branch at hand."""


class Lineages(Protocol):
    def lineage(self, directory: Path, trunks: tuple[str, ...]) -> Lineage: ...


class GitLineages:
    def __init__(self, processes: Processes) -> None:
        self._processes = processes

    def lineage(self, directory: Path, trunks: tuple[str, ...]) -> Lineage:
        """Read what this clone remembers; a fresh clone remembers nothing, which is no error."""
        diary = self._lines("reflog", "show", "--format=%H %gs", "HEAD", at=directory)
        branch = self._lines("rev-parse", "--symbolic-full-name", "HEAD", at=directory)
        own = self._lines("reflog", "show", "--format=%H %gs", *branch, "--", at=directory)
        names = [f"--glob=refs/remotes/*/{trunk}" for trunk in trunks]
        names += [f"--branches={trunk}" for trunk in trunks]
        words = ("rev-list", f"--max-count={MOST_COMMITS}", "HEAD", "--not", *names)
        fresh = frozenset(self._lines(*words, at=directory))
        return read_lineage(diary[::-1], own, fresh)

    def _lines(self, *words: str, at: Path) -> list[str]:
        finished = self._processes.run(asking(*words, at=at))
        return [] if finished.exit_code else finished.stdout.splitlines()


def read_lineage(diary: Iterable[str], own: Iterable[str], fresh: frozenset[str]) -> Lineage:
    """Follow HEAD's diary from its oldest entry, and find each commit's branch."""
    made: dict[str, str] = {}
    branch = ""
    for line in diary:
        commit, _, said = line.partition(" ")
        if moved := _MOVED.match(said):
            branch = moved["new"]
            continue
        if renamed := _RENAMED.match(said):
            branch = renamed["new"]
            continue
        made.setdefault(commit, branch)
    names = dict.fromkeys(made[commit] for commit in made if commit in fresh and made[commit])
    renames = (_RENAMED.match(line.partition(" ")[2]) for line in own)
    return Lineage(tuple(names), tuple(found["old"] for found in renames if found))
