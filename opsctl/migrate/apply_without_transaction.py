"""Applies a file without a transaction: one statement, between two updates of its row."""

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
    """Retry until the file is applied or fails; False if another runner has applied it."""
    earlier = frozenset() if _is_resumed(run, prepared) else frozenset(_invalid(run, prepared))
    if not _is_resumed(run, prepared) and not _started(run, prepared):
        return False
    attempt = _NonTransactionalRun(run, prepared, earlier)
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
    earlier: frozenset[str]
    """Matching invalid indexes that existed before this statement: never dropped."""

    def until_done(self, watch: BlockerWatch) -> None:
        """Retry while something is locked, and drop what the previous attempt left first."""
        tries = 0
        while True:
            watch.start_file(lock_s=self.prepared.limits.lock_s)
            try:
                self._drop_left_indexes()
                self.run.tracking.apply_non_transactional(self.prepared)
            except ScriptError as error:
                if self._was_applied(error):
                    return
                if self.run.tracking.dialect.classify_error(error) is not ErrorKind.RETRYABLE:
                    raise self._failed(error) from error
                tries += 1
                self._wait(error, watch, tries=tries)
            else:
                self._refuse_skipped_index()
                return

    def _list_left(self) -> tuple[str, ...]:
        return tuple(name for name in _invalid(self.run, self.prepared) if name not in self.earlier)

    def _drop_left_indexes(self) -> None:
        for name in self._list_left():
            note = f"dropping the invalid index {name}"
            self.run.report(make_event("resuming", self.prepared, note=note))
            dialect = self.run.tracking.dialect
            dialect.drop_invalid_index(self.run.tracking.session, name, limits=self.prepared.limits)

    def _was_applied(self, error: ScriptError) -> bool:
        """Tell whether the previous run was killed between the statement and its row."""
        exists = self.run.tracking.dialect.classify_error(error) is ErrorKind.DUPLICATE
        return exists and _is_resumed(self.run, self.prepared) and not self._list_left()

    def _wait(self, error: ScriptError, watch: BlockerWatch, *, tries: int) -> None:
        if tries > self.run.wait_limits.retries:
            # The lock that the statement waits for may block the drop as well.
            with suppress(ScriptError):
                self._drop_left_indexes()
        try:
            self.run.wait_to_retry(self.prepared, error, watch, tries=tries)
        except MigrationError as busy:
            raise self._with_state(busy) from error

    def _failed(self, error: ScriptError) -> MigrationError:
        return self._with_state(
            explain_failure(
                error, self.prepared, self.run.tracking.dialect, state=self.run.describe_earlier()
            )
        )

    def _with_state(self, error: MigrationError) -> MigrationError:
        """Keep the row as started if an index was left behind; otherwise delete the row."""
        left = self._list_left()
        if left:
            state = f"it is marked as started, and left the invalid index {', '.join(left)}"
            error.hint = "Fix the cause, then: opsctl migrate --resume (drops the index first)"
            error.facts["invalid_index"] = left[0]
        else:
            self.run.tracking.delete_row(self.prepared.migration.version)
            state = "this file left nothing behind"
        error.why = f"{error.why}; {state}"
        error.facts["state"] = f"{state}; {self.run.describe_earlier()}"
        return error

    def _refuse_skipped_index(self) -> None:
        """Fail if IF NOT EXISTS skipped an invalid index: nothing was built."""
        skipped = self.earlier.intersection(_invalid(self.run, self.prepared))
        if not skipped or "EXISTS" not in self.prepared.script.statements[0].words:
            return
        self.run.tracking.delete_row(self.prepared.migration.version)
        name = min(skipped)
        raise MigrationError(
            f"{self.prepared.file}: the index {name} already exists and is invalid",
            why=f"IF NOT EXISTS skipped it; {self.run.describe_state()}",
            hint=f"Drop it (DROP INDEX CONCURRENTLY {name}), and run `opsctl migrate` again.",
            facts={"file": self.prepared.file, "invalid_index": name},
        )
