"""Labels that name the owner of a container, so that a later run finds what was left behind."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from opsctl.errors import OpsctlError
from opsctl.sandbox.model import ContainerOwner

if TYPE_CHECKING:
    from opsctl.systems.host import Host

LABEL = "opsctl.sandbox"
PROJECT = f"{LABEL}.project"
_HOST, _BOOT = f"{LABEL}.host", f"{LABEL}.boot"
_PID, _STARTED, _UNTIL = f"{LABEL}.pid", f"{LABEL}.started", f"{LABEL}.until"
# Starting, sweeping and removing take time as well.
SPARE = timedelta(minutes=10)


def current_owner(host: "Host", pid: int) -> ContainerOwner:
    started = host.started(pid)
    if started is None:
        raise OpsctlError(
            "cannot identify the owner of this test", why=f"process {pid} is not visible"
        )
    return ContainerOwner(host.name(), host.boot().id, pid, started)


def lease_labels(owner: ContainerOwner, *, now: datetime, runs_s: float) -> dict[str, str]:
    """Write the owner and the latest end as labels."""
    until = now + timedelta(seconds=runs_s) + SPARE
    return {
        LABEL: "1",
        _HOST: owner.host,
        _BOOT: owner.boot,
        _PID: str(owner.pid),
        _STARTED: str(owner.started),
        _UNTIL: str(int(until.timestamp())),
    }


def is_left_behind(
    labels: Mapping[str, str], host: "Host", *, now: datetime, is_running: bool
) -> bool:
    """Say whether its owner is gone; one that we cannot see has until the lease ends."""
    if labels.get(_HOST) != host.name():
        return _has_ended(labels, now)
    if labels.get(_BOOT) != host.boot().id:
        # Nothing of ours survives a boot; what runs belongs to a machine of the same name.
        return not is_running or _has_ended(labels, now)
    started = host.started(_parse_int(labels, _PID))
    return str(started) != labels.get(_STARTED)


def _has_ended(labels: Mapping[str, str], now: datetime) -> bool:
    return now > datetime.fromtimestamp(_parse_int(labels, _UNTIL), UTC)


def _parse_int(labels: Mapping[str, str], name: str) -> int:
    text = labels.get(name, "")
    return int(text) if text.isdecimal() else 0
