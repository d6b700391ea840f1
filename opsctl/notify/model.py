"""The nouns of notifying, and what it needs of the rooms around it."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol, TypeAlias

from opsctl.errors import OpsctlError

# What JSON can say; what a key's readers know, and a message as it lies in the queue.
Packed: TypeAlias = Mapping[str, Any]


class Severity(StrEnum):
    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        return _RANKS[self]


_RANKS = {Severity.INFO: 0, Severity.WARNING: 1, Severity.CRITICAL: 2}


class Said(StrEnum):
    """What a message says of its key."""

    RAISED = "raised"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class Notice:
    """One trouble under one key, as it stands now; `fix` says what to type."""

    key: str
    topic: str
    severity: Severity
    summary: str
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """One thing to tell, as readers get it."""

    key: str
    topic: str
    severity: Severity
    said: Said
    summary: str
    at: datetime
    fix: str = ""
    where: str = ""
    """Project, environment and machine."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """Messages that go out as one; a second try has the same id, so that readers can tell."""

    id: str
    messages: tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """How a channel took a bundle."""

    is_taken: bool
    trouble: str = ""
    retry_after_s: float | None = None
    is_refusal: bool = False
    """It will say the same again, whenever it is asked."""


TAKEN = Answer(is_taken=True)


def failed(error: OpsctlError, *, is_refusal: bool = False) -> Answer:
    trouble = f"{error.what}: {error.why}" if error.why else error.what
    return Answer(is_taken=False, trouble=trouble, is_refusal=is_refusal)


class Channel(Protocol):
    @property
    def name(self) -> str: ...

    def send(self, bundle: Bundle, *, limit_s: float) -> Answer:
        """Tell, within the limit; trouble is an answer, not an error."""
        ...


class Queued(Protocol):
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
    def message(self) -> Packed: ...
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
    """A queue that survives us; it is filled by the state store."""

    def transaction(self) -> AbstractContextManager[None]: ...

    def memory(self, key: str) -> Packed | None: ...

    def remember(self, key: str, memory: Packed, *, at: datetime) -> None: ...

    def put(
        self, channel: str, message: Packed, *, key: str, at: datetime, due_at: datetime
    ) -> None: ...

    def withdraw(self, key: str, *, at: datetime) -> int:
        """Take back what was not due yet."""
        ...

    def next_bundle(self, channel: str, *, now: datetime, limit: int) -> Sequence[Queued]: ...

    def claim(self, channel: str, bundle: str, numbers: Sequence[int]) -> None: ...

    def sent(self, channel: str, bundle: str, *, at: datetime) -> None: ...

    def set_aside(self, channel: str, bundle: str, *, at: datetime, trouble: str) -> None: ...

    def rest(
        self, channel: str, bundle: str, *, failures: int, until: datetime, trouble: str
    ) -> None:
        """Leave the channel alone for a while; its messages stay where they are."""
        ...

    def failures(self, channel: str) -> int: ...

    def rests_until(self, channel: str) -> datetime | None: ...

    def pending(self) -> Sequence[Queued]: ...

    def ended(self, *, limit: int) -> Sequence[Queued]: ...

    def forget(self, *, before: datetime) -> None: ...


class Turns(Protocol):
    """Locks that die with their holder."""

    def hold(
        self, name: str, *, purpose: str, wait_s: float = 0.0
    ) -> AbstractContextManager[None]: ...
