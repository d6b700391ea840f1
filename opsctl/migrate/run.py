"""The state of one run over one session, and how it waits for locks."""

from typing import TYPE_CHECKING

from opsctl.migrate.dialect import BlockerWatch
from opsctl.migrate.explain import explain_failure
from opsctl.migrate.model import BusyMigrationError, Migration, RefusedMigrationError
from opsctl.migrate.run_model import PreparedFile, ReportEvent, describe_applied, make_event
from opsctl.migrate.tracking_table import TrackingTable
from opsctl.progress import Progress
from opsctl.systems.sql_scripts import ScriptError

if TYPE_CHECKING:
    from opsctl.migrate.context import MigrationContext

_GROWTH = 2.0
_JITTER = 0.5


class MigrationRun:
    """One run over one session; knows what it has done so far, for whoever must hear of it."""

    def __init__(
        self,
        project: "MigrationContext",
        ledger: TrackingTable,
        tell: ReportEvent,
        *,
        resumed: frozenset[int],
        progress: Progress,
    ) -> None:
        self.clock = project.clock
        self.patience = project.patience
        self.draw = project.draw
        self.ledger = ledger
        self.tell = tell
        self.resumed = resumed
        self.progress = progress
        self.kept: list[PreparedFile] = []
        self.durations: dict[int, int] = {}

    def wait_for_lock(
        self, work: PreparedFile, error: ScriptError, watch: BlockerWatch, *, tries: int
    ) -> None:
        blockers = tuple(map(str, watch.seen()))
        who = f"held by {'; '.join(blockers)}" if blockers else error.why
        if tries > self.patience.retries:
            raise self._gave_up(work, error, who, tries=tries) from error
        grown = self.patience.first_pause_s * _GROWTH ** (tries - 1)
        pause_s = min(grown, self.patience.longest_pause_s) * (1 - _JITTER * self.draw())
        note = f"{who}; try {tries} of {self.patience.retries} in {pause_s:.1f} s"
        self.tell(make_event("retrying", work, note=note, blockers=blockers))
        self.clock.sleep(pause_s)

    def _gave_up(
        self, work: PreparedFile, error: ScriptError, who: str, *, tries: int
    ) -> BusyMigrationError:
        state = self.state() if not work.alone else self.before()
        placed = explain_failure(error, work, self.ledger.dialect, state=state)
        return BusyMigrationError(
            placed.what,
            why=f"a lock is {who}; tried {tries} times; {placed.why}",
            hint="End that session (SELECT pg_terminate_backend(PID)), or try again later.",
            excerpt=placed.excerpt,
            facts=placed.facts,
        )

    def refuse_other(self, migration: Migration) -> None:
        """Refuse a number under which another runner has applied another file."""
        for row in self.ledger.applied():
            if row.version == migration.version and row.checksum != migration.checksum:
                raise RefusedMigrationError(
                    f"{migration.file} is not what another runner has just applied as {row.name}",
                    why=f"their checksums differ; {self.state()}",
                    hint="Compare the two checkouts; `opsctl migrate status` shows the rest.",
                )

    def state(self) -> str:
        return f"this file left nothing behind; {self.before()}"

    def before(self) -> str:
        return describe_applied([work.file for work in self.kept])
