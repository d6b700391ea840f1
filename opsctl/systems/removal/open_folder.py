"""Down into a tree by descriptor: no link is followed, no mount crossed, no open door passed."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from opsctl.errors import RefusedError
from opsctl.systems.files.local import translate
from opsctl.systems.removal.safe_open import Below, ClosedError, enter, enter_root


def shown(below: Below) -> str:
    """Say a folder's place below its root."""
    return os.fsdecode(b"/".join(below)) or "the root"


@contextmanager
def told(below: Below, doing: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise translate(error, what=f"Cannot {doing} {shown(below)}") from error


@contextmanager
def opened_root(root: Path) -> Iterator[int]:
    """Walk from / to the root by descriptor; a link or an open door on the way is refused."""
    with _explained(str(root)):
        descriptor = enter_root(bytes(root))
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def opened(root: Path, below: Below) -> Iterator[int]:
    with opened_root(root) as top:
        with _explained("a folder"):
            descriptor = enter(top, below)
        try:
            yield descriptor
        finally:
            os.close(descriptor)


@contextmanager
def _explained(place: str) -> Iterator[None]:
    try:
        yield
    except ClosedError as error:
        raise RefusedError(f"Refused to clean {place}", why=error.why, hint=error.hint) from error
    except OSError as error:
        raise translate(error, what=f"Cannot enter {place}") from error
