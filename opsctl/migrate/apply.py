"""Applies files one after the other: each with its row, once, whoever else is at it."""

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from opsctl.errors import OpsctlError, UnreachableError
from opsctl.migrate.dialect import Kind, Watch
from opsctl.migrate.explain import explain
from opsctl.migrate.ledger import Ledger
from opsctl.migrate.model import (
    BusyMigrationError,
    Migration,
    MigrationError,
    RefusedMigrationError,
)
from opsctl.migrate.work import Event, Patience, Tell, Work, kept
from opsctl.progress import Progress, Silent
from opsctl.systems.clock import Clock
from opsctl.systems.script import ScriptError, Stage

_GROWTH = 2.0
_JITTER = 0.5


@dataclass(slots=True)
class Run:
    """One run over one session; knows what it has done so far, for whoever must hear of it."""

    ledger: Ledger
    clock: Clock
    patience: Patience
    tell: Tell
    kept: list[Work] = field(default_factory=list)
    durations: dict[int, int] = field(default_factory=dict)
    resumed: frozenset[int] = frozenset()
    progress: Progress = field(default_factory=Silent)
    draw: Callable[[], float] = random.random
    """Not for secrecy: two who wait for each other must not come back at the same moment."""

    def apply(self, works: Sequence[Work]) -> None:
        with self.ledger.dialect.watch(self.ledger.session) as watch, self._durations():
            for done, work in enumerate(works):
                self.progress.advance(done, len(works), work.file)
                self._apply(work, watch)
            self.progress.advance(len(works), len(works), "")

    @contextmanager
    def _durations(self) -> Iterator[None]:
        """Write down how long each file took, also those before the one that failed."""
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
            done = self._apply_alone(work) if work.alone else self._apply_whole(work, watch)
        except UnreachableError as error:
            raise self._lost(work, error) from error
        duration_ms = round((self.clock.steady() - began) * 1000)
        if done:
            self.kept.append(work)
            if not work.alone:
                self.durations[work.migration.version] = duration_ms
            self.tell(_event("applied", work, duration_ms=duration_ms))
        else:
            self.tell(_event("skipped", work, note="another runner has applied it meanwhile"))

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
                    self._same(work.migration)
                    return False
                if kind is not Kind.LOCKED:
                    raise explain(error, work, self.ledger.dialect, state=self._state()) from error
                if error.stage is Stage.BEFORE:
                    self._wait_for_runner(work, error, until=waited_until)
                else:
                    tries += 1
                    self._wait_for_lock(work, error, watch, tries=tries)
            else:
                return True

    def _wait_for_runner(self, work: Work, error: ScriptError, *, until: float) -> None:
        if self.clock.steady() < until:
            return
        who = self.ledger.dialect.runner(self.ledger.session)
        raise BusyMigrationError(
            f"someone else is applying {work.file}",
            why=f"{who} is at it; waited {self.patience.runner_s:g} s; {self._state()}",
            hint="Wait longer with --lock-timeout 10m, or try again later.",
            facts={"file": work.file, "sqlstate": error.sqlstate},
        ) from error

    def _wait_for_lock(self, work: Work, error: ScriptError, watch: Watch, *, tries: int) -> None:
        blockers = tuple(map(str, watch.seen()))
        who = f"held by {'; '.join(blockers)}" if blockers else error.why
        if tries > self.patience.retries:
            raise self._gave_up(work, error, who, tries=tries) from error
        grown = self.patience.first_pause_s * _GROWTH ** (tries - 1)
        pause_s = min(grown, self.patience.longest_pause_s) * (1 - _JITTER * self.draw())
        note = f"{who}; try {tries} of {self.patience.retries} in {pause_s:.1f} s"
        self.tell(_event("retrying", work, note=note, blockers=blockers))
        self.clock.sleep(pause_s)

    def _gave_up(
        self, work: Work, error: ScriptError, who: str, *, tries: int
    ) -> BusyMigrationError:
        placed = explain(error, work, self.ledger.dialect, state=self._state())
        return BusyMigrationError(
            placed.what,
            why=f"a lock is {who}; tried {tries} times; {placed.why}",
            hint="End that session (SELECT pg_terminate_backend(PID)), or try again later.",
            excerpt=placed.excerpt,
            facts=placed.facts,
        )

    def _apply_alone(self, work: Work) -> bool:
        ledger, migration = self.ledger, work.migration
        if migration.version not in self.resumed:
            try:
                ledger.start(migration)
            except ScriptError as error:
                if ledger.dialect.kind(error) is not Kind.DUPLICATE:
                    raise explain(error, work, ledger.dialect, state=self._state()) from error
                self._same(migration)
                return False
        elif left := ledger.dialect.left_by(ledger.session, work):
            self.tell(_event("resuming", work, note=f"dropping the invalid index {left}"))
            ledger.dialect.sweep(ledger.session, left)
        began = self.clock.steady()
        try:
            ledger.run_alone(work)
        except ScriptError as error:
            if not self._was_done(work, error):
                raise self._failed_alone(work, error) from error
        ledger.finish(migration, round((self.clock.steady() - began) * 1000))
        return True

    def _was_done(self, work: Work, error: ScriptError) -> bool:
        """The run before this one was killed between the statement and its row."""
        dialect = self.ledger.dialect
        resumed = work.migration.version in self.resumed
        exists = resumed and dialect.kind(error) is Kind.DUPLICATE
        return exists and not dialect.left_by(self.ledger.session, work)

    def _failed_alone(self, work: Work, error: ScriptError) -> MigrationError:
        """Leave the row as started where something was left behind; else take it back."""
        ledger = self.ledger
        left = ledger.dialect.left_by(ledger.session, work)
        if left:
            state = f"it is marked as started, and left the invalid index {left}"
            found = explain(error, work, ledger.dialect, state=f"{state}; {self._before()}")
            found.hint = "Mend the cause, then: opsctl migrate --resume (drops the index first)"
            found.facts["invalid_index"] = left
        else:
            ledger.forget(work.migration.version)
            found = explain(error, work, ledger.dialect, state=self._state())
        if ledger.dialect.kind(error) is Kind.LOCKED:
            return BusyMigrationError(
                found.what,
                why=found.why,
                hint=found.hint,
                excerpt=found.excerpt,
                facts=found.facts,
            )
        return found

    def _same(self, migration: Migration) -> None:
        """Refuse a number under which another runner has applied another file."""
        for row in self.ledger.applied():
            if row.version == migration.version and row.checksum != migration.checksum:
                raise RefusedMigrationError(
                    f"{migration.file} is not what another runner has just applied as {row.name}",
                    why=f"their checksums differ; {self._state()}",
                    hint="Compare the two checkouts; `opsctl migrate status` shows the rest.",
                )

    def _lost(self, work: Work, error: UnreachableError) -> UnreachableError:
        what = f"{work.file}: {error.what}"
        why = f"{error.why}; it is in whole or not at all; {self._before()}"
        lost = UnreachableError(what, why=why, hint="`opsctl migrate status` says which.")
        lost.facts = {"file": work.file}
        return lost

    def _state(self) -> str:
        return f"this file left nothing behind; {self._before()}"

    def _before(self) -> str:
        return kept([work.file for work in self.kept])


def _event(
    event: str,
    work: Work,
    *,
    duration_ms: int | None = None,
    note: str = "",
    blockers: tuple[str, ...] = (),
) -> Event:
    migration = work.migration
    return Event(event, migration.version, migration.name, work.file, duration_ms, note, blockers)
