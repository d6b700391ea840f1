"""Looks for drift: files edited since they were applied, and a schema that no file explains."""

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from opsctl.errors import OpsctlError
from opsctl.findings import Finding, Level
from opsctl.migrate.context import MigrationContext, read_statuses
from opsctl.migrate.dialect import Dialect, SchemaObject
from opsctl.migrate.explain import explain_failure
from opsctl.migrate.model import (
    AppliedMigration,
    Migration,
    MigrationError,
    MigrationState,
    MigrationStatus,
    RefusedMigrationError,
)
from opsctl.migrate.read_files import checksum, read_migration, strip_bom
from opsctl.migrate.run_model import PreparedFile
from opsctl.migrate.tracking_table import TrackingTable
from opsctl.systems.git.repository import Git
from opsctl.systems.sql_scripts import ScriptError, ScriptSession

_LEVELS = {
    MigrationState.APPLIED: Level.OK,
    MigrationState.PENDING: Level.OK,
    MigrationState.EDITED: Level.CRITICAL,
    MigrationState.MISSING: Level.CRITICAL,
    MigrationState.OUT_OF_ORDER: Level.WARNING,
    MigrationState.INTERRUPTED: Level.CRITICAL,
}
_FIXES = {
    MigrationState.EDITED: "Restore the file, or: opsctl migrate adopt --accept {version}",
    MigrationState.MISSING: "Restore the file, or: opsctl migrate adopt --forget {version}",
    MigrationState.OUT_OF_ORDER: "opsctl migrate --allow-out-of-order",
    MigrationState.INTERRUPTED: "opsctl migrate --resume",
}

_IN_SHADOW = "it ran in an empty shadow database"
_ONLY_FILES = "The files must run on an empty database; --no-schema compares only the files."


@dataclass(frozen=True, slots=True)
class Drift:
    """One difference from the files, as a diff."""

    what: str
    diff: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class VerifyReport:
    findings: tuple[Finding, ...]
    drifts: tuple[Drift, ...]


def verify_database(
    context: MigrationContext, tracking: TrackingTable, git: Git, *, schema: bool
) -> VerifyReport:
    statuses = read_statuses(context, tracking, whole=True)
    findings, drifts = [*judge_files(statuses)], [*edits(context, statuses, git)]
    if schema:
        try:
            differing = compare_schema(context, tracking, statuses)
        except OpsctlError as error:
            findings.append(unknown_schema(error, context.dialect))
        else:
            findings += judge_schema(differing)
            drifts += differing
    return VerifyReport(tuple(findings), tuple(drifts))


def judge_files(statuses: Sequence[MigrationStatus]) -> Iterator[Finding]:
    for status in statuses:
        level = _LEVELS[status.state]
        if level is not Level.OK:
            fix = _FIXES[status.state].format(version=status.version)
            what = f"{status.label} is {status.state}: {status.note}"
            yield Finding("files", level, what, fix, file=status.label)
    if all(_LEVELS[status.state] is Level.OK for status in statuses):
        applied = sum(status.state is MigrationState.APPLIED for status in statuses)
        yield Finding("files", Level.OK, f"{applied} applied files are unchanged")


def edits(
    context: MigrationContext, statuses: Sequence[MigrationStatus], git: Git
) -> Iterator[Drift]:
    """Compare every edited file with the applied text from git."""
    for status in statuses:
        if status.state is MigrationState.EDITED and status.migration and status.applied:
            yield _edit(context, status.migration, status.applied, git)


def _edit(
    context: MigrationContext, migration: Migration, row: AppliedMigration, git: Git
) -> Drift:
    before = _as_applied(context.directory, migration, row, git)
    if before is None:
        why = f"the applied text is not in git (sha256 {row.checksum[:12]}...)"
        return Drift(migration.file, (why,))
    lines = difflib.unified_diff(
        _lines(before),
        _lines(read_migration(context.folder, context.directory, migration)),
        f"{migration.file} as applied",
        f"{migration.file} now",
        lineterm="",
    )
    return Drift(migration.file, tuple(lines))


def _as_applied(
    directory: Path, migration: Migration, row: AppliedMigration, git: Git
) -> bytes | None:
    """Find the text with the checksum of the row: at the commit of that run, or at HEAD."""
    try:
        facts = git.facts(directory)
        if facts is None:
            return None
        path = (directory.resolve() / migration.file).relative_to(facts.top_level.resolve())
        for commit in filter(None, (row.git_sha, facts.head)):
            data = git.show(facts.top_level, str(path), commit=commit)
            if data is not None and checksum(strip_bom(data)) == row.checksum:
                return strip_bom(data)
    except (OpsctlError, ValueError):
        return None
    return None


def _lines(data: bytes) -> list[str]:
    return data.decode(errors="backslashreplace").splitlines()


def compare_schema(
    context: MigrationContext, tracking: TrackingTable, statuses: Sequence[MigrationStatus]
) -> list[Drift]:
    """Apply the applied files to an empty database, and compare both schemas."""
    migrations = [s.migration for s in statuses if s.migration and s.applied and s.applied.finished]
    files = [context.prepare(migration) for migration in migrations]
    with context.dialect.shadow_database() as shadow, shadow.session() as session:
        for prepared in files:
            _build(tracking, session, prepared)
        wanted = context.dialect.read_schema(session)
    return list(differences(wanted, context.dialect.read_schema(tracking.session)))


def _build(tracking: TrackingTable, session: ScriptSession, prepared: PreparedFile) -> None:
    try:
        tracking.apply_without_row(session, prepared)
    except ScriptError as error:
        raise explain_failure(error, prepared, tracking.dialect, state=_IN_SHADOW) from error


def differences(wanted: Iterable[SchemaObject], live: Iterable[SchemaObject]) -> Iterator[Drift]:
    """List what is missing, unexpected or different in the database."""
    ours, theirs = _by_name(wanted), _by_name(live)
    for key in sorted(ours.keys() | theirs.keys()):
        label = " ".join(key)
        if key not in theirs:
            yield Drift(f"{label} is missing in the database", _prefixed("-", ours[key]))
        elif key not in ours:
            yield Drift(f"{label} is in the database but in no file", _prefixed("+", theirs[key]))
        elif ours[key] != theirs[key]:
            lines = difflib.unified_diff(
                ours[key].splitlines(), theirs[key].splitlines(), "files", "database", lineterm=""
            )
            yield Drift(f"{label} differs", tuple(lines))


def judge_schema(drifts: Sequence[Drift]) -> Iterator[Finding]:
    for drift in drifts:
        fix = "Add the change as a new file, or revert it in the database."
        yield Finding("schema", Level.CRITICAL, drift.what, fix)
    if not drifts:
        yield Finding("schema", Level.OK, "the database matches the files")


def unknown_schema(error: OpsctlError, dialect: Dialect) -> Finding:
    what = f"the schema was not compared: {error.what} ({error.why})"
    return Finding("schema", Level.UNKNOWN, what, _schema_hint(error, dialect))


def _schema_hint(error: OpsctlError, dialect: Dialect) -> str:
    """Choose the hint: a file may fail on an empty database, or there is no such database."""
    if isinstance(error, RefusedMigrationError):
        return error.hint
    return _ONLY_FILES if isinstance(error, MigrationError) else dialect.shadow_hint


def _by_name(things: Iterable[SchemaObject]) -> Mapping[tuple[str, str], str]:
    return {(thing.kind, thing.name): thing.definition for thing in things}


def _prefixed(mark: str, definition: str) -> tuple[str, ...]:
    return tuple(f"{mark}{line}" for line in definition.splitlines())
