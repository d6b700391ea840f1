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
from opsctl.systems.sql_scripts import ScriptError, Stage


def apply_files(run: MigrationRun, works: Sequence[PreparedFile]) -> None:
    with run.ledger.dialect.watch(run.ledger.session) as watch, _durations_written(run):
        for done, work in enumerate(works):
            run.progress.advance(done, len(works), work.file)
            _apply(run, work, watch)
        run.progress.advance(len(works), len(works), "")


@contextmanager
def _durations_written(run: MigrationRun) -> Iterator[None]:
    """Write all durations at the end, also after a failure: this makes earlier commits durable."""
    try:
        yield
    except UnreachableError:
        raise
    except OpsctlError:
        run.ledger.write_durations(run.durations)
        raise
    run.ledger.write_durations(run.durations)


def _apply(run: MigrationRun, work: PreparedFile, watch: BlockerWatch) -> None:
    began = run.clock.steady()
    try:
        done = (
            apply_without_transaction(run, work, watch)
            if work.alone
            else _apply_whole(run, work, watch)
        )
    except UnreachableError as error:
        raise _connection_lost(run, work, error) from error
    duration_ms = round((run.clock.steady() - began) * 1000)
    if done:
        run.kept.append(work)
        if not work.alone:
            run.durations[work.migration.version] = duration_ms
        run.tell(make_event("applied", work, duration_ms=duration_ms))
    else:
        run.tell(make_event("skipped", work, note="another runner has applied it meanwhile"))


def _apply_whole(run: MigrationRun, work: PreparedFile, watch: BlockerWatch) -> bool:
    """Retry until the file is applied or fails; False if another runner has applied it."""
    waited_until = run.clock.steady() + run.patience.runner_s
    tries = 0
    while True:
        watch.expect(lock_s=work.limits.lock_s)
        try:
            run.ledger.run(work)
        except ScriptError as error:
            kind = run.ledger.dialect.kind(error)
            if error.stage is Stage.BEFORE and kind is ErrorKind.DUPLICATE:
                run.refuse_other(work.migration)
                return False
            if kind is not ErrorKind.LOCKED:
                raise explain_failure(error, work, run.ledger.dialect, state=run.state()) from error
            if error.stage is Stage.BEFORE:
                _wait_for_runner(run, work, error, until=waited_until)
            else:
                tries += 1
                run.wait_for_lock(work, error, watch, tries=tries)
        else:
            return True


def _wait_for_runner(
    run: MigrationRun, work: PreparedFile, error: ScriptError, *, until: float
) -> None:
    if run.clock.steady() < until:
        return
    who = run.ledger.dialect.runner(run.ledger.session)
    raise BusyMigrationError(
        f"someone else is applying {work.file}",
        why=f"{who} is at it; waited {run.patience.runner_s:g} s; {run.state()}",
        hint="Wait longer with --lock-timeout 10m, or try again later.",
        facts={"file": work.file, "sqlstate": error.sqlstate},
    ) from error


def _connection_lost(
    run: MigrationRun, work: PreparedFile, error: UnreachableError
) -> UnreachableError:
    what = f"{work.file}: {error.what}"
    why = f"{error.why}; it is in whole or not at all; {run.before()}"
    hint = "`opsctl migrate status` says which; a crashed server may have lost the last ones too."
    lost = UnreachableError(what, why=why, hint=hint)
    lost.facts = {"file": work.file}
    return lost
