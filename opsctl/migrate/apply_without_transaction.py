"""Applies a file without a transaction: one statement between two writes of its row."""

from contextlib import suppress

from opsctl.migrate.dialect import BlockerWatch, ErrorKind
from opsctl.migrate.explain import explain_failure
from opsctl.migrate.model import MigrationError
from opsctl.migrate.run import MigrationRun
from opsctl.migrate.run_model import PreparedFile, make_event
from opsctl.systems.sql_scripts import ScriptError
from opsctl.value import Value


def apply_without_transaction(run: MigrationRun, work: PreparedFile, watch: BlockerWatch) -> bool:
    """Run it until it is in, or cannot be; False if another runner has done it."""
    theirs = frozenset() if _is_resumed(run, work) else frozenset(_invalid(run, work))
    if not _is_resumed(run, work) and not _started(run, work):
        return False
    attempt = _NonTransactionalRun(run, work, theirs)
    began = run.clock.steady()
    attempt.until_done(watch)
    run.ledger.finish(work.migration, round((run.clock.steady() - began) * 1000))
    return True


def _is_resumed(run: MigrationRun, work: PreparedFile) -> bool:
    return work.migration.version in run.resumed


def _invalid(run: MigrationRun, work: PreparedFile) -> tuple[str, ...]:
    return run.ledger.dialect.left_by(run.ledger.session, work)


def _started(run: MigrationRun, work: PreparedFile) -> bool:
    ledger = run.ledger
    try:
        ledger.start(work.migration)
    except ScriptError as error:
        if ledger.dialect.kind(error) is not ErrorKind.DUPLICATE:
            raise explain_failure(error, work, ledger.dialect, state=run.state()) from error
        run.refuse_other(work.migration)
        return False
    return True


class _NonTransactionalRun(Value):
    run: MigrationRun
    work: PreparedFile
    theirs: frozenset[str]
    """Invalid indexes that fit this statement and stood there before it: never ours to drop."""

    def until_done(self, watch: BlockerWatch) -> None:
        """Try again while something is locked: what the try before has left is dropped first."""
        tries = 0
        while True:
            watch.expect(lock_s=self.work.limits.lock_s)
            try:
                self._sweep()
                self.run.ledger.run_alone(self.work)
            except ScriptError as error:
                if self._was_done(error):
                    return
                if self.run.ledger.dialect.kind(error) is not ErrorKind.LOCKED:
                    raise self._failed(error) from error
                tries += 1
                self._wait(error, watch, tries=tries)
            else:
                self._refuse_hollow()
                return

    def _left(self) -> tuple[str, ...]:
        return tuple(name for name in _invalid(self.run, self.work) if name not in self.theirs)

    def _sweep(self) -> None:
        for name in self._left():
            note = f"dropping the invalid index {name}"
            self.run.tell(make_event("resuming", self.work, note=note))
            dialect = self.run.ledger.dialect
            dialect.sweep(self.run.ledger.session, name, limits=self.work.limits)

    def _was_done(self, error: ScriptError) -> bool:
        """The run before this one was killed between the statement and its row."""
        exists = self.run.ledger.dialect.kind(error) is ErrorKind.DUPLICATE
        return exists and _is_resumed(self.run, self.work) and not self._left()

    def _wait(self, error: ScriptError, watch: BlockerWatch, *, tries: int) -> None:
        if tries > self.run.patience.retries:
            # What keeps the statement waiting may keep this waiting too.
            with suppress(ScriptError):
                self._sweep()
        try:
            self.run.wait_for_lock(self.work, error, watch, tries=tries)
        except MigrationError as busy:
            raise self._told(busy) from error

    def _failed(self, error: ScriptError) -> MigrationError:
        return self._told(
            explain_failure(error, self.work, self.run.ledger.dialect, state=self.run.before())
        )

    def _told(self, found: MigrationError) -> MigrationError:
        """Leave the row as started where something was left behind; else take it back."""
        left = self._left()
        if left:
            state = f"it is marked as started, and left the invalid index {', '.join(left)}"
            found.hint = "Mend the cause, then: opsctl migrate --resume (drops the index first)"
            found.facts["invalid_index"] = left[0]
        else:
            self.run.ledger.forget(self.work.migration.version)
            state = "this file left nothing behind"
        found.why = f"{found.why}; {state}"
        found.facts["state"] = f"{state}; {self.run.before()}"
        return found

    def _refuse_hollow(self) -> None:
        """Where IF NOT EXISTS met an invalid index, nothing was built."""
        hollow = self.theirs.intersection(_invalid(self.run, self.work))
        if not hollow or "EXISTS" not in self.work.script.statements[0].words:
            return
        self.run.ledger.forget(self.work.migration.version)
        name = min(hollow)
        raise MigrationError(
            f"{self.work.file}: the index {name} is there already, and invalid",
            why=f"IF NOT EXISTS passed over it; {self.run.state()}",
            hint=f"Drop it (DROP INDEX CONCURRENTLY {name}), and run `opsctl migrate` again.",
            facts={"file": self.work.file, "invalid_index": name},
        )
