"""Reverts files, the last one first, with the down files beside them."""

from collections.abc import Sequence
from functools import partial

from opsctl.errors import UsageError
from opsctl.migrate.context import MigrationContext
from opsctl.migrate.explain import explain_failure
from opsctl.migrate.model import Migration, MigrationState, MigrationStatus, RefusedMigrationError
from opsctl.migrate.prepare import prepare
from opsctl.migrate.read_files import strip_bom
from opsctl.migrate.run_model import MigrationEvent, PreparedFile, ReportEvent
from opsctl.migrate.tracking_table import TrackingTable
from opsctl.systems.sql_scripts import ScriptError


def choose_reverts(
    statuses: Sequence[MigrationStatus], *, to: int | None, step: int | None
) -> list[Migration]:
    """List the files to revert, the last one first; by default only the last."""
    if to is not None and step is not None:
        raise UsageError("cannot combine --to with --step", hint="Give one of them.")
    applied = [s for s in reversed(statuses) if s.applied is not None]
    if to is not None and not any(s.version == to for s in statuses) and to != 0:
        raise UsageError(f"cannot find migration {to}", hint="`opsctl migrate status` lists them.")
    wanted = [s for s in applied if s.version > to] if to is not None else applied[: step or 1]
    return [_reversible(status) for status in wanted]


def _reversible(status: MigrationStatus) -> Migration:
    migration = status.migration
    why, hint = "", "`opsctl migrate status` shows all of it."
    if migration is None or status.state is MigrationState.MISSING:
        why = "its file is missing"
    elif status.state is MigrationState.INTERRUPTED:
        why, hint = status.note, "Finish it first: opsctl migrate --resume"
    elif migration.down is None:
        stem = migration.file.removesuffix(".sql").removesuffix(".up")
        why, hint = "it has no down file", f"Write {stem}.down.sql, or a new file that repairs it."
    if migration is None or why:
        raise RefusedMigrationError(
            f"cannot revert {status.label}", why=f"{why}; nothing was changed", hint=hint
        )
    return migration


def prepare_reverts(
    context: MigrationContext, migrations: Sequence[Migration]
) -> list[PreparedFile]:
    """Prepare the down files by the same rules as the files."""
    names = {migration.down: migration for migration in migrations if migration.down}
    statuses = context.folder.read(context.directory, names)
    return [
        prepare(names[name], context.prepare_options, partial(strip_bom, data), file=name)
        for name, data in statuses
    ]


def revert_files(
    context: MigrationContext,
    tracking: TrackingTable,
    files: Sequence[PreparedFile],
    report: ReportEvent,
) -> list[str]:
    """Lock out other runners and run one down file after the other."""
    done: list[str] = []
    with context.dialect.hold_runner_lock(
        tracking.session, wait_s=context.wait_limits.runner_timeout_s
    ):
        for prepared in files:
            began = context.clock.steady()
            _revert_file(tracking, prepared, done)
            duration_ms = round((context.clock.steady() - began) * 1000)
            migration = prepared.migration
            report(
                MigrationEvent(
                    "reverted", migration.version, migration.name, prepared.file, duration_ms
                )
            )
            done.append(prepared.file)
    return done


def _revert_file(tracking: TrackingTable, prepared: PreparedFile, done: Sequence[str]) -> None:
    try:
        tracking.revert_file(prepared)
    except ScriptError as error:
        before = ", ".join(done) or "nothing"
        state = f"this file left nothing behind; reverted before it: {before}"
        raise explain_failure(error, prepared, tracking.dialect, state=state) from error
