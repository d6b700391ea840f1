"""Opens folders of a tree by descriptor: no links, no other mounts, none that all may write to."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from opsctl.errors import RefusedError
from opsctl.systems.files.local import translate
from opsctl.systems.removal.safe_open import Below, UnsafeFolderError, enter, enter_root


def format_folder(below: Below) -> str:
    """Write a folder's path below its root."""
    return os.fsdecode(b"/".join(below)) or "the root"


@contextmanager
def reported(below: Below, doing: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise translate(error, what=f"cannot {doing} {format_folder(below)}") from error


@contextmanager
def open_root(root: Path) -> Iterator[int]:
    """Walk from / to the root; refuse links and world-writable folders on the way."""
    with _translated(str(root)):
        descriptor = enter_root(bytes(root))
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def open_below(root: Path, below: Below) -> Iterator[int]:
    with open_root(root) as top:
        with _translated("a folder"):
            descriptor = enter(top, below)
        try:
            yield descriptor
        finally:
            os.close(descriptor)


@contextmanager
def _translated(place: str) -> Iterator[None]:
    try:
        yield
    except UnsafeFolderError as error:
        raise RefusedError(f"cannot clean {place}", why=error.why, hint=error.hint) from error
    except OSError as error:
        raise translate(error, what=f"cannot enter {place}") from error
