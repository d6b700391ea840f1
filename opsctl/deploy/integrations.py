"""What other capabilities do for a deploy: apply migrations, notify, check data, show progress."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from opsctl.progress import NoProgress, Progress

ReportLine = Callable[[str], None]
"""Shows one line to whoever runs the command."""


class Migrator(Protocol):
    """The migrate capability, as far as a deploy needs it."""

    def pending(self) -> str | None:
        """Name what would be applied; None when nothing is pending."""
        ...

    def apply(self) -> str:
        """Apply it; return the version that the schema has afterwards."""
        ...


class DeployNotifier(Protocol):
    """Where the outcome of a deploy is sent."""

    def notify(self, title: str, text: str, *, is_failure: bool) -> None: ...


class DataCheck(Protocol):
    """A condition on data that must be true after a deploy."""

    @property
    def name(self) -> str: ...

    def find_problem(self) -> str | None:
        """Return why the condition is not met; None when it is."""
        ...


@dataclass(frozen=True, slots=True)
class DeployIntegrations:
    """What the command hands to a deploy besides its context."""

    report: ReportLine = lambda _: None
    progress: Progress = field(default_factory=NoProgress)
    migrator: Migrator | None = None
    notifier: DeployNotifier | None = None
    data_checks: tuple[DataCheck, ...] = ()
