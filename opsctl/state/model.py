"""What the store remembers, as frozen nouns; texts and details are masked before they come here."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeAlias

# Whatever JSON can say; each writer knows its own keys.
Details: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: the login, the machine, the process, and who stood behind sudo."""

    user: str
    host: str
    pid: int
    sudo_user: str | None = None

    @property
    def who(self) -> str:
        return f"{self.user}@{self.host}"


@dataclass(frozen=True, slots=True)
class Release:
    id: str
    env: str
    started_at: datetime
    git_sha: str
    git_subject: str
    who: str
    outcome: str = "running"
    finished_at: datetime | None = None
    details: Details = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ReleaseStep:
    """One event of one step, written before the step acts and after it."""

    release_id: str
    at: datetime
    step: str
    event: str
    details: Details = field(default_factory=dict)


class Outcome(StrEnum):
    STARTED = "started"
    DONE = "done"
    FAILED = "failed"
    REFUSED = "refused"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True)
class Action:
    """What somebody is about to do; `target` and `details` hold no secret."""

    actor: Actor
    env: str
    command: str
    target: str
    details: Details = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """An intent or an outcome; the two rows of one action share `action_id`."""

    action_id: str
    at: datetime
    who: str
    sudo_user: str | None
    pid: int
    env: str
    command: str
    target: str
    outcome: Outcome
    details: Details


class RunState(StrEnum):
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    SKIPPED = "skipped"
    MISSED = "missed"
    ABANDONED = "abandoned"


@dataclass(frozen=True, slots=True)
class JobRun:
    """One run of one job; job and scheduled time name it."""

    job: str
    scheduled_utc: datetime
    state: RunState
    started_at: datetime | None = None
    finished_at: datetime | None = None
    exit_code: int | None = None
    details: Details = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Alert:
    """One trouble under one key; `count` is how often it was seen since it was raised."""

    key: str
    severity: str
    raised: bool
    first_seen: datetime
    last_seen: datetime
    count: int
    summary: str


@dataclass(frozen=True, slots=True)
class Sample:
    series: str
    at: datetime
    value: float


@dataclass(frozen=True, slots=True)
class Guarded:
    """Where one service stands with the watchdog."""

    service: str
    state: str
    since: datetime
    details: Details = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class GuardEvent:
    service: str
    at: datetime
    event: str
    details: Details = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a lock, since when, and what for; no `since` where the holder has not said."""

    who: str
    host: str
    pid: int
    since: datetime | None
    purpose: str


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message on its way to one channel."""

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


@dataclass(frozen=True, slots=True)
class Lot:
    """Files of one folder that go together; the listing has SIZE/NAME, with NUL between."""

    folder: bytes
    listing: bytes
    files: int
    size: int


@dataclass(frozen=True, slots=True)
class Removal:
    """Files of one folder that went, or were about to when a run was killed."""

    number: int
    run: str
    at: datetime
    folder: bytes
    files: int
    bytes: int
    gone_files: int | None = None
    gone_bytes: int | None = None
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ClockMark:
    """When somebody last looked: by the wall, and by the boot's own count."""

    wall: datetime
    steady_s: float
    boot: str
