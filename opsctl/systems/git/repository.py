"""The repository: which commit is checked out, whose it is, and what was changed since."""

import os
import re
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from opsctl.errors import OpsctlError
from opsctl.settings.isolation import Checkout
from opsctl.systems.process.run import Command, Finished, Processes

TIMEOUT_S = 20.0
# Told in English, asks nobody, locks nothing.
SETTINGS = {"LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0"}
# What a repository's own settings could make run or print in between.
PROGRAM = ("git", "--no-pager", "-c", "core.fsmonitor=false", "-c", "log.showSignature=false")


# More than any branch is ahead of its trunk; nobody waits for a history of a million.
DIARY_ENTRIES = 5_000
MOST_COMMITS = 5_000
MADE = re.compile(r"(commit|rebase|cherry-pick|revert|am)\b|merge \S+: Merge made")
MOVED = re.compile(r"checkout: moving from (?P<before>\S+) to \S+")
RENAMED = re.compile(r"Branch: renamed refs/heads/(?P<before>\S+) to refs/heads/\S+")


class RefKind(StrEnum):
    BRANCH = "branch"
    REMOTE = "remote"
    TAG = "tag"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Ref:
    """A name of a commit; `name` is `exp/x` for a branch, a tag and a remote's branch alike."""

    kind: RefKind
    name: str
    remote: str = ""


@dataclass(frozen=True, slots=True)
class GitFacts:
    """The state of a checkout."""

    top_level: Path
    head: str | None
    """None before the first commit."""
    subject: str = ""
    branch: str | None = None
    """None on a detached HEAD."""
    containing: tuple[Ref, ...] = ()
    """Every name that has the commit in its history, those that point at it included."""
    pointing: tuple[Ref, ...] = ()
    dirty: tuple[str, ...] = ()
    untracked: tuple[str, ...] = ()
    made_on: tuple[str, ...] = ()
    """Branches on which commits of this history, not yet on a trunk, were made."""
    renamed_from: tuple[str, ...] = ()
    """Earlier names of the branch."""
    is_shallow: bool = False
    """The history is shallow, so that `containing` may lack names."""

    @property
    def is_published(self) -> bool:
        return bool(self.checkout.remotes_containing)

    @property
    def checkout(self) -> Checkout:
        far = [ref.name for ref in self.containing if ref.kind is RefKind.REMOTE]
        near = [ref.name for ref in self.containing if ref.kind is not RefKind.REMOTE]
        return Checkout(self.branch, tuple(near), tuple(far), self.made_on, self.renamed_from)


@dataclass(frozen=True, slots=True)
class WorktreeStatus:
    head: str | None = None
    branch: str = ""
    dirty: tuple[str, ...] = ()
    untracked: tuple[str, ...] = ()


class Git(Protocol):
    def version(self) -> str: ...

    def facts(self, directory: Path, *, trunks: tuple[str, ...] = ()) -> GitFacts | None:
        """Read the checkout that contains `directory`; None if there is no repository.

        Only with `trunks`, branches here or at a remote, are `made_on` and `renamed_from` told.
        """
        ...

    def head(self, directory: Path) -> str | None:
        """Name the commit that is checked out, and no more; None where there is none."""
        ...

    def top_level(self, directory: Path) -> Path:
        """Find the top of the checkout that contains `directory`."""
        ...

    def tracked(self, directory: Path) -> tuple[Path, ...]:
        """List the files under version control, as seen from the top of the checkout."""
        ...

    def show(self, directory: Path, path: str, *, commit: str = "HEAD") -> bytes | None:
        """Read a file as it was at a commit; None if it was not there, or the commit is unknown."""
        ...


def asking(*words: str, at: Path | None = None, given: bytes | None = None) -> Command:
    return Command((*PROGRAM, *words), cwd=at, env=SETTINGS, input=given, timeout_s=TIMEOUT_S)


def holders(head: str, *, at: Path) -> Command:
    shape = "--format=%(refname)%00%(HEAD)%00%(objectname)%00%(*objectname)"
    return asking("for-each-ref", shape, "--contains", head, at=at)


def diary(ref: str, *, at: Path) -> Command:
    """Ask what was done to a ref, the latest first; empty where git keeps no such book."""
    shape = ("--format=%H%x00%gs", "-n", str(DIARY_ENTRIES))
    return asking("log", "--walk-reflogs", *shape, "--end-of-options", ref, "--", at=at)


