"""Adopts a database that another tool has migrated so far."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from opsctl.errors import UsageError
from opsctl.migrate.context import MigrationContext, read_statuses
from opsctl.migrate.model import Migration, MigrationState, MigrationStatus, RefusedMigrationError
from opsctl.migrate.tracking_table import TrackingTable
from opsctl.systems.files.local import MissingFileError

SOURCES = (".applied", "dbmate", "golang-migrate")
_FOREIGN = "schema_migrations"
_LIST = ".applied"
_VERSION = re.compile(r"\s*(?:.*/)?(?P<version>\d+)")


@dataclass(frozen=True, slots=True)
class AdoptionSource:
    """What another tool has recorded as applied."""

    name: str
    versions: frozenset[int] = frozenset()
    up_to: int = -1
    """For tools that record only the last version."""

    def has(self, version: int) -> bool:
        return version in self.versions or version <= self.up_to


@dataclass(frozen=True, slots=True)
class Adoption:
    """The files to record as applied, without running them."""

    source: str
    files: tuple[str, ...]
    migrations: tuple[Migration, ...]
    unknown: tuple[int, ...] = ()
    """Applied by the other tool, but no file has the number."""


def find_source(
    context: MigrationContext, tracking: TrackingTable, *, wanted: str | None = None
) -> AdoptionSource:
    """Find the one tool whose records exist; refuse to choose between several."""
    readers = {
        ".applied": lambda: _from_list(context),
        "dbmate": lambda: _from_dbmate(tracking),
        "golang-migrate": lambda: _from_golang(tracking),
    }
    names = SOURCES if wanted is None else (wanted,)
    statuses = [source for name in names if (source := readers[name]())]
    if len(statuses) == 1:
        return statuses[0]
    if not statuses:
        raise UsageError(
            f"cannot find anything to adopt from {' or '.join(names)}",
            why=f"there is no {_LIST} in {context.directory}, and no table {_FOREIGN}",
            hint="Name the last applied version: opsctl migrate adopt --to V",
        )
    raise UsageError(
        f"cannot choose between {' and '.join(source.name for source in statuses)}",
        hint=f"Choose one: --from {statuses[0].name}",
    )


def everything_up_to(statuses: Sequence[MigrationStatus], to: int) -> AdoptionSource:
    """Record everything up to a version as applied."""
    if not any(status.version == to and status.migration for status in statuses):
        raise UsageError(f"cannot find migration {to}", hint="`opsctl migrate status` lists them.")
    return AdoptionSource(f"everything up to {to}", up_to=to)


def select_unrecorded(statuses: Sequence[MigrationStatus], source: AdoptionSource) -> Adoption:
    """Select the files whose rows are missing."""
    lacking = (MigrationState.PENDING, MigrationState.OUT_OF_ORDER)
    migrations = tuple(
        s.migration
        for s in statuses
        if s.migration and s.state in lacking and source.has(s.version)
    )
    known = {s.version for s in statuses if s.migration}
    files = tuple(migration.file for migration in migrations)
    return Adoption(source.name, files, migrations, tuple(sorted(source.versions - known)))


def _from_list(context: MigrationContext) -> AdoptionSource | None:
    """Read the names that a script has recorded, one per line."""
    try:
        names = set(context.folder.names(context.directory))
    except MissingFileError:
        return None
    if _LIST not in names:
        return None
    ((_, data),) = context.folder.read(context.directory, [_LIST])
    text = data.decode(errors="replace")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    versions = {int(match["version"]) for line in lines if (match := _VERSION.match(line))}
    return AdoptionSource(_LIST, frozenset(versions))


def _from_dbmate(tracking: TrackingTable) -> AdoptionSource | None:
    columns = tracking.dialect.list_columns(tracking.session, _FOREIGN)
    if "version" not in columns or "dirty" in columns:
        return None
    rows = tracking.session.query("SELECT version FROM schema_migrations")
    return AdoptionSource("dbmate", frozenset(int(str(row[0])) for row in rows))


def _from_golang(tracking: TrackingTable) -> AdoptionSource | None:
    """Read the last version; golang-migrate has applied everything up to it."""
    if "dirty" not in tracking.dialect.list_columns(tracking.session, _FOREIGN):
        return None
    rows = tracking.session.query("SELECT version, dirty FROM schema_migrations")
    if any(dirty for _, dirty in rows):
        raise RefusedMigrationError(
            f"cannot adopt version {rows[0][0]} from golang-migrate",
            why="it is marked dirty: it failed half-way, and which part was applied is unknown",
            hint="Repair it by hand, then: opsctl migrate adopt --to V",
        )
    last = max((int(str(row[0])) for row in rows), default=-1)
    return AdoptionSource("golang-migrate", up_to=last)


def plan_adoption(
    context: MigrationContext, tracking: TrackingTable, *, to: int | None, source: str | None
) -> Adoption:
    statuses = read_statuses(context, tracking)
    known = (
        find_source(context, tracking, wanted=source)
        if to is None
        else everything_up_to(statuses, to)
    )
    return select_unrecorded(statuses, known)


def record_adoption(
    context: MigrationContext,
    tracking: TrackingTable,
    adoption: Adoption,
    *,
    accepted: Sequence[int] = (),
    forgotten: Sequence[int] = (),
) -> None:
    """Repair single rows, then insert all rows of the adoption or none."""
    accept_edited(context, tracking, accepted)
    forget_missing(tracking, forgotten)
    if adoption.migrations:
        with context.dialect.hold_runner_lock(
            tracking.session, wait_s=context.wait_limits.runner_timeout_s
        ):
            tracking.create()
            tracking.insert_rows(adoption.migrations)


def accept_edited(
    context: MigrationContext, tracking: TrackingTable, versions: Sequence[int]
) -> None:
    """Record edited files as the ones that were applied."""
    statuses = {s.version: s for s in read_statuses(context, tracking)} if versions else {}
    for version in versions:
        status = statuses.get(version)
        if status is None or status.migration is None or status.applied is None:
            raise UsageError(
                f"cannot accept {version}",
                why="it needs both a file and a row in the tracking table",
                hint="`opsctl migrate status` lists them.",
            )
    for version in versions:
        migration = statuses[version].migration
        if migration is not None:
            tracking.update_checksum(migration)


def forget_missing(tracking: TrackingTable, versions: Sequence[int]) -> None:
    rows = {row.version for row in tracking.read_applied()} if versions else set()
    for version in versions:
        if version not in rows:
            raise UsageError(
                f"cannot forget {version}",
                why="it has no row in the tracking table",
                hint="`opsctl migrate status` lists them.",
            )
    for version in versions:
        tracking.delete_row(version)
