"""Locks that record their holder, and are freed however the holder ends."""

import json
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from opsctl.errors import BusyError, OpsctlError, UsageError
from opsctl.state.columns import format_time, parse_time
from opsctl.state.model import Actor, LockHolder

if TYPE_CHECKING:
    from opsctl.systems.clock import Clock
    from opsctl.systems.files.local import Files, HeldFile

POLL_S = 0.1
# A check takes the lock for an instant, and a new holder needs a moment to write its name.
GRACE_S = 0.2
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


class Locks(NamedTuple):
    """The locks of one state directory; their files stay: a removed one could have two holders."""

    directory: Path
    files: "Files"
    clock: "Clock"
    actor: Actor

    @contextmanager
    def hold(self, name: str, *, purpose: str, wait_s: float = 0.0) -> Iterator[None]:
        """Hold the lock for the block, or raise BusyError after `wait_s` that names the holder."""
        path = self._path(name)
        self.files.make_private_dir(self.directory)
        with ExitStack() as stack:
            held = self._take(path, stack, wait_s=wait_s)
            # On a full disk nothing can be written, but the lock works without the text.
            with suppress(OpsctlError):
                held.write(_as_text(self.actor, self.clock.now(), purpose))
            try:
                yield
            finally:
                with suppress(OpsctlError):
                    held.write("")

    def holder(self, name: str) -> LockHolder | None:
        """Return its holder, without taking it; None if it is free, whatever the file contains."""
        path = self._path(name)
        if not self.files.is_held(path):
            return None
        return self._read(path) or _UNNAMED

    def _take(self, path: Path, stack: ExitStack, *, wait_s: float) -> "HeldFile":
        end = self.clock.steady() + max(wait_s, GRACE_S)
        while True:
            try:
                return stack.enter_context(self.files.hold(path))
            except BusyError as error:
                if self.clock.steady() >= end:
                    raise self._busy(path, wait_s=wait_s) from error
            self.clock.sleep(POLL_S)

    def _busy(self, path: Path, *, wait_s: float) -> BusyError:
        holder = self._read(path) or _UNNAMED
        waited = f" after waiting {wait_s:g} s" if wait_s else ""
        return BusyError(
            f"cannot take the lock {path.stem}{waited}",
            why=f"{describe_holder(holder)} (file: {path})",
            hint="Try again later, or wait for it: --lock-timeout 300",
        )

    def _read(self, path: Path) -> LockHolder | None:
        try:
            return _from_text(self.files.read_text(path))
        except (OpsctlError, ValueError, TypeError, KeyError):
            # Empty, half written or from another program: the holder is then unknown.
            return None

    def _path(self, name: str) -> Path:
        if not NAME.fullmatch(name):
            why = "a name has letters, digits, dots, dashes and underscores only"
            raise UsageError(f"cannot use {name!r} as the name of a lock", why=why)
        return self.directory / f"{name}.lock"


def describe_holder(holder: LockHolder) -> str:
    if holder.since is None:
        return "held by someone whose name is not recorded"
    since = f"{holder.since:%Y-%m-%d %H:%M:%S} UTC"
    return f"held by {holder.who} (pid {holder.pid}) since {since} for: {holder.purpose}"


_UNNAMED = LockHolder(who="someone", host="", pid=0, since=None, purpose="")


def _as_text(actor: Actor, since: datetime, purpose: str) -> str:
    return json.dumps(
        {
            "who": actor.who,
            "host": actor.host,
            "pid": actor.pid,
            "since": format_time(since),
            "purpose": purpose,
        }
    )


def _from_text(text: str) -> LockHolder:
    raw = json.loads(text)
    return LockHolder(
        who=str(raw["who"]),
        host=str(raw["host"]),
        pid=int(raw["pid"]),
        since=parse_time(raw["since"]),
        purpose=str(raw["purpose"]),
    )
