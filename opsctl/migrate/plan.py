"""Compares files with rows, and plans what a run applies."""

from collections.abc import Iterable, Mapping, Sequence

from opsctl.errors import UsageError
from opsctl.migrate.model import (
    AppliedMigration,
    ApplyOptions,
    Migration,
    MigrationPlan,
    MigrationState,
    MigrationStatus,
    RefusedMigrationError,
)

_SHOWN = 5
_EDITED_HINT = (
    "`opsctl migrate verify` shows what changed. Restore the file and put the change into a new"
    " one, or record the file as it is now: opsctl migrate adopt --accept {version}"
)
_MISSING_HINT = (
    "Restore it (git log -- migrations), or forget it: opsctl migrate adopt --forget {version}"
)
_ORDER_HINT = "Give it the next free number, or run it now: opsctl migrate --allow-out-of-order"
_UNPROBLEMATIC = frozenset({MigrationState.APPLIED, MigrationState.PENDING})
_RESUME_HINT = "`opsctl migrate --resume` continues it."


def compare_statuses(
    migrations: Sequence[Migration], applied: Iterable[AppliedMigration]
) -> tuple[MigrationStatus, ...]:
    """Match files with rows, in order."""
    rows = {row.version: row for row in applied}
    latest = max(rows, default=-1)
    last_file = migrations[-1].version if migrations else -1
    statuses = [_of_file(migration, rows, latest) for migration in migrations]
    files = {migration.version for migration in migrations}
    statuses += [_of_row(row, last_file) for row in rows.values() if row.version not in files]
    statuses.sort(key=lambda status: status.version)
    return tuple(statuses)


def _of_file(
    migration: Migration, rows: Mapping[int, AppliedMigration], latest: int
) -> MigrationStatus:
    row = rows.get(migration.version)
    state, note = _judge(migration, row, latest)
    return MigrationStatus(migration.version, migration.name, state, note, migration, row)


def _judge(
    migration: Migration, row: AppliedMigration | None, latest: int
) -> tuple[MigrationState, str]:
    if row is None and migration.version < latest:
        return MigrationState.OUT_OF_ORDER, f"{latest} was applied before it"
    if row is None:
        return MigrationState.PENDING, ""
    if not row.finished:
        return MigrationState.INTERRUPTED, "it was started and not finished"
    if row.checksum != migration.checksum:
        return MigrationState.EDITED, "the file has changed since it was applied"
    return MigrationState.APPLIED, "" if row.name == migration.name else f"applied as {row.name}"


def _of_row(row: AppliedMigration, last_file: int) -> MigrationStatus:
    ahead = row.version > last_file
    note = (
        "the database is ahead of these files"
        if ahead
        else "it was applied and its file is missing"
    )
    return MigrationStatus(row.version, row.name, MigrationState.MISSING, note, None, row)


def plan_run(statuses: Sequence[MigrationStatus], options: ApplyOptions) -> MigrationPlan:
    """Select the files to apply; refuse if files and database contradict each other."""
    _refuse_unknown(statuses, options)
    for status in statuses:
        if status.state not in _UNPROBLEMATIC:
            _refuse(status, statuses, options)
    runs = _runs(options)
    to_apply = [s.migration for s in statuses if s.state in runs and s.migration]
    resumed = frozenset(s.version for s in statuses if s.state is MigrationState.INTERRUPTED)
    pending = len(to_apply)
    if options.to is not None:
        to_apply = [migration for migration in to_apply if migration.version <= options.to]
    if options.step is not None:
        to_apply = to_apply[: options.step]
    return MigrationPlan(tuple(to_apply), resumed, tuple(_notes(statuses)), pending - len(to_apply))


def _runs(options: ApplyOptions) -> frozenset[MigrationState]:
    admitted = {MigrationState.PENDING, MigrationState.INTERRUPTED}
    return frozenset(
        admitted | {MigrationState.OUT_OF_ORDER} if options.allow_out_of_order else admitted
    )


def _refuse_unknown(statuses: Sequence[MigrationStatus], options: ApplyOptions) -> None:
    if options.to is None or any(status.version == options.to for status in statuses):
        return
    raise UsageError(
        f"cannot find migration {options.to}",
        why=f"there are {_listed(status.version for status in statuses) or 'none'}",
        hint="`opsctl migrate status` lists them.",
    )


def _refuse(
    status: MigrationStatus, statuses: Sequence[MigrationStatus], options: ApplyOptions
) -> None:
    why, hint = f"{status.note}; nothing was changed", ""
    if status.state is MigrationState.EDITED:
        hint = _EDITED_HINT
    elif status.state is MigrationState.MISSING and any(
        other.migration and other.version > status.version for other in statuses
    ):
        hint = _MISSING_HINT
    elif status.state is MigrationState.OUT_OF_ORDER and not options.allow_out_of_order:
        hint = _ORDER_HINT
    elif status.state is MigrationState.INTERRUPTED and not options.resume:
        hint = _RESUME_HINT
    if hint:
        what = f"cannot migrate: {status.label} is {status.state}"
        raise RefusedMigrationError(what, why=why, hint=hint.format(version=status.version))


def _notes(statuses: Sequence[MigrationStatus]) -> Iterable[str]:
    ahead = [status.label for status in statuses if status.state is MigrationState.MISSING]
    if ahead:
        yield f"the database is ahead of these files: {_listed(ahead)}"


def _listed(names: Iterable[object]) -> str:
    words = [str(name) for name in names]
    more = f" and {len(words) - _SHOWN} more" if len(words) > _SHOWN else ""
    return ", ".join(words[:_SHOWN]) + more
