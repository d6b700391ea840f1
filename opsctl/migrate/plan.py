"""Decides where each version stands, and what a run does about it."""

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
_AT_REST = frozenset({MigrationState.APPLIED, MigrationState.PENDING})
_RESUME_HINT = "`opsctl migrate --resume` looks at what is there and goes on from it."


def compare_statuses(
    migrations: Sequence[Migration], applied: Iterable[AppliedMigration]
) -> tuple[MigrationStatus, ...]:
    """Lay files and rows beside each other, in order."""
    rows = {row.version: row for row in applied}
    latest = max(rows, default=-1)
    last_file = migrations[-1].version if migrations else -1
    found = [_of_file(migration, rows, latest) for migration in migrations]
    files = {migration.version for migration in migrations}
    found += [_of_row(row, last_file) for row in rows.values() if row.version not in files]
    found.sort(key=lambda standing: standing.version)
    return tuple(found)


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
        return MigrationState.INTERRUPTED, "it was started and has not finished"
    if row.checksum != migration.checksum:
        return MigrationState.EDITED, "the file has changed since it was applied"
    return MigrationState.APPLIED, "" if row.name == migration.name else f"applied as {row.name}"


def _of_row(row: AppliedMigration, last_file: int) -> MigrationStatus:
    ahead = row.version > last_file
    note = "the database is ahead of these files" if ahead else "it was applied; its file is gone"
    return MigrationStatus(row.version, row.name, MigrationState.MISSING, note, None, row)


def plan_run(found: Sequence[MigrationStatus], order: ApplyOptions) -> MigrationPlan:
    """Say what runs; refuse where files and database tell different stories."""
    _refuse_unknown(found, order)
    for standing in found:
        if standing.state not in _AT_REST:
            _refuse(standing, found, order)
    runs = _runs(order)
    todo = [s.migration for s in found if s.state in runs and s.migration]
    resumed = frozenset(s.version for s in found if s.state is MigrationState.INTERRUPTED)
    pending = len(todo)
    if order.to is not None:
        todo = [migration for migration in todo if migration.version <= order.to]
    if order.step is not None:
        todo = todo[: order.step]
    return MigrationPlan(tuple(todo), resumed, tuple(_notes(found)), pending - len(todo))


def _runs(order: ApplyOptions) -> frozenset[MigrationState]:
    admitted = {MigrationState.PENDING, MigrationState.INTERRUPTED}
    return frozenset(
        admitted | {MigrationState.OUT_OF_ORDER} if order.allow_out_of_order else admitted
    )


def _refuse_unknown(found: Sequence[MigrationStatus], order: ApplyOptions) -> None:
    if order.to is None or any(standing.version == order.to for standing in found):
        return
    raise UsageError(
        f"there is no migration {order.to}",
        why=f"there are {_listed(standing.version for standing in found) or 'none'}",
        hint="`opsctl migrate status` lists them.",
    )


def _refuse(
    standing: MigrationStatus, found: Sequence[MigrationStatus], order: ApplyOptions
) -> None:
    why, hint = f"{standing.note}; nothing was changed", ""
    if standing.state is MigrationState.EDITED:
        hint = _EDITED_HINT
    elif standing.state is MigrationState.MISSING and any(
        other.migration and other.version > standing.version for other in found
    ):
        hint = _MISSING_HINT
    elif standing.state is MigrationState.OUT_OF_ORDER and not order.allow_out_of_order:
        hint = _ORDER_HINT
    elif standing.state is MigrationState.INTERRUPTED and not order.resume:
        hint = _RESUME_HINT
    if hint:
        what = f"{standing.label} is {standing.state}"
        raise RefusedMigrationError(what, why=why, hint=hint.format(version=standing.version))


def _notes(found: Sequence[MigrationStatus]) -> Iterable[str]:
    ahead = [standing.label for standing in found if standing.state is MigrationState.MISSING]
    if ahead:
        yield f"the database is ahead of these files: {_listed(ahead)}"


def _listed(names: Iterable[object]) -> str:
    words = [str(name) for name in names]
    more = f" and {len(words) - _SHOWN} more" if len(words) > _SHOWN else ""
    return ", ".join(words[:_SHOWN]) + more
