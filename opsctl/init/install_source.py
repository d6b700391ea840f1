"""Reads --install-from: a checkout, a wheel or a pinned address, and never a name on an index."""

import re
from pathlib import Path, PurePosixPath

from opsctl.errors import UsageError
from opsctl.init.install_address import read_address
from opsctl.init.model import InstallSource, SourceKind
from opsctl.systems.files.local import Files, PathKind

DISTRIBUTION = "opsctl-stack"
FIX = (
    "Give a checkout (./vendor/opsctl), a wheel (./wheels/NAME.whl)"
    " or a pinned address (git+https://HOST/OWNER/opsctl@COMMIT)."
)

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_NAME = re.compile(
    r"(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[[^\]]*\])?\s*(?:[=<>!~;].*)?", re.DOTALL
)
# What a COPY takes literally: Docker expands $, quotes, backslashes and patterns in its paths.
_COPYABLE = re.compile(r"[\w ./+@=,-]+")


def read_install_source(text: str, root: Path, files: Files) -> InstallSource:
    """Check what was typed; a relative path counts from the project's folder."""
    _refuse_unwritable(text)
    if _SCHEME.match(text):
        return read_address(text)
    _refuse_our_names(text)
    kind = files.kind(root / text) if text else PathKind.NOTHING
    if kind is PathKind.NOTHING or kind is PathKind.OTHER:
        raise _missing(text)
    if kind is PathKind.FILE and not text.endswith(".whl"):
        raise refused(text, why="it is a file, and not a wheel (*.whl)")
    location = _location(text, root)
    _refuse_misread(location)
    return InstallSource(
        SourceKind.WHEEL if kind is PathKind.FILE else SourceKind.CHECKOUT,
        location,
        _image_obstacle(location, root, files),
    )


def refused(text: str, *, why: str, fix: str = FIX) -> UsageError:
    return UsageError(f"cannot install opsctl from {text!r}", why=why, hint=fix)


def _refuse_unwritable(text: str) -> None:
    """Refuse what no quoting can carry into the files that are written."""
    if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise refused(text, why="it is not valid UTF-8 text", fix="Rename the folder or the file.")
    if "${{" in text:
        raise refused(
            text,
            why="CI would evaluate the ${{ in it before any shell sees it",
            fix="Rename the folder or the file.",
        )


def _refuse_our_names(text: str) -> None:
    match = _NAME.fullmatch(text)
    name = re.sub(r"[-_.]+", "-", match["name"]).lower() if match else ""
    if name == "opsctl":
        raise refused(
            text,
            why="the name opsctl on the package index belongs to somebody else",
            fix=f"{FIX} A folder of that name is ./opsctl.",
        )
    if name == DISTRIBUTION:
        raise refused(
            text,
            why=f"{DISTRIBUTION} is not published: anyone could publish something by that name",
        )


def _missing(text: str) -> UsageError:
    if _NAME.fullmatch(text) and not text.endswith(".whl"):
        return refused(
            text,
            why="no such folder exists, and a name would be looked up on the package index,"
            " where opsctl is not published",
        )
    return refused(text, why="no such file or folder exists")


def _location(text: str, root: Path) -> str:
    """Write a path below the project relative to it, so that it is right in every checkout."""
    path = PurePosixPath(text)
    if path.is_absolute() and path.is_relative_to(root):
        path = path.relative_to(root)
    if path.is_absolute() or path.parts[:1] == ("..",):
        return str(path)
    return f"./{path}" if path.parts else "."


def _refuse_misread(location: str) -> None:
    if ";" in location or location.endswith("]"):
        raise refused(
            location,
            why="pip reads `;` in a path and `]` at its end as markers and extras",
            fix="Rename the folder or the file.",
        )


def _image_obstacle(location: str, root: Path, files: Files) -> str:
    path = PurePosixPath(location)
    project = files.resolve(root)
    target = files.resolve(root / path)
    if path.is_absolute() or ".." in path.parts or not target.is_relative_to(project):
        return f"{location} lies outside the project, where the build of an image cannot reach it"
    if target == project:
        return "it is the whole project, whose secrets the build of an image must not copy"
    if not _COPYABLE.fullmatch(location):
        return f"Docker would misread characters in the path {location!r}"
    return ""
