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
    """One run over one session, with what it has applied so far."""

    def __init__(
        self,
        context: "MigrationContext",
        tracking: TrackingTable,
        report: ReportEvent,
        *,
        resumed: frozenset[int],
        progress: Progress,
    ) -> None:
        self.clock = context.clock
        self.wait_limits = context.wait_limits
        self.draw = context.draw
        self.tracking = tracking
        self.report = report
        self.resumed = resumed
        self.progress = progress
        self.applied: list[PreparedFile] = []
        self.durations: dict[int, int] = {}

    def wait_to_retry(
        self, prepared: PreparedFile, error: ScriptError, watch: BlockerWatch, *, tries: int
    ) -> None:
        blockers = tuple(map(str, watch.blockers()))
        cause = f"a lock is held by {'; '.join(blockers)}" if blockers else error.why
        if tries > self.wait_limits.retries:
            raise self._give_up(prepared, error, cause, tries=tries) from error
        grown = self.wait_limits.first_pause_s * _GROWTH ** (tries - 1)
        pause_s = min(grown, self.wait_limits.longest_pause_s) * (1 - _JITTER * self.draw())
        note = f"{cause}; retry {tries} of {self.wait_limits.retries} in {pause_s:.1f} s"
        self.report(make_event("retrying", prepared, note=note, blockers=blockers))
        self.clock.sleep(pause_s)

    def _give_up(
        self, prepared: PreparedFile, error: ScriptError, cause: str, *, tries: int
    ) -> BusyMigrationError:
        state = self.describe_state() if not prepared.non_transactional else self.describe_earlier()
        placed = explain_failure(error, prepared, self.tracking.dialect, state=state)
        return BusyMigrationError(
            placed.what,
            why=f"{cause}; tried {tries} times; {placed.why}",
            hint="End the other session (SELECT pg_terminate_backend(PID)), or try again later.",
            excerpt=placed.excerpt,
            facts=placed.facts,
        )

    def refuse_other_file(self, migration: Migration) -> None:
        """Refuse a version that another runner has just applied from a different file."""
        for row in self.tracking.read_applied():
            if row.version == migration.version and row.checksum != migration.checksum:
                state = self.describe_state()
                raise RefusedMigrationError(
                    f"cannot apply {migration.file}",
                    why=f"another runner has just applied a different file as {row.name}; {state}",
                    hint="Compare the two checkouts; `opsctl migrate status` lists all files.",
                )

    def describe_state(self) -> str:
        return f"this file left nothing behind; {self.describe_earlier()}"

    def describe_earlier(self) -> str:
        return describe_applied([prepared.file for prepared in self.applied])
