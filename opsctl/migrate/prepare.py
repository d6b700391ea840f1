"""Turns files into work, and refuses what would tear or could not be understood, before it runs."""

import re
from collections.abc import Callable, Sequence
from functools import partial

from opsctl.migrate.model import Migration, RefusedMigrationError
from opsctl.migrate.parse.directives import read_directives
from opsctl.migrate.parse.excerpt import refusal_at
from opsctl.migrate.parse.variables import fill_variables
from opsctl.migrate.run_model import NO_TRANSACTION_HINT, PreparedFile, PrepareOptions
from opsctl.sql.lexer import SqlScript, SqlStatement

_FOREIGN = re.compile(r"^--[ \t]*(?:migrate:down|\+goose[ \t]+down)", re.IGNORECASE | re.MULTILINE)
_FOREIGN_HINT = "Move that part to a file of its own: {stem}.down.sql"
_PSQL_HINT = "Write it as SQL. What psql does with {word} only psql can do."
_CONTROL_HINT = (
    "Take it out: every file runs in one transaction, together with its row. Split the file where"
    " it needs two."
)


def prepare(
    migration: Migration, rules: PrepareOptions, fetch: Callable[[], bytes], *, file: str = ""
) -> PreparedFile:
    """Read one file, or its down part, as work; refuse it where that can be known already."""
    file = file or migration.file
    text = _decoded(fetch(), file)
    directives = read_directives(text, file)
    script = rules.read(text)
    _refuse_oddities(text, file, script)
    filled = bool(script.variables)
    if filled:
        text = fill_variables(text, file, script.variables, rules.values)
        script = rules.read(text)
        _refuse_oddities(text, file, script)
    work = PreparedFile(
        migration,
        file,
        # One that leaves a row behind when it cannot run is held from here on.
        partial(str, text) if directives.alone else partial(_text, fetch, file, rules, filled),
        directives.over(rules.limits),
        rules.read,
        alone=directives.alone,
        starts=tuple(statement.start.offset for statement in script.statements),
        copies=tuple((copy.start, copy.end, copy.after) for copy in script.copies),
    )
    _refuse_statements(work, script, rules)
    if script.copies and not rules.takes_copy:
        why = "this database takes no data of COPY from a file"
        raise refusal_at(text, file, script.copies[0].start, why=why, hint="Write it as INSERT.")
    return work


def _text(fetch: Callable[[], bytes], file: str, rules: PrepareOptions, filled: bool) -> str:  # noqa: FBT001 - bound by `prepare`
    """Read a file again as it will run."""
    text = _decoded(fetch(), file)
    return fill_variables(text, file, rules.read(text).variables, rules.values) if filled else text


def _decoded(data: bytes, file: str) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise RefusedMigrationError(
            f"{file}:{line}: this is not UTF-8",
            why=f"byte {error.start} is {data[error.start]:#04x}; nothing was changed",
            hint=f"Convert it: iconv -f latin1 -t utf-8 {file}",
            facts={"file": file, "line": line},
        ) from error


def _refuse_oddities(text: str, file: str, script: SqlScript) -> None:
    for flaw in script.flaws:
        why = f"the text cannot be read: {flaw.text}"
        raise refusal_at(text, file, flaw.place.offset, why=why, hint="Close it, or take it out.")
    for command in script.commands:
        word = command.text.split()[0]
        why = f"{word} is a command of psql, not SQL"
        hint = _PSQL_HINT.format(word=word)
        raise refusal_at(text, file, command.place.offset, why=why, hint=hint)
    foreign = _FOREIGN.search(text)
    if foreign:
        why = "another tool's marker: the part that takes back would run too"
        hint = _FOREIGN_HINT.format(stem=file.removesuffix(".sql"))
        raise refusal_at(text, file, foreign.start(), why=why, hint=hint)


def _refuse_statements(work: PreparedFile, script: SqlScript, rules: PrepareOptions) -> None:
    for statement in script.statements:
        if statement.controls_transaction:
            word = " ".join(statement.words[:2]).removesuffix(" WORK")
            why = f"{word} would tear the file from its row"
            _refuse(work, statement, why, _CONTROL_HINT)
        reason = "" if work.alone else rules.why_alone(statement.words)
        if reason:
            _refuse(work, statement, reason, NO_TRANSACTION_HINT)
    if work.alone:
        _refuse_alone(work, rules)


def _refuse_alone(work: PreparedFile, rules: PrepareOptions) -> None:
    if not rules.allow_alone:
        why = "it asks to run without a transaction, and the settings do not allow that"
        raise refusal_at(
            work.text, work.file, 0, why=why, hint="Set migrations.allow_non_transactional: true"
        )
    count = len(work.starts)
    if count != 1 or work.copies:
        why = (
            f"without a transaction a file holds exactly one statement, and this one holds {count}"
        )
        raise refusal_at(
            work.text, work.file, 0, why=why, hint="Give every statement a file of its own."
        )


def _refuse(work: PreparedFile, statement: SqlStatement, why: str, hint: str) -> None:
    raise refusal_at(work.text, work.file, statement.start.offset, why=why, hint=hint)


def refuse_pooled(works: Sequence[PreparedFile], *, is_pooled: Callable[[], bool]) -> None:
    """Refuse what needs a session of its own where a pooler may hand it another one."""
    alone = [work for work in works if work.alone]
    if alone and is_pooled():
        work = alone[0]
        why = "a pooler stands in between, which may change the session under this statement"
        hint = "Connect to the server itself for this file: set DATABASE_URL to its own port."
        raise refusal_at(work.text, work.file, 0, why=why, hint=hint)
