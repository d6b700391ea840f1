"""The checked-out commit, read from the repository's files: git itself takes 10 ms."""

import re
from collections.abc import Mapping
from pathlib import Path

_COMMIT = re.compile(r"(?:[0-9a-f]{40}|[0-9a-f]{64})")
_REF, _LINK = "ref: ", "gitdir: "
# With these, git looks elsewhere than here.
_ELSEWHERE = frozenset({"GIT_DIR", "GIT_COMMON_DIR", "GIT_WORK_TREE", "GIT_CEILING_DIRECTORIES"})


def read_head(directory: Path, environment: Mapping[str, str]) -> str | None:
    """Return the commit, empty outside of a repository; None if only git can read it."""
    if not _ELSEWHERE.isdisjoint(environment):
        return None
    try:
        places = _upwards(directory)
        holder = next((at for at in places if _holds(at)), None)
        if holder is None:
            return None if any(map(_may_be_bare, places)) else ""
        return _commit(_folder(holder)) or None
    except (OSError, UnicodeDecodeError):
        return None


def _upwards(directory: Path) -> tuple[Path, ...]:
    absolute = directory.absolute()
    return (absolute, *absolute.parents)


def _holds(place: Path) -> bool:
    return (place / ".git").exists()


def _may_be_bare(place: Path) -> bool:
    return (place / "HEAD").exists() and (place / "objects").exists()


def _folder(place: Path) -> Path:
    """Follow the link that a worktree or submodule has in place of a repository."""
    found = place / ".git"
    if found.is_dir():
        return found
    return place / found.read_text("utf-8").removeprefix(_LINK).strip()


def _commit(folder: Path) -> str:
    head = (folder / "HEAD").read_text("utf-8").strip()
    if not head.startswith(_REF):
        return head if _COMMIT.fullmatch(head) else ""
    ref = head.removeprefix(_REF)
    shared = folder / "commondir"
    common = folder / shared.read_text("utf-8").strip() if shared.exists() else folder
    return _loose(common / ref) or _packed(common / "packed-refs", ref)


def _loose(path: Path) -> str:
    found = path.read_text("utf-8").strip() if path.is_file() else ""
    return found if _COMMIT.fullmatch(found) else ""


def _packed(path: Path, ref: str) -> str:
    lines = path.read_text("utf-8").splitlines() if path.is_file() else ()
    rows = (line.partition(" ") for line in lines)
    return next((c for c, _, name in rows if name == ref and _COMMIT.fullmatch(c)), "")
