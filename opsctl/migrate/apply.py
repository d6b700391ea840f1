"""Applies files one after the other: each with its row, once, whoever else is at it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from opsctl.errors import OpsctlError, UnreachableError
from opsctl.migrate.apply_without_transaction import apply_alone
from opsctl.migrate.dialect import Kind, Watch
from opsctl.migrate.explain import explain
from opsctl.migrate.model import (
    BusyMigrationError,
    Migration,
    RefusedMigrationError,
)
from opsctl.migrate.run_model import Tell, Work, event_of, kept
from opsctl.migrate.tracking_table import Ledger
from opsctl.progress import Progress
from opsctl.systems.sql_scripts import ScriptError, Stage

if TYPE_CHECKING:
    from opsctl.migrate.project import Project

_GROWTH = 2.0
_JITTER = 0.5


class Run:
    """One run over one session; knows what it has done so far, for whoever must hear of it."""

    def __init__(
        self,
        project: "Project",
        ledger: Ledger,
        tell: Tell,
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
        self.kept: list[Work] = []
        self.durations: dict[int, int] = {}

    def apply(self, works: Sequence[Work]) -> None:
        with self.ledger.dialect.watch(self.ledger.session) as watch, self._durations():
            for done, work in enumerate(works):
                self.progress.advance(done, len(works), work.file)
                self._apply(work, watch)
            self.progress.advance(len(works), len(works), "")

    @contextmanager
    def _durations(self) -> Iterator[None]:
        """Write down how long each took, also those before one that failed: then all are safe."""
        try:
            yield
        except UnreachableError:
            raise
        except OpsctlError:
            self.ledger.write_durations(self.durations)
            raise
        self.ledger.write_durations(self.durations)

    def _apply(self, work: Work, watch: Watch) -> None:
        began = self.clock.steady()
        try:
            done = apply_alone(self, work, watch) if work.alone else self._apply_whole(work, watch)
        except UnreachableError as error:
            raise self._lost(work, error) from error
        duration_ms = round((self.clock.steady() - began) * 1000)
        if done:
            self.kept.append(work)
            if not work.alone:
                self.durations[work.migration.version] = duration_ms
            self.tell(event_of("applied", work, duration_ms=duration_ms))
        else:
            self.tell(event_of("skipped", work, note="another runner has applied it meanwhile"))

    def _apply_whole(self, work: Work, watch: Watch) -> bool:
        """Run it until it is in, or cannot be; False if someone else was faster."""
        waited_until = self.clock.steady() + self.patience.runner_s
        tries = 0
        while True:
            watch.expect(lock_s=work.limits.lock_s)
            try:
                self.ledger.run(work)
            except ScriptError as error:
                kind = self.ledger.dialect.kind(error)
                if error.stage is Stage.BEFORE and kind is Kind.DUPLICATE:
                    self.refuse_other(work.migration)
                    return False
                if kind is not Kind.LOCKED:
                    raise explain(error, work, self.ledger.dialect, state=self.state()) from error
                if error.stage is Stage.BEFORE:
                    self._wait_for_runner(work, error, until=waited_until)
                else:
                    tries += 1
                    self.wait_for_lock(work, error, watch, tries=tries)
            else:
                return True

    def _wait_for_runner(self, work: Work, error: ScriptError, *, until: float) -> None:
        if self.clock.steady() < until:
            return
        who = self.ledger.dialect.runner(self.ledger.session)
        raise BusyMigrationError(
            f"someone else is applying {work.file}",
            why=f"{who} is at it; waited {self.patience.runner_s:g} s; {self.state()}",
            hint="Wait longer with --lock-timeout 10m, or try again later.",
            facts={"file": work.file, "sqlstate": error.sqlstate},
        ) from error

    def wait_for_lock(self, work: Work, error: ScriptError, watch: Watch, *, tries: int) -> None:
        blockers = tuple(map(str, watch.seen()))
        who = f"held by {'; '.join(blockers)}" if blockers else error.why
        if tries > self.patience.retries:
            raise self._gave_up(work, error, who, tries=tries) from error
        grown = self.patience.first_pause_s * _GROWTH ** (tries - 1)
        pause_s = min(grown, self.patience.longest_pause_s) * (1 - _JITTER * self.draw())
        note = f"{who}; try {tries} of {self.patience.retries} in {pause_s:.1f} s"
        self.tell(event_of("retrying", work, note=note, blockers=blockers))
        self.clock.sleep(pause_s)

    def _gave_up(
        self, work: Work, error: ScriptError, who: str, *, tries: int
    ) -> BusyMigrationError:
        state = self.state() if not work.alone else self.before()
        placed = explain(error, work, self.ledger.dialect, state=state)
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

    def _lost(self, work: Work, error: UnreachableError) -> UnreachableError:
        what = f"{work.file}: {error.what}"
        why = f"{error.why}; it is in whole or not at all; {self.before()}"
        hint = (
            "`opsctl migrate status` says which; a crashed server may have lost the last ones too."
        )
        lost = UnreachableError(what, why=why, hint=hint)
        lost.facts = {"file": work.file}
        return lost

    def state(self) -> str:
        return f"this file left nothing behind; {self.before()}"

    def before(self) -> str:
        return kept([work.file for work in self.kept])
