"""The lock that a person sets with a message: while it is there, nothing may be deployed."""

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from opsctl.errors import RefusedError, UsageError

if TYPE_CHECKING:
    from opsctl.deploy.context import DeployContext

MESSAGE_LIMIT = 1000


@dataclass(frozen=True, slots=True)
class ManualLock:
    """Who locked an environment, since when (as text, in UTC), and why."""

    who: str
    since: str
    message: str

    @property
    def description(self) -> str:
        if not self.who:
            return "locked by someone whose name is not recorded"
        return f"locked by {self.who} since {self.since}: {self.message}"


@dataclass(frozen=True, slots=True)
class LockReport:
    """What `lock` and `unlock` did; `lifted` is the lock that is no longer there."""

    env: str
    project: str
    engine: str
    lock: ManualLock | None
    lifted: ManualLock | None
    holder: str = ""
    """The deploy that is still in progress."""


def read_manual_lock(context: "DeployContext") -> ManualLock | None:
    record = context.engine_locks.manual_lock(context.target.project, context.inventory.facts().id)
    return parse_manual_lock(record)


def refuse_when_locked(context: "DeployContext") -> None:
    """Stop a command that would change an environment which a person locked."""
    lock = read_manual_lock(context)
    if lock is not None:
        raise RefusedError(
            f"cannot change {context.target.project}: it is locked; nothing was changed",
            why=lock.description,
            hint=f"When that is over: opsctl unlock -e {context.target.env}",
        )


def plan_lock(context: "DeployContext", message: str) -> LockReport:
    """Decide what `lock` records; refuse to replace the lock of someone else."""
    text = message.strip()
    if not text or len(text) > MESSAGE_LIMIT:
        why = f"a message has 1 to {MESSAGE_LIMIT} characters"
        raise UsageError("cannot lock without saying why", why=why)
    since = f"{context.clock.now():%Y-%m-%d %H:%M:%S} UTC"
    lock = ManualLock(context.actor.full_name, since, text)
    previous = read_manual_lock(context)
    if previous is not None and previous.who != lock.who:
        raise RefusedError(
            f"cannot lock {context.target.project}: it is locked already",
            why=previous.description,
            hint=f"Lift that lock first: opsctl unlock -e {context.target.env}",
        )
    return _report(context, lock, previous)


def plan_unlock(context: "DeployContext") -> LockReport:
    return _report(context, None, read_manual_lock(context))


def write_manual_lock(context: "DeployContext", report: LockReport) -> None:
    record = "" if report.lock is None else format_manual_lock(report.lock)
    context.engine_locks.set_manual_lock(
        context.target.project, context.inventory.facts().id, record
    )


def _report(
    context: "DeployContext", lock: ManualLock | None, lifted: ManualLock | None
) -> LockReport:
    target = context.target
    holder = context.engine_locks.holder(target.project, context.inventory.facts().id)
    return LockReport(
        target.env,
        target.project,
        target.engine_name,
        lock,
        lifted,
        holder.said if holder else "",
    )


def format_manual_lock(lock: ManualLock) -> str:
    """Write the record as one line: whoever reads it ignores what an older one left behind it."""
    return json.dumps(asdict(lock)) + "\n"


def parse_manual_lock(record: str) -> ManualLock | None:
    """Read the record; an empty file is no lock, and any other content is one."""
    line = record.partition("\n")[0].strip()
    if not line:
        return None
    try:
        raw = json.loads(line)
        return ManualLock(str(raw["who"]), str(raw["since"]), str(raw["message"]))
    except (ValueError, KeyError, TypeError):
        return ManualLock("", "", "")
