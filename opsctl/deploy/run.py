"""One deploy at work: the plan, the parts, and what is known so far."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from opsctl.deploy.model import (
    Base,
    Change,
    Draft,
    Gate,
    Migration,
    Notifier,
    Objection,
    Plan,
    Recorded,
    Running,
    Seen,
    Wish,
)
from opsctl.deploy.observe import FILES, Observer
from opsctl.deploy.releases.release_log import Ledger
from opsctl.progress import NoProgress, Progress
from opsctl.systems.engine.compose import ComposeProject
from opsctl.systems.process.output import Line


@dataclass(frozen=True, slots=True)
class Helpers:
    """What the door hands in besides the parts: other capabilities, and where to tell."""

    tell: Callable[[str], None] = lambda _: None
    progress: Progress = field(default_factory=NoProgress)
    migration: Migration | None = None
    notifier: Notifier | None = None
    gates: tuple[Gate, ...] = ()


@dataclass
class Run:
    """What changes while the steps run; everything else is in the plan."""

    observer: Observer
    plan: Plan
    seen: Seen
    wish: Wish
    helpers: Helpers
    base: Base = field(default_factory=Base)
    origin: Recorded | None = None
    """The release that is brought back, in a rollback."""
    is_touched: bool = False
    """Something that runs was changed."""
    is_closed: bool = False
    """The ledger has the outcome."""
    freed_bytes: int = 0
    schema: str = ""
    digests: dict[str, str] = field(default_factory=dict)
    began_at: float = 0.0
    running: tuple[Running, ...] = ()
    warnings: list[Objection] = field(default_factory=list)
    left_behind: str = "nothing that runs was changed"
    said: list[str] = field(default_factory=list)
    """The last that compose said."""

    @property
    def ledger(self) -> Ledger:
        return self.observer.ledger

    @property
    def draft(self) -> Draft:
        return self.seen.draft

    @cached_property
    def file(self) -> Path:
        return self.observer.site.state_directory / FILES / f"{self.plan.release}.json"

    @property
    def project(self) -> ComposeProject:
        """The generated file as a project, for compose."""
        secrets = self.draft.rendered.secrets
        return self.seen.target.compose_project(self.file, secrets=secrets)

    @property
    def excused(self) -> frozenset[str]:
        """One-shots that ended in an earlier release and whose containers were cleaned up."""
        kept = (one.service for one in self.plan.services if one.change is Change.KEEP)
        return frozenset(name for name in kept if not self.seen.of(name))

    def hear(self, line: Line) -> None:
        """Keep the last lines of a program; show what it does."""
        self.said.append(line.text)
        del self.said[:-40]
        self.helpers.tell(line.text)
