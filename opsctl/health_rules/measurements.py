"""What was measured in a Redis, and which subscriptions are expected: the input of the rules."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class ClientConnection:
    """One line of CLIENT LIST."""

    id: str
    name: str
    address: str
    age_s: int
    idle_s: int
    channels: int
    patterns: int
    waiting_bytes: int
    """What the server holds back because the client does not read."""
    command: str
    kind: str
    """normal, pubsub, replica or master."""

    @property
    def described(self) -> str:
        return f"{self.name or 'a client without a name'} ({self.address})"


@dataclass(frozen=True, slots=True)
class KeyScan:
    """What a bounded walk over keys has seen."""

    scanned_keys: int
    complete: bool
    """False where the limit or the time ended it."""
    without_ttl: int
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RedisMeasurements:
    """One look at a Redis. What the server does not let us see is None; `denied` says why."""

    address: str
    info: Mapping[str, str]
    pings_ms: tuple[float, ...] = ()
    slow: int | None = None
    """Entries of the slow log within the window."""
    clients: tuple[ClientConnection, ...] | None = None
    saves: str | None = None
    """The setting `save`: when snapshots are taken; empty where they are off."""
    walk: KeyScan | None = None
    denied: Mapping[str, str] = field(default_factory=dict)

    def number(self, name: str) -> float:
        """Read a figure of INFO; one that this version does not have is 0."""
        try:
            return float(self.info.get(name, "0"))
        except ValueError:
            return 0.0


@dataclass(frozen=True, slots=True)
class PubsubNode:
    """One server, and all that it lets us know of its listeners."""

    address: str
    role: str
    literal: Mapping[str, int] = field(default_factory=dict)
    """Literal subscribers of each channel."""
    pattern_count: int = 0
    """Different patterns that somebody holds."""
    held: tuple[str, ...] = ()
    """Patterns proven to be held, without those of people who only watch."""
    observed: int = 0
    """Patterns held by people who watch with `opsctl debug pubsub --follow`."""
    clients: tuple[ClientConnection, ...] | None = None
    hidden: str = ""
    """Why this node cannot prove that nobody listens; empty where it can."""

    @property
    def unexplained(self) -> int:
        return self.pattern_count - len(self.held) - self.observed


@dataclass(frozen=True, slots=True)
class ExpectedSubscriptions:
    channels: tuple[str, ...]
    patterns: tuple[str, ...]
