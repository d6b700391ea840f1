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

_IN_SHADOW = "this was an empty database, made to compare with"
_ONLY_FILES = "Files must build an empty database; --no-schema compares the files alone."


@dataclass(frozen=True, slots=True)
class Drift:
    """One thing that is not as the files say, line by line."""

    what: str
    diff: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class VerifyReport:
    findings: tuple[Finding, ...]
    drifts: tuple[Drift, ...]


def verify_database(
    project: MigrationContext, ledger: TrackingTable, git: Git, *, schema: bool
) -> VerifyReport:
    found = read_statuses(project, ledger, whole=True)
    findings, drifts = [*judge_files(found)], [*edits(project, found, git)]
    if schema:
        try:
            differing = compare_schema(project, ledger, found)
        except OpsctlError as error:
            findings.append(unknown_schema(error, project.dialect))
        else:
            findings += judge_schema(differing)
            drifts += differing
    return VerifyReport(tuple(findings), tuple(drifts))


def judge_files(found: Sequence[MigrationStatus]) -> Iterator[Finding]:
    for standing in found:
        level = _LEVELS[standing.state]
        if level is not Level.OK:
            fix = _FIXES[standing.state].format(version=standing.version)
            what = f"{standing.label} is {standing.state}: {standing.note}"
            yield Finding("files", level, what, fix, file=standing.label)
    if all(_LEVELS[standing.state] is Level.OK for standing in found):
        applied = sum(standing.state is MigrationState.APPLIED for standing in found)
        yield Finding("files", Level.OK, f"{applied} applied files are as they were")


def edits(project: MigrationContext, found: Sequence[MigrationStatus], git: Git) -> Iterator[Drift]:
    """Compare every edited file with the text that was applied, as git remembers it."""
    for standing in found:
        if standing.state is MigrationState.EDITED and standing.migration and standing.applied:
            yield _edit(project, standing.migration, standing.applied, git)


def _edit(
    project: MigrationContext, migration: Migration, row: AppliedMigration, git: Git
) -> Drift:
    before = _as_applied(project.directory, migration, row, git)
    if before is None:
        why = f"git does not know the text that was applied (sha256 {row.checksum[:12]}...)"
        return Drift(migration.file, (why,))
    lines = difflib.unified_diff(
        _lines(before),
        _lines(read_migration(project.folder, project.directory, migration)),
        f"{migration.file} as applied",
        f"{migration.file} now",
        lineterm="",
    )
    return Drift(migration.file, tuple(lines))


def _as_applied(
    directory: Path, migration: Migration, row: AppliedMigration, git: Git
) -> bytes | None:
    """Find the text whose checksum the row has: at the commit of that run, or at the last one."""
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
    project: MigrationContext, ledger: TrackingTable, found: Sequence[MigrationStatus]
) -> list[Drift]:
    """Build an empty database from the files that were applied, and compare what both hold."""
    migrations = [s.migration for s in found if s.migration and s.applied and s.applied.finished]
    works = [project.prepared(migration) for migration in migrations]
    with project.dialect.shadow() as shadow, shadow.session() as session:
        for work in works:
            _build(ledger, session, work)
        wanted = project.dialect.schema(session)
    return list(differences(wanted, project.dialect.schema(ledger.session)))


def _build(ledger: TrackingTable, session: ScriptSession, work: PreparedFile) -> None:
    try:
        ledger.run_bare(session, work)
    except ScriptError as error:
        raise explain_failure(error, work, ledger.dialect, state=_IN_SHADOW) from error


def differences(wanted: Iterable[SchemaObject], live: Iterable[SchemaObject]) -> Iterator[Drift]:
    """Say what is missing, what is there besides, and what is different."""
    ours, theirs = _by_name(wanted), _by_name(live)
    for key in sorted(ours.keys() | theirs.keys()):
        shown = " ".join(key)
        if key not in theirs:
            yield Drift(f"{shown} is missing in the database", _prefixed("-", ours[key]))
        elif key not in ours:
            yield Drift(f"{shown} is in the database, and in no file", _prefixed("+", theirs[key]))
        elif ours[key] != theirs[key]:
            lines = difflib.unified_diff(
                ours[key].splitlines(), theirs[key].splitlines(), "files", "database", lineterm=""
            )
            yield Drift(f"{shown} differs", tuple(lines))


def judge_schema(drifts: Sequence[Drift]) -> Iterator[Finding]:
    for drift in drifts:
        fix = "Put the change into a new file, or take it back in the database."
        yield Finding("schema", Level.CRITICAL, drift.what, fix)
    if not drifts:
        yield Finding("schema", Level.OK, "the database is what the files make")


def unknown_schema(error: OpsctlError, dialect: Dialect) -> Finding:
    what = f"the schema was not compared: {error.what} ({error.why})"
    return Finding("schema", Level.UNKNOWN, what, _way_out(error, dialect))


def _way_out(error: OpsctlError, dialect: Dialect) -> str:
    """Tell a file that does not run on an empty database from one that cannot be made."""
    if isinstance(error, RefusedMigrationError):
        return error.hint
    return _ONLY_FILES if isinstance(error, MigrationError) else dialect.shadow_hint


def _by_name(things: Iterable[SchemaObject]) -> Mapping[tuple[str, str], str]:
    return {(thing.kind, thing.name): thing.definition for thing in things}


def _prefixed(mark: str, definition: str) -> tuple[str, ...]:
    return tuple(f"{mark}{line}" for line in definition.splitlines())
