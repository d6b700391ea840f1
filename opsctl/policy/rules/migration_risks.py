"""Rules: statements of migrations that block a live table, fail on rows, or lose data."""

from collections.abc import Iterator

from opsctl.policy.model import Rule, Severity, Violation, rule
from opsctl.policy.project import CheckedProject
from opsctl.sql.migration_risks import RiskKind, find_risks


def _hits(project: CheckedProject, kind: RiskKind) -> Iterator[Violation]:
    for source, script in project.scripts:
        if source.name.endswith(".down.sql"):
            continue
        for risk in find_risks(source.text, script.statements, [kind]):
            yield Violation(risk.why, source.path, risk.line)


@rule(
    "migration-not-null",
    Severity.WARNING,
    reason="A new column that is NOT NULL without a default fails on a table that has rows.",
    fix="Give it a DEFAULT; or add it nullable, fill it, then set NOT NULL.",
)
def not_null(project: CheckedProject) -> Iterator[Violation]:
    yield from _hits(project, RiskKind.NOT_NULL)


@rule(
    "migration-lock",
    Severity.ADVICE,
    reason="While it runs, nobody can read or write the table, and ticks queue up behind it.",
    fix="On a large table do it in steps: NOT VALID then VALIDATE, a new column then a switch.",
)
def lock(project: CheckedProject) -> Iterator[Violation]:
    yield from _hits(project, RiskKind.LOCK)


@rule(
    "migration-index-lock",
    Severity.ADVICE,
    reason="Without CONCURRENTLY, writes to the table are blocked until the index is built.",
    fix="On a large table, put CREATE INDEX CONCURRENTLY into a file of its own that begins "
    "with `-- opsctl: no-transaction`.",
)
def index_lock(project: CheckedProject) -> Iterator[Violation]:
    yield from _hits(project, RiskKind.INDEX_LOCK)


@rule(
    "migration-loses-data",
    Severity.ADVICE,
    reason="A rollback restores the program, not the data, and the previous release needs it.",
    fix="Expand first and contract one release later; keep a dump.",
)
def loses_data(project: CheckedProject) -> Iterator[Violation]:
    yield from _hits(project, RiskKind.DATA_LOSS)


RULES: tuple[Rule[CheckedProject], ...] = (not_null, lock, index_lock, loses_data)