def read_status(output: bytes) -> WorktreeStatus:
    """Read `status --porcelain=v2 --branch -z`."""
    head, branch, dirty, untracked = "", "", [], []
    words = iter(output.decode(errors="backslashreplace").split("\0"))
    for word in words:
        kind, _, rest = word.partition(" ")
        if rest.startswith("branch.oid "):
            head = rest.removeprefix("branch.oid ")
        elif rest.startswith("branch.head "):
            branch = rest.removeprefix("branch.head ")
        elif kind == "?":
            untracked.append(rest)
        elif kind in FIELDS_BEFORE_PATH:
            dirty.append(rest.split(" ", FIELDS_BEFORE_PATH[kind])[-1])
            if kind == "2":
                next(words, "")  # the name before the move
    return WorktreeStatus(
        None if head == "(initial)" else head, branch, tuple(dirty), tuple(untracked)
    )


# Fields between the kind of a line and its path: changed, moved, in conflict.
FIELDS_BEFORE_PATH = {"1": 7, "2": 8, "u": 9}


@dataclass(frozen=True, slots=True)
class RefNames:
    branch: str | None
    containing: tuple[Ref, ...]
    pointing: tuple[Ref, ...]


def read_names(output: str, head: str, remotes: tuple[str, ...]) -> RefNames:
    """Read the answer to `holders`."""
    branch, containing, pointing = None, [], []
    for line in output.splitlines():
        full, mark, target, peeled = line.split("\0")
        ref = read_ref(full, remotes)
        if mark == "*":
            branch = ref.name
        if ref.kind is RefKind.REMOTE and ref.name == "HEAD":
            continue  # only another name for the remote's main branch
        containing.append(ref)
        if head in {target, peeled}:
            pointing.append(ref)
    return RefNames(branch, tuple(containing), tuple(pointing))


def read_ref(full: str, remotes: tuple[str, ...] = ()) -> Ref:
    if full.startswith("refs/heads/"):
        return Ref(RefKind.BRANCH, full.removeprefix("refs/heads/"))
    if full.startswith("refs/tags/"):
        return Ref(RefKind.TAG, full.removeprefix("refs/tags/"))
    if full.startswith("refs/remotes/"):
        rest = full.removeprefix("refs/remotes/")
        # A remote's name may hold slashes; taken wrongly, `team/fork/exp/x` would not be `exp/x`.
        known = [remote for remote in remotes if rest.startswith(f"{remote}/")]
        remote = max(known, key=len, default=rest.partition("/")[0])
        return Ref(RefKind.REMOTE, rest.removeprefix(f"{remote}/"), remote)
    return Ref(RefKind.OTHER, full.removeprefix("refs/"))


def read_makers(output: str, branch: str | None, wanted: frozenset[str]) -> tuple[str, ...]:
    """Say on which branches the wanted commits were made, from the diary of HEAD."""
    current, makers = branch or "", []
    for line in output.splitlines():
        commit, _, deed = line.partition("\0")
        if commit in wanted and MADE.match(deed) and current:
            makers.append(current)
        if moved := MOVED.fullmatch(deed) or RENAMED.fullmatch(deed):
            current = moved["before"]
    return tuple(dict.fromkeys(makers))


def read_renames(output: str) -> tuple[str, ...]:
    """Say what a branch was called before, from its own diary."""
    entries = (line.partition("\0")[2] for line in output.splitlines())
    return tuple(renamed["before"] for deed in entries if (renamed := RENAMED.fullmatch(deed)))


def read_blob(output: bytes) -> bytes | None:
    """Read `cat-file --batch`: a line `<id> blob <size>`, the bytes, a line break."""
    header, _, rest = output.partition(b"\n")
    words = header.rsplit(b" ", 2)
    if len(words) != len(("id", "kind", "size")) or words[1] != b"blob":
        return None
    return rest[: int(words[2])]


