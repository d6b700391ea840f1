"""Checks the address that opsctl is installed from: it must always mean the same code."""

import re
from urllib.parse import SplitResult, urlsplit

from opsctl.errors import UsageError
from opsctl.init.model import InstallSource, SourceKind

_GIT_FIX = "Write git+https://HOST/OWNER/opsctl@COMMIT, or @refs/tags/TAG for a tag."
_GIT = frozenset({"git+https", "git+ssh"})
_CHARACTERS = re.compile(r"[A-Za-z0-9._~:/?#@!&()*+,=%-]+")
_COMMIT = re.compile(r"[0-9a-f]{7,64}")
# A release number, perhaps with a name before it; what else may be a branch says refs/tags/.
_TAG = re.compile(
    r"(?:refs/tags/.+"
    r"|(?:[A-Za-z]\w*[-_])?v?\d+(?:\.\d+)+(?:[-_.]?(?:a|b|c|rc|alpha|beta|pre|post|dev)[-_.]?\d*)?)"
)
_SHA256 = re.compile(r"(?:.*&)?sha256=[0-9a-f]{64}(?:&.*)?")


def read_address(text: str) -> InstallSource:
    """Check an address: its scheme, that it holds no secret, and that it is pinned."""
    parts = _split(text)
    _refuse_secrets(parts)
    if not parts.hostname or not _CHARACTERS.fullmatch(text):
        raise _refused(text, why="it is not a complete address", fix=_GIT_FIX)
    if parts.scheme in _GIT:
        return _read_git(text, parts)
    if parts.scheme != "https":
        raise _refused(
            text, why=f"{parts.scheme}:// is not supported", fix="Use https, git+https or git+ssh."
        )
    return _read_archive(text, parts)


def _split(text: str) -> SplitResult:
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError as error:
        raise UsageError(
            "cannot install opsctl from this address",
            # Not in the parser's words: they may repeat a part of a password.
            why="it is not a complete address",
            hint=_GIT_FIX,
        ) from error
    return parts


def _refused(text: str, *, why: str, fix: str) -> UsageError:
    return UsageError(f"cannot install opsctl from {text!r}", why=why, hint=fix)


def _refuse_secrets(parts: SplitResult) -> None:
    """Refuse without repeating the address, which holds the secret."""
    if parts.password or (parts.username and parts.scheme != "git+ssh"):
        raise UsageError(
            f"cannot install opsctl from an address at {parts.hostname} that holds credentials",
            why="it would be committed with the files that use it",
            hint="Leave them out; git reads them from its credential helper.",
        )


def _read_git(text: str, parts: SplitResult) -> InstallSource:
    repository, _, revision = parts.path.rpartition("@")
    if not repository.strip("/"):
        why = "it names no commit or tag, so it means the newest code"
    elif _COMMIT.fullmatch(revision) or _TAG.fullmatch(revision):
        return InstallSource(SourceKind.GIT, text)
    else:
        why = f"{revision!r} may be a branch, which changes"
    raise _refused(text, why=why, fix=_GIT_FIX)


def _read_archive(text: str, parts: SplitResult) -> InstallSource:
    if not _SHA256.fullmatch(parts.fragment):
        raise _refused(
            text,
            why="it does not say which content it must have",
            fix="Add #sha256=HASH (as sha256sum prints it), or use git+https:// with a commit.",
        )
    return InstallSource(SourceKind.ARCHIVE, text)
