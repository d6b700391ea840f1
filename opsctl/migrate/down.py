"""Takes files back, the last one first, by the down parts that stand beside them."""

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
    found: Sequence[MigrationStatus], *, to: int | None, step: int | None
) -> list[Migration]:
    """Name the files to take back, the last one first; without a wish, only the last."""
    if to is not None and step is not None:
        raise UsageError("--to and --step say two different things", hint="Give one of them.")
    applied = [s for s in reversed(found) if s.applied is not None]
    if to is not None and not any(s.version == to for s in found) and to != 0:
        raise UsageError(f"there is no migration {to}", hint="`opsctl migrate status` lists them.")
    wanted = [s for s in applied if s.version > to] if to is not None else applied[: step or 1]
    return [_reversible(standing) for standing in wanted]


def _reversible(standing: MigrationStatus) -> Migration:
    migration = standing.migration
    why, hint = "", "`opsctl migrate status` shows all of it."
    if migration is None or standing.state is MigrationState.MISSING:
        why = "its file is gone"
    elif standing.state is MigrationState.INTERRUPTED:
        why, hint = standing.note, "Finish it first: opsctl migrate --resume"
    elif migration.down is None:
        stem = migration.file.removesuffix(".sql").removesuffix(".up")
        why, hint = "it has no down part", f"Write {stem}.down.sql, or a new file that repairs it."
    if migration is None or why:
        raise RefusedMigrationError(
            f"{standing.label} cannot be taken back", why=f"{why}; nothing was changed", hint=hint
        )
    return migration


def prepare_reverts(
    project: MigrationContext, migrations: Sequence[Migration]
) -> list[PreparedFile]:
    """Read the down parts by the same rules as the files."""
    names = {migration.down: migration for migration in migrations if migration.down}
    found = project.folder.read(project.directory, names)
    return [
        prepare(names[name], project.rules, partial(strip_bom, data), file=name)
        for name, data in found
    ]


def revert_files(
    project: MigrationContext,
    ledger: TrackingTable,
    works: Sequence[PreparedFile],
    tell: ReportEvent,
) -> list[str]:
    """Keep other runners out, and run one down part after the other."""
    done: list[str] = []
    with project.dialect.hold(ledger.session, wait_s=project.patience.runner_s):
        for work in works:
            began = project.clock.steady()
            _take_back(ledger, work, done)
            duration_ms = round((project.clock.steady() - began) * 1000)
            migration = work.migration
            tell(
                MigrationEvent(
                    "taken back", migration.version, migration.name, work.file, duration_ms
                )
            )
            done.append(work.file)
    return done


def _take_back(ledger: TrackingTable, work: PreparedFile, done: Sequence[str]) -> None:
    try:
        ledger.run_down(work)
    except ScriptError as error:
        before = ", ".join(done) or "nothing"
        state = f"this file left nothing behind; taken back before it: {before}"
        raise explain_failure(error, work, ledger.dialect, state=state) from error
