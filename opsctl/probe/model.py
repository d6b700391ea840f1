"""The nouns of `opsctl health` and `opsctl debug`."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from opsctl.findings import Finding


@dataclass(frozen=True, slots=True)
class Report:
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Client:
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
    def spoken(self) -> str:
        return f"{self.name or 'a client without a name'} ({self.address})"


@dataclass(frozen=True, slots=True)
class Walk:
    """What a bounded walk over keys has seen."""

    looked_at: int
    whole: bool
    """False where the limit or the time ended it."""
    immortal: int
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Vitals:
    """One look at a Redis. What the server does not let us see is None; `denied` says why."""

    address: str
    info: Mapping[str, str]
    pings_ms: tuple[float, ...] = ()
    slow: int | None = None
    """Entries of the slow log within the window."""
    clients: tuple[Client, ...] | None = None
    saves: str | None = None
    """The setting `save`: when snapshots are taken; empty where they are off."""
    walk: Walk | None = None
    denied: Mapping[str, str] = field(default_factory=dict)

    def number(self, name: str) -> float:
        """Read a figure of INFO; one that this version does not have is 0."""
        try:
            return float(self.info.get(name, "0"))
        except ValueError:
            return 0.0
