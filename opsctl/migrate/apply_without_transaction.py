"""Applies a file without a transaction: one statement between two writes of its row."""

from contextlib import suppress

from opsctl.migrate.dialect import BlockerWatch, ErrorKind
from opsctl.migrate.explain import explain_failure
from opsctl.migrate.model import MigrationError
from opsctl.migrate.run import MigrationRun
from opsctl.migrate.run_model import PreparedFile, make_event
from opsctl.systems.sql_scripts import ScriptError
from opsctl.value import Value


def apply_without_transaction(
    run: MigrationRun, prepared: PreparedFile, watch: BlockerWatch
) -> bool:
    """Run it until it is in, or cannot be; False if another runner has done it."""
    theirs = frozenset() if _is_resumed(run, prepared) else frozenset(_invalid(run, prepared))
    if not _is_resumed(run, prepared) and not _started(run, prepared):
        return False
    attempt = _NonTransactionalRun(run, prepared, theirs)
    began = run.clock.steady()
    attempt.until_done(watch)
    run.tracking.mark_finished(prepared.migration, round((run.clock.steady() - began) * 1000))
    return True


def _is_resumed(run: MigrationRun, prepared: PreparedFile) -> bool:
    return prepared.migration.version in run.resumed


def _invalid(run: MigrationRun, prepared: PreparedFile) -> tuple[str, ...]:
    return run.tracking.dialect.find_invalid_indexes(run.tracking.session, prepared)


def _started(run: MigrationRun, prepared: PreparedFile) -> bool:
    tracking = run.tracking
    try:
        tracking.insert_started(prepared.migration)
    except ScriptError as error:
        if tracking.dialect.classify_error(error) is not ErrorKind.DUPLICATE:
            raise explain_failure(
                error, prepared, tracking.dialect, state=run.describe_state()
            ) from error
        run.refuse_other_file(prepared.migration)
        return False
    return True


class _NonTransactionalRun(Value):
    run: MigrationRun
    prepared: PreparedFile
    theirs: frozenset[str]
    """Invalid indexes that fit this statement and stood there before it: never ours to drop."""

    def until_done(self, watch: BlockerWatch) -> None:
        """Try again while something is locked: what the try before has left is dropped first."""
        tries = 0
        while True:
            watch.start_file(lock_s=self.prepared.limits.lock_s)
            try:
                self._sweep()
                self.run.tracking.apply_non_transactional(self.prepared)
            except ScriptError as error:
                if self._was_done(error):
                    return
                if self.run.tracking.dialect.classify_error(error) is not ErrorKind.RETRYABLE:
                    raise self._failed(error) from error
                tries += 1
                self._wait(error, watch, tries=tries)
            else:
                self._refuse_hollow()
                return

    def _left(self) -> tuple[str, ...]:
        return tuple(name for name in _invalid(self.run, self.prepared) if name not in self.theirs)

    def _sweep(self) -> None:
        for name in self._left():
            note = f"dropping the invalid index {name}"
            self.run.report(make_event("resuming", self.prepared, note=note))
            dialect = self.run.tracking.dialect
            dialect.drop_invalid_index(self.run.tracking.session, name, limits=self.prepared.limits)

    def _was_done(self, error: ScriptError) -> bool:
        """The run before this one was killed between the statement and its row."""
        exists = self.run.tracking.dialect.classify_error(error) is ErrorKind.DUPLICATE
        return exists and _is_resumed(self.run, self.prepared) and not self._left()

    def _wait(self, error: ScriptError, watch: BlockerWatch, *, tries: int) -> None:
        if tries > self.run.wait_limits.retries:
            # What keeps the statement waiting may keep this waiting too.
            with suppress(ScriptError):
                self._sweep()
        try:
            self.run.wait_to_retry(self.prepared, error, watch, tries=tries)
        except MigrationError as busy:
            raise self._told(busy) from error

    def _failed(self, error: ScriptError) -> MigrationError:
        return self._told(
            explain_failure(
                error, self.prepared, self.run.tracking.dialect, state=self.run.describe_earlier()
            )
        )

    def _told(self, found: MigrationError) -> MigrationError:
        """Leave the row as started where something was left behind; else take it back."""
        left = self._left()
        if left:
            state = f"it is marked as started, and left the invalid index {', '.join(left)}"
            found.hint = "Mend the cause, then: opsctl migrate --resume (drops the index first)"
            found.facts["invalid_index"] = left[0]
        else:
            self.run.tracking.delete_row(self.prepared.migration.version)
            state = "this file left nothing behind"
        found.why = f"{found.why}; {state}"
        found.facts["state"] = f"{state}; {self.run.describe_earlier()}"
        return found

    def _refuse_hollow(self) -> None:
        """Where IF NOT EXISTS met an invalid index, nothing was built."""
        hollow = self.theirs.intersection(_invalid(self.run, self.prepared))
        if not hollow or "EXISTS" not in self.prepared.script.statements[0].words:
            return
        self.run.tracking.delete_row(self.prepared.migration.version)
        name = min(hollow)
        raise MigrationError(
            f"{self.prepared.file}: the index {name} is there already, and invalid",
            why=f"IF NOT EXISTS passed over it; {self.run.describe_state()}",
            hint=f"Drop it (DROP INDEX CONCURRENTLY {name}), and run `opsctl migrate` again.",
            facts={"file": self.prepared.file, "invalid_index": name},
        )
