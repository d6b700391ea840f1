"""Parses files, and refuses what cannot run in one transaction, before anything runs."""

import re
from collections.abc import Callable, Sequence
from functools import partial

from opsctl.migrate.model import Migration, RefusedMigrationError
from opsctl.migrate.parse.directives import read_directives
from opsctl.migrate.parse.excerpt import refusal_at
from opsctl.migrate.parse.variables import fill_variables
from opsctl.migrate.run_model import NO_TRANSACTION_HINT, PreparedFile, PrepareOptions
from opsctl.sql.lexer import SqlScript, SqlStatement

_OTHER_TOOLS_DOWN = re.compile(
    r"^--[ \t]*(?:migrate:down|\+goose[ \t]+down)", re.IGNORECASE | re.MULTILINE
)
_OTHER_TOOLS_DOWN_HINT = "Move that part to a file of its own: {stem}.down.sql"
_PSQL_HINT = "Write it as SQL: only psql can run {word}."
_CONTROL_HINT = (
    "Remove it: each file runs in one transaction with its tracking row. Split the file if"
    " it needs two."
)


def prepare(
    migration: Migration,
    prepare_options: PrepareOptions,
    fetch: Callable[[], bytes],
    *,
    file: str = "",
) -> PreparedFile:
    """Parse one file or its down file; refuse it if it is known to fail."""
    file = file or migration.file
    text = _decoded(fetch(), file)
    directives = read_directives(text, file)
    script = prepare_options.read_script(text)
    _refuse_unparsable(text, file, script)
    filled = bool(script.variables)
    if filled:
        text = fill_variables(text, file, script.variables, prepare_options.variables)
        script = prepare_options.read_script(text)
        _refuse_unparsable(text, file, script)
    prepared = PreparedFile(
        migration,
        file,
        # A non-transactional file is kept in memory: its row is inserted before it runs.
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
        why = "this database does not support COPY data in a file"
        raise refusal_at(text, file, script.copies[0].start, why=why, hint="Write it as INSERT.")
    return prepared


def _text(
    fetch: Callable[[], bytes],
    file: str,
    prepare_options: PrepareOptions,
    filled: bool,  # noqa: FBT001 - bound by `prepare`
) -> str:
    """Load a file again, with its variables filled in."""
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
            f"{file}:{line}: cannot decode this as UTF-8",
            why=f"byte {error.start} is {data[error.start]:#04x}; nothing was changed",
            hint=f"Convert it: iconv -f latin1 -t utf-8 {file}",
            facts={"file": file, "line": line},
        ) from error


def _refuse_unparsable(text: str, file: str, script: SqlScript) -> None:
    for error in script.syntax_errors:
        why = f"it cannot be parsed: {error.text}"
        raise refusal_at(text, file, error.position.offset, why=why, hint="Close or remove it.")
    for command in script.commands:
        word = command.text.split()[0]
        why = f"{word} is a command of psql, not SQL"
        hint = _PSQL_HINT.format(word=word)
        raise refusal_at(text, file, command.position.offset, why=why, hint=hint)
    marker = _OTHER_TOOLS_DOWN.search(text)
    if marker:
        why = "it is another tool's marker, and its down part would run too"
        hint = _OTHER_TOOLS_DOWN_HINT.format(stem=file.removesuffix(".sql"))
        raise refusal_at(text, file, marker.start(), why=why, hint=hint)


def _refuse_statements(
    prepared: PreparedFile, script: SqlScript, prepare_options: PrepareOptions
) -> None:
    for statement in script.statements:
        if statement.controls_transaction:
            word = " ".join(statement.words[:2]).removesuffix(" WORK")
            why = f"{word} would separate the file from its tracking row"
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
        why = "it asks to run without a transaction, and the settings do not allow it"
        raise refusal_at(
            prepared.text,
            prepared.file,
            0,
            why=why,
            hint="Set migrations.allow_non_transactional: true",
        )
    count = len(prepared.starts)
    if count != 1 or prepared.copies:
        why = f"a file without a transaction must hold exactly one statement, not {count}"
        raise refusal_at(
            prepared.text,
            prepared.file,
            0,
            why=why,
            hint="Put each statement into a file of its own.",
        )


def _refuse(prepared: PreparedFile, statement: SqlStatement, why: str, hint: str) -> None:
    raise refusal_at(prepared.text, prepared.file, statement.start.offset, why=why, hint=hint)


def refuse_pooled(files: Sequence[PreparedFile], *, is_pooled: Callable[[], bool]) -> None:
    """Refuse files that need one session if a pooler may switch it."""
    non_transactional = [prepared for prepared in files if prepared.non_transactional]
    if non_transactional and is_pooled():
        prepared = non_transactional[0]
        why = "a connection pooler may switch the session under this statement"
        hint = "Connect directly to the server for this file: set DATABASE_URL to its port."
        raise refusal_at(prepared.text, prepared.file, 0, why=why, hint=hint)
