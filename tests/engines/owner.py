"""Who made a thing: the test process, written into its name, so that a later run may sweep."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

PREFIX = "opsctltest"
_NAME = re.compile(rf"{PREFIX}-(?P<pid>\d+)-(?P<started>\d+)-(?P<boot>[0-9a-f]{{8}})(?:-|$)")


@dataclass(frozen=True, slots=True)
class Owner:
    pid: int
    started: int
    """Clock ticks since boot: a later process with the same number has another."""
    boot: str

    @property
    def prefix(self) -> str:
        return f"{PREFIX}-{self.pid}-{self.started}-{self.boot}"

    def is_alive(self) -> bool:
        return self.boot == _boot() and _started(self.pid) == self.started


def this_process() -> Owner:
    pid = os.getpid()
    return Owner(pid, _started(pid) or 0, _boot())


def owner_of(name: str) -> Owner | None:
    """Read the owner out of a name that begins with its prefix."""
    match = _NAME.match(name)
    if match is None:
        return None
    return Owner(int(match["pid"]), int(match["started"]), match["boot"])


def is_left_over(name: str) -> bool:
    """Say whether the process that made this is gone; what has no owner is none of our business."""
    owner = owner_of(name)
    return owner is not None and not owner.is_alive()


def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text("ascii")[:8]


def _started(pid: int) -> int | None:
    """Read when a process began; None when it is gone or only waits to be reaped."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text("utf-8", errors="replace").rpartition(")")[2]
    except (FileNotFoundError, ProcessLookupError):
        return None
    state, *rest = fields.split()
    return None if state in {"Z", "X"} else int(rest[18])
