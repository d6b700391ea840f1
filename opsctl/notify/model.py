"""The nouns of notifications, and what they need from other packages."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol, TypeAlias

from opsctl.errors import OpsctlError

# The history of a key and a message, as they are stored.
JsonObject: TypeAlias = Mapping[str, Any]


class Severity(StrEnum):
    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        return _RANKS[self]


_RANKS = {Severity.INFO: 0, Severity.WARNING: 1, Severity.CRITICAL: 2}


class AlertEvent(StrEnum):
    """What happened to the problem under a key."""

    RAISED = "raised"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class Notice:
    """One problem under one key, in its current state; `fix` says what to type."""

    key: str
    topic: str
    severity: Severity
    summary: str
    fix: str = ""


@dataclass(frozen=True, slots=True)
class AlertMessage:
    """One alert, as recipients get it."""

    key: str
    topic: str
    severity: Severity
    event: AlertEvent
    summary: str
    at: datetime
    fix: str = ""
    where: str = ""
    """Project, environment and machine."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """Messages sent as one; a retry has the same id, so that recipients can detect it."""

    id: str
    messages: tuple[AlertMessage, ...]


@dataclass(frozen=True, slots=True)
class SendResult:
    """Whether a channel accepted a bundle, and why not."""

    is_accepted: bool
    error: str = ""
    retry_after_s: float | None = None
    is_rejected: bool = False
    """Rejected for good: a retry would get the same answer."""


ACCEPTED = SendResult(is_accepted=True)


def failed_result(error: OpsctlError, *, is_rejected: bool = False) -> SendResult:
    text = f"{error.what}: {error.why}" if error.why else error.what
    return SendResult(is_accepted=False, error=text, is_rejected=is_rejected)


class Channel(Protocol):
    @property
    def name(self) -> str: ...

    def send(self, bundle: Bundle, *, limit_s: float) -> SendResult:
        """Send within the limit; a failure is a result, not an exception."""
        ...


class QueuedMessage(Protocol):
    """One message in the queue."""

    @property
    def number(self) -> int: ...
    @property
    def channel(self) -> str: ...
    @property
    def key(self) -> str: ...
    @property
    def made_at(self) -> datetime: ...
    @property
    def due_at(self) -> datetime: ...
    @property
    def message(self) -> JsonObject: ...
    @property
    def status(self) -> str: ...
    @property
    def bundle(self) -> str | None: ...
    @property
    def attempts(self) -> int: ...
    @property
    def ended_at(self) -> datetime | None: ...
    @property
    def trouble(self) -> str | None: ...


class Outbox(Protocol):
    """A persistent queue; the state store implements it."""

    def transaction(self) -> AbstractContextManager[None]: ...

    def memory(self, key: str) -> JsonObject | None: ...

    def remember(self, key: str, memory: JsonObject, *, at: datetime) -> None: ...

    def put(
        self, channel: str, message: JsonObject, *, key: str, at: datetime, due_at: datetime
    ) -> None: ...

    def withdraw(self, key: str, *, at: datetime) -> int:
        """Withdraw what is not due yet."""
        ...

    def next_bundle(
        self, channel: str, *, now: datetime, limit: int
    ) -> Sequence[QueuedMessage]: ...

    def claim(self, channel: str, bundle: str, numbers: Sequence[int]) -> None: ...

    def sent(self, channel: str, bundle: str, *, at: datetime) -> None: ...

    def set_aside(self, channel: str, bundle: str, *, at: datetime, trouble: str) -> None: ...

    def rest(
        self, channel: str, bundle: str, *, failures: int, until: datetime, trouble: str
    ) -> None:
        """Pause the channel until then; its messages stay queued."""
        ...

    def failures(self, channel: str) -> int: ...

    def rests_until(self, channel: str) -> datetime | None: ...

    def pending(self) -> Sequence[QueuedMessage]: ...

    def ended(self, *, limit: int) -> Sequence[QueuedMessage]: ...

    def forget(self, *, before: datetime) -> None: ...


class ChannelLocks(Protocol):
    """Locks that are released when their holder dies."""

    def hold(
        self, name: str, *, purpose: str, wait_s: float = 0.0
    ) -> AbstractContextManager[None]: ...
