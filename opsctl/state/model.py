"""The records of the store, immutable; texts and details are masked before they are stored."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any, TypeAlias

from opsctl.value import Value

# Any JSON object; each writer knows its own keys.
Details: TypeAlias = Mapping[str, Any]


class Actor(Value):
    """Who acts: the login, the machine, the process, and the user who typed sudo."""

    user: str
    host: str
    pid: int
    sudo_user: str | None = None

    @property
    def who(self) -> str:
        return f"{self.user}@{self.host}"

    @property
    def full_name(self) -> str:
        """Name the person behind sudo as well."""
        return f"{self.who} ({self.sudo_user})" if self.sudo_user else self.who


class Release(Value):
    id: str
    env: str
    started_at: datetime
    git_sha: str
    git_subject: str
    who: str
    outcome: str = "running"
    finished_at: datetime | None = None
    details: Details = MappingProxyType({})
    number: int = 0
    """Counts releases in the order in which they were begun; the store assigns it."""


class ReleaseStep(Value):
    """One event of one step, recorded before and after the step acts."""

    release_id: str
    at: datetime
    step: str
    event: str
    details: Details = MappingProxyType({})


class AuditOutcome(StrEnum):
    STARTED = "started"
    DONE = "done"
    FAILED = "failed"
    REFUSED = "refused"
    INTERRUPTED = "interrupted"


class Action(Value):
    """What someone is about to do; `target` and `details` contain no secret."""

    actor: Actor
    env: str
    command: str
    target: str
    details: Details = MappingProxyType({})


class AuditEntry(Value):
    """An intent or an outcome; the two rows of one action share `action_id`."""

    action_id: str
    at: datetime
    who: str
    sudo_user: str | None
    pid: int
    env: str
    command: str
    target: str
    outcome: AuditOutcome
    details: Details


class JobState(StrEnum):
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    SKIPPED = "skipped"
    MISSED = "missed"
    ABANDONED = "abandoned"


class JobRun(Value):
    """One run of one job; job and scheduled time name it."""

    job: str
    scheduled_utc: datetime
    state: JobState
    started_at: datetime | None = None
    finished_at: datetime | None = None
    exit_code: int | None = None
    details: Details = MappingProxyType({})


class Alert(Value):
    """One problem under one key; `count` is how often it was seen since it was raised."""

    key: str
    severity: str
    raised: bool
    first_seen: datetime
    last_seen: datetime
    count: int
    summary: str


class Sample(Value):
    series: str
    at: datetime
    value: float


class Guarded(Value):
    """The state of one service in the watchdog."""

    service: str
    state: str
    since: datetime
    details: Details = MappingProxyType({})


class GuardEvent(Value):
    service: str
    at: datetime
    event: str
    details: Details = MappingProxyType({})


class LockHolder(Value):
    """Who holds a lock, since when, and what for; `since` is None if it is not recorded."""

    who: str
    host: str
    pid: int
    since: datetime | None
    purpose: str


class Delivery(Value):
    """One message queued for one channel."""

    number: int
    channel: str
    key: str
    made_at: datetime
    due_at: datetime
    message: Details
    status: str
    bundle: str | None
    attempts: int
    ended_at: datetime | None
    trouble: str | None


class FileListing(Value):
    """Files of one folder that are removed together, listed as SIZE/NAME, separated by NUL."""

    folder: bytes
    listing: bytes
    files: int
    size: int


class RemovalRecord(Value):
    """Files of one folder that were removed, or were about to be when a run was killed."""

    number: int
    run: str
    at: datetime
    folder: bytes
    files: int
    bytes: int
    gone_files: int | None = None
    gone_bytes: int | None = None
    ended_at: datetime | None = None


class ClockMark(Value):
    """One reading of the clock: wall time, and seconds since boot."""

    wall: datetime
    steady_s: float
    boot: str
