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
    migration: Migration,
    prepare_options: PrepareOptions,
    fetch: Callable[[], bytes],
    *,
    file: str = "",
) -> PreparedFile:
    """Read one file, or its down part, as work; refuse it where that can be known already."""
    file = file or migration.file
    text = _decoded(fetch(), file)
    directives = read_directives(text, file)
    script = prepare_options.read_script(text)
    _refuse_oddities(text, file, script)
    filled = bool(script.variables)
    if filled:
        text = fill_variables(text, file, script.variables, prepare_options.variables)
        script = prepare_options.read_script(text)
        _refuse_oddities(text, file, script)
    prepared = PreparedFile(
        migration,
        file,
        # One that leaves a row behind when it cannot run is held from here on.
        partial(str, text)
        if directives.non_transactional
        else partial(_text, fetch, file, prepare_options, filled),
        directives.over(prepare_options.limits),
        prepare_options.read_script,
        non_transactional=directives.non_transactional,
        starts=tuple(statement.start.offset for statement in script.statements),
        copies=tuple((copy.start, copy.end, copy.after) for copy in script.copies),
    )
    _refuse_statements(prepared, script, prepare_options)
    if script.copies and not prepare_options.accepts_copy_data:
        why = "this database takes no data of COPY from a file"
        raise refusal_at(text, file, script.copies[0].start, why=why, hint="Write it as INSERT.")
    return prepared


def _text(
    fetch: Callable[[], bytes],
    file: str,
    prepare_options: PrepareOptions,
    filled: bool,  # noqa: FBT001 - bound by `prepare`
) -> str:
    """Read a file again as it will run."""
    text = _decoded(fetch(), file)
    return (
        fill_variables(
            text, file, prepare_options.read_script(text).variables, prepare_options.variables
        )
        if filled
        else text
    )


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
    for error in script.syntax_errors:
        why = f"the text cannot be read: {error.text}"
        raise refusal_at(
            text, file, error.position.offset, why=why, hint="Close it, or take it out."
        )
    for command in script.commands:
        word = command.text.split()[0]
        why = f"{word} is a command of psql, not SQL"
        hint = _PSQL_HINT.format(word=word)
        raise refusal_at(text, file, command.position.offset, why=why, hint=hint)
    foreign = _FOREIGN.search(text)
    if foreign:
        why = "another tool's marker: the part that takes back would run too"
        hint = _FOREIGN_HINT.format(stem=file.removesuffix(".sql"))
        raise refusal_at(text, file, foreign.start(), why=why, hint=hint)


def _refuse_statements(
    prepared: PreparedFile, script: SqlScript, prepare_options: PrepareOptions
) -> None:
    for statement in script.statements:
        if statement.controls_transaction:
            word = " ".join(statement.words[:2]).removesuffix(" WORK")
            why = f"{word} would tear the file from its row"
            _refuse(prepared, statement, why, _CONTROL_HINT)
        reason = (
            ""
            if prepared.non_transactional
            else prepare_options.why_not_in_transaction(statement.words)
        )
        if reason:
            _refuse(prepared, statement, reason, NO_TRANSACTION_HINT)
    if prepared.non_transactional:
        _refuse_alone(prepared, prepare_options)


def _refuse_alone(prepared: PreparedFile, prepare_options: PrepareOptions) -> None:
    if not prepare_options.allow_non_transactional:
        why = "it asks to run without a transaction, and the settings do not allow that"
        raise refusal_at(
            prepared.text,
            prepared.file,
            0,
            why=why,
            hint="Set migrations.allow_non_transactional: true",
        )
    count = len(prepared.starts)
    if count != 1 or prepared.copies:
        why = (
            f"without a transaction a file holds exactly one statement, and this one holds {count}"
        )
        raise refusal_at(
            prepared.text, prepared.file, 0, why=why, hint="Give every statement a file of its own."
        )


def _refuse(prepared: PreparedFile, statement: SqlStatement, why: str, hint: str) -> None:
    raise refusal_at(prepared.text, prepared.file, statement.start.offset, why=why, hint=hint)


def refuse_pooled(files: Sequence[PreparedFile], *, is_pooled: Callable[[], bool]) -> None:
    """Refuse what needs a session of its own where a pooler may hand it another one."""
    non_transactional = [prepared for prepared in files if prepared.non_transactional]
    if non_transactional and is_pooled():
        prepared = non_transactional[0]
        why = "a pooler stands in between, which may change the session under this statement"
        hint = "Connect to the server itself for this file: set DATABASE_URL to its own port."
        raise refusal_at(prepared.text, prepared.file, 0, why=why, hint=hint)