class GitCommand:
    """Asks the git program; what it may read, it may."""

    def __init__(self, processes: Processes) -> None:
        self._processes = processes

    def version(self) -> str:
        output = self._processes.run(asking("version"), check=True).stdout
        return output.removeprefix("git version ").split()[0]

    def facts(self, directory: Path, *, trunks: tuple[str, ...] = ()) -> GitFacts | None:
        words = ("rev-parse", "--is-shallow-repository", "--show-toplevel")
        found = self._processes.run(asking(*words, at=directory))
        if found.exit_code and "not a git repository" in found.stderr:
            return None
        shallow, _, top = os.fsdecode(_answered(found, directory).out).partition("\n")
        facts = self._changed(Path(top.removesuffix("\n")), is_shallow=shallow == "true")
        if facts.head is None:
            return facts
        named = self._named(facts, facts.head)
        return self._remembered(named, facts.head, trunks) if trunks else named

    def _changed(self, top: Path, *, is_shallow: bool) -> GitFacts:
        words = ("status", "--porcelain=v2", "--branch", "-z", "--untracked-files=normal")
        status = read_status(self._ask(asking(*words, at=top)).out)
        return GitFacts(
            top,
            status.head,
            branch=status.branch,
            dirty=status.dirty,
            untracked=status.untracked,
            is_shallow=is_shallow,
        )

    def _named(self, facts: GitFacts, head: str) -> GitFacts:
        top = facts.top_level
        output = self._ask(holders(head, at=top)).stdout
        remotes = tuple(self._ask(asking("remote", at=top)).stdout.splitlines())
        names = read_names(output, head, remotes)
        subject = self._ask(asking("log", "-1", "--format=%s", head, at=top)).stdout
        return replace(
            facts,
            subject=subject.rstrip("\n"),
            branch=names.branch,
            containing=names.containing,
            pointing=names.pointing,
        )

    def _remembered(self, facts: GitFacts, head: str, trunks: tuple[str, ...]) -> GitFacts:
        top = facts.top_level
        ours = self._ask(self._beyond(head, trunks, at=top)).stdout
        entries = self._ask(diary("HEAD", at=top)).stdout
        makers = read_makers(entries, facts.branch, frozenset(ours.split()))
        if facts.branch is None:
            return replace(facts, made_on=makers)
        renames = read_renames(self._ask(diary(f"refs/heads/{facts.branch}", at=top)).stdout)
        return replace(facts, made_on=makers, renamed_from=renames)

    def _beyond(self, head: str, trunks: tuple[str, ...], *, at: Path) -> Command:
        """Ask for the commits that no trunk has."""
        shape = "--format=%(objectname) %(refname)"
        output = self._ask(
            asking("for-each-ref", shape, "refs/heads", "refs/remotes", at=at)
        ).stdout
        wanted = {trunk.casefold() for trunk in trunks}
        rows = (line.split(" ", 1) for line in output.splitlines())
        known = {commit for commit, ref in rows if read_ref(ref).name.casefold() in wanted}
        given = "".join(f"^{commit}\n" for commit in sorted(known))
        return asking(
            "rev-list", "-n", str(MOST_COMMITS), "--stdin", at=at, given=f"{head}\n{given}".encode()
        )

    def head(self, directory: Path) -> str | None:
        asked = asking("rev-parse", "--verify", "--quiet", "HEAD", at=directory)
        return self._processes.run(asked).stdout.strip() or None

    def top_level(self, directory: Path) -> Path:
        asked = asking("rev-parse", "--show-toplevel", at=directory)
        return Path(os.fsdecode(self._ask(asked).out.removesuffix(b"\n")))

    def tracked(self, directory: Path) -> tuple[Path, ...]:
        asked = asking("ls-files", "-z", "--full-name", "--", ":/", at=directory)
        names = self._ask(asked).out.split(b"\0")
        return tuple(Path(os.fsdecode(name)) for name in names if name)

    def show(self, directory: Path, path: str, *, commit: str = "HEAD") -> bytes | None:
        name = f"{commit}:{path}"
        if "\n" in name:
            raise OpsctlError("cannot read a file of a commit", why="its name has a line break")
        # On stdin, so that no name of a commit or a file can be taken for an option.
        asked = asking("cat-file", "--batch", at=directory, given=os.fsencode(name) + b"\n")
        return read_blob(self._ask(asked).out)

    def _ask(self, command: Command) -> Finished:
        finished = self._processes.run(command)
        return _answered(finished, command.cwd or Path())


def _answered(finished: Finished, directory: Path) -> Finished:
    what = f"cannot ask git about {directory}"
    if not finished.exit_code:
        return finished.require()
    if "dubious ownership" in finished.stderr:
        hint = f"If you trust it: git config --global --add safe.directory {directory}"
        raise OpsctlError(what, why="the repository belongs to another user", hint=hint)
    if "not a git repository" in finished.stderr:
        raise OpsctlError(what, why="it is not in a git repository")
    if "must be run in a work tree" in finished.stderr:
        raise OpsctlError(what, why="it has no working tree", hint="Run in a checkout.")
    raise OpsctlError(what, why=finished.complaint)
