"""Rules: migrations are tracked, numbered once, never rewritten, and run whole or not at all."""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from opsctl.findings import Level
from opsctl.policy.model import Rule, Severity, Violation, rule
from opsctl.policy.project import CheckedProject, SourceFile

if TYPE_CHECKING:
    from opsctl.sql.lexer import SqlScript

NAME = re.compile(r"(?P<number>[0-9]+)_(?P<name>.+?)(?:\.(?P<part>up|down))?\.sql\Z")
# From here on a number is a moment, and moments have gaps.
_FIRST_MOMENT = 10**7
_ALONE = re.compile(r"^[ \t]*--[ \t]*opsctl:[ \t]*no-transaction\b", re.IGNORECASE | re.MULTILINE)


@rule(
    "migration-untracked",
    Severity.ERROR,
    reason="A migration that git does not track runs here and nowhere else.",
    fix="git add it, and remove it from .gitignore.",
)
def untracked(project: CheckedProject) -> Iterator[Violation]:
    if project.branch.is_repository:
        for name in project.on_disk:
            path = f"{project.migrations}/{name}"
            if name.endswith(".sql") and path not in project.branch.tracked:
                yield Violation("git does not track this migration", path, 1)


@rule(
    "migration-rewritten",
    Severity.ERROR,
    reason="A migration on the trunk counts as applied; changing it makes databases differ.",
    fix="Restore the old text and write the change as a new migration.",
)
def rewritten(project: CheckedProject) -> Iterator[Violation]:
    branch = project.branch
    if not branch.is_repository:
        return
    if branch.rewrites is None and project.on_disk:
        what = "git has no trunk here, so that rewritten migrations cannot be found"
        fix = "Fetch it: in CI `fetch-depth: 0`, or name it in experiment.trunks."
        yield Violation(what, project.migrations, fix=fix, level=Level.ADVICE)
    for rewrite in branch.rewrites or ():
        if rewrite.path.endswith(".sql"):
            when = f" by {rewrite.commit}" if rewrite.commit else ""
            what = f"it was on the trunk and {rewrite.change}{when}"
            yield Violation(what, rewrite.path, 1 if rewrite.path in project.by_path else None)


def _numbered(project: CheckedProject) -> Mapping[int, Sequence[str]]:
    found: dict[int, list[str]] = {}
    for name in sorted(project.on_disk):
        match = NAME.match(name)
        if match and match["part"] != "down":
            found.setdefault(int(match["number"]), []).append(name)
    return found


@rule(
    "migration-number",
    Severity.ERROR,
    reason="The number is the order; two files of one number have none.",
    fix="Give the later one the next free number, before it is merged.",
)
def number(project: CheckedProject) -> Iterator[Violation]:
    for value, names in _numbered(project).items():
        for name in names[1:]:
            what = f"{name} has the number {value}, as {names[0]} has"
            yield Violation(what, f"{project.migrations}/{name}", 1)


@rule(
    "migration-gap",
    Severity.WARNING,
    reason="A gap is a file that got lost, or one that will come late and out of order.",
    fix="Find the missing file, or number on without a gap.",
)
def gap(project: CheckedProject) -> Iterator[Violation]:
    numbered = _numbered(project)
    for before, after in pairwise(sorted(numbered)):
        if before + 1 < after < _FIRST_MOMENT:
            missing = f"{before + 1}" if after == before + 2 else f"{before + 1} to {after - 1}"
            what = f"no migration has the number {missing}"
            yield Violation(what, f"{project.migrations}/{numbered[after][0]}", 1)


@rule(
    "migration-name",
    Severity.WARNING,
    reason="A file whose name is not NNN_name.sql is ignored silently.",
    fix="Rename it to NNN_name.sql, or move it elsewhere.",
)
def name(project: CheckedProject) -> Iterator[Violation]:
    for file in project.on_disk:
        if file.endswith(".sql") and not file.startswith(".") and not NAME.match(file):
            yield Violation("its name is not NNN_name.sql", f"{project.migrations}/{file}", 1)


@rule(
    "migration-unreadable",
    Severity.ERROR,
    reason="What cannot be read as SQL, or only by psql, is refused when it is applied.",
    fix="Close what is open; write psql's commands as SQL.",
)
def unreadable(project: CheckedProject) -> Iterator[Violation]:
    for source, script in project.scripts:
        for error in script.syntax_errors:
            yield Violation(f"it cannot be read: {error.text}", source.path, error.position.line)
        for command in script.commands:
            word = command.text.split()[0]
            yield Violation(
                f"{word} is a command of psql, not SQL", source.path, command.position.line
            )


@rule(
    "migration-transaction",
    Severity.ERROR,
    reason="Each file is one transaction with its tracking row: all of it, or nothing.",
    fix="Remove transaction control; a statement that must run alone gets a "
    "file of its own that begins with `-- opsctl: no-transaction`.",
)
def transaction(project: CheckedProject) -> Iterator[Violation]:
    for source, script in project.scripts:
        alone = project.allows_alone and bool(_ALONE.search(source.text))
        yield from _torn(source, script, alone=alone)


def _torn(source: SourceFile, script: "SqlScript", *, alone: bool) -> Iterator[Violation]:
    from opsctl.sql.outside_transaction import (  # noqa: PLC0415 - only projects with SQL need it
        why_not_in_transaction,
    )

    for statement in script.statements:
        if statement.controls_transaction:
            words = " ".join(statement.words[:2]).removesuffix(" WORK")
            what = f"{words} separates the file from its tracking row"
            yield Violation(what, source.path, statement.start.line)
        reason = "" if alone else why_not_in_transaction(statement.words)
        if reason:
            yield Violation(reason, source.path, statement.start.line)
    if alone and len(script.statements) != 1:
        what = f"without a transaction a file holds one statement, not {len(script.statements)}"
        yield Violation(what, source.path, 1)


RULES: tuple[Rule[CheckedProject], ...] = (
    untracked,
    rewritten,
    number,
    gap,
    name,
    unreadable,
    transaction,
)
