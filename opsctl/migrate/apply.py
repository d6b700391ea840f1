"""Applies files one after the other, each once and together with its row."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from opsctl.errors import OpsctlError, UnreachableError
from opsctl.migrate.apply_without_transaction import apply_without_transaction
from opsctl.migrate.dialect import BlockerWatch, ErrorKind
from opsctl.migrate.explain import explain_failure
from opsctl.migrate.model import BusyMigrationError
from opsctl.migrate.run import MigrationRun
from opsctl.migrate.run_model import PreparedFile, make_event
from opsctl.systems.sql_scripts import ScriptError, ScriptStage


def apply_files(run: MigrationRun, files: Sequence[PreparedFile]) -> None:
    with (
        run.tracking.dialect.watch_blockers(run.tracking.session) as watch,
        _durations_written(run),
    ):
        for done, prepared in enumerate(files):
            run.progress.advance(done, len(files), prepared.file)
            _apply(run, prepared, watch)
        run.progress.advance(len(files), len(files), "")


@contextmanager
def _durations_written(run: MigrationRun) -> Iterator[None]:
    """Write all durations at the end, also after a failure: this makes earlier commits durable."""
    try:
        yield
    except UnreachableError:
        raise
    except OpsctlError:
        run.tracking.write_durations(run.durations)
        raise
    run.tracking.write_durations(run.durations)


def _apply(run: MigrationRun, prepared: PreparedFile, watch: BlockerWatch) -> None:
    began = run.clock.steady()
    try:
        done = (
            apply_without_transaction(run, prepared, watch)
            if prepared.non_transactional
            else _apply_whole(run, prepared, watch)
        )
    except UnreachableError as error:
        raise _connection_lost(run, prepared, error) from error
    duration_ms = round((run.clock.steady() - began) * 1000)
    if done:
        run.applied.append(prepared)
        if not prepared.non_transactional:
            run.durations[prepared.migration.version] = duration_ms
        run.report(make_event("applied", prepared, duration_ms=duration_ms))
    else:
        run.report(make_event("skipped", prepared, note="another runner has applied it"))


def _apply_whole(run: MigrationRun, prepared: PreparedFile, watch: BlockerWatch) -> bool:
    """Retry until the file is applied or fails; False if another runner has applied it."""
    waited_until = run.clock.steady() + run.wait_limits.runner_timeout_s
    tries = 0
    while True:
        watch.start_file(lock_s=prepared.limits.lock_s)
        try:
            run.tracking.apply_file(prepared)
        except ScriptError as error:
            kind = run.tracking.dialect.classify_error(error)
            if error.stage is ScriptStage.BEFORE and kind is ErrorKind.DUPLICATE:
                run.refuse_other_file(prepared.migration)
                return False
            if kind is not ErrorKind.RETRYABLE:
                raise explain_failure(
                    error, prepared, run.tracking.dialect, state=run.describe_state()
                ) from error
            if error.stage is ScriptStage.BEFORE:
                _wait_for_runner(run, prepared, error, until=waited_until)
            else:
                tries += 1
                run.wait_to_retry(prepared, error, watch, tries=tries)
        else:
            return True


def _wait_for_runner(
    run: MigrationRun, prepared: PreparedFile, error: ScriptError, *, until: float
) -> None:
    if run.clock.steady() < until:
        return
    waited_s = run.wait_limits.runner_timeout_s
    who = run.tracking.dialect.describe_runner(run.tracking.session)
    raise BusyMigrationError(
        f"cannot apply {prepared.file}",
        why=f"{who} is applying it; waited {waited_s:g} s; {run.describe_state()}",
        hint="Wait longer with --lock-timeout 10m, or try again later.",
        facts={"file": prepared.file, "sqlstate": error.sqlstate},
    ) from error


def _connection_lost(
    run: MigrationRun, prepared: PreparedFile, error: UnreachableError
) -> UnreachableError:
    what = f"{prepared.file}: {error.what}"
    why = f"{error.why}; the file was applied completely or not at all; {run.describe_earlier()}"
    hint = (
        "`opsctl migrate status` shows which; after a server crash, the last files may be"
        " pending again."
    )
    lost = UnreachableError(what, why=why, hint=hint)
    lost.facts = {"file": prepared.file}
    return lost
