"""Explains why a file failed: the place, the cause, and the state of the database."""

import re

from opsctl.migrate.dialect import Dialect, ErrorKind
from opsctl.migrate.model import MigrationError
from opsctl.migrate.parse.excerpt import FileLocation, locate
from opsctl.migrate.run_model import PreparedFile
from opsctl.systems.sql_scripts import ScriptError, ScriptStage

_BODY_LINE = re.compile(r"inline_code_block line (?P<line>\d+) at")
_BODY = re.compile(r"\$(?:[A-Za-z_]\w*)?\$")
_TRACKING_HINT = "Check the tracking table {table}."


def explain_failure(
    error: ScriptError, prepared: PreparedFile, dialect: Dialect, *, state: str, verb: str = ""
) -> MigrationError:
    at = _spot(error, prepared)
    facts: dict[str, object] = {"sqlstate": error.sqlstate, "state": state, **at.facts()}
    what = (
        f"{at}: {error.why}" if error.stage is ScriptStage.TEXT else f"{prepared.file}: {error.why}"
    )
    return MigrationError(
        f"{verb}{what}",
        why="; ".join(filter(None, (_coded(error, dialect), _counted(error, prepared), state))),
        hint=dialect.hint_for(error) or _own_hint(error, dialect),
        excerpt=at.excerpt if error.stage is ScriptStage.TEXT else (),
        facts=facts,
    )


def _own_hint(error: ScriptError, dialect: Dialect) -> str:
    if error.stage is not ScriptStage.TEXT:
        return _TRACKING_HINT.format(table=dialect.table)
    if dialect.classify_error(error) is ErrorKind.TIMED_OUT:
        return "Give this file more time: `-- opsctl: statement_timeout=30min` on its first line."
    return "Correct the file and run `opsctl migrate` again."


def _coded(error: ScriptError, dialect: Dialect) -> str:
    if not error.sqlstate:
        return ""
    label = "SQLSTATE " if dialect.name == "postgresql" else f"{dialect.name}: "
    return f"{label}{error.sqlstate}"


def _counted(error: ScriptError, prepared: PreparedFile) -> str:
    if error.statement is None or error.stage is not ScriptStage.TEXT:
        return ""
    return f"statement {error.statement + 1} of {len(prepared.starts)}"


def _spot(error: ScriptError, prepared: PreparedFile) -> FileLocation:
    return locate(
        prepared.text,
        prepared.file,
        _offset(error, prepared) if error.stage is ScriptStage.TEXT else 0,
    )


def _offset(error: ScriptError, prepared: PreparedFile) -> int:
    if error.position is not None:
        return error.position
    statements = prepared.script.statements
    if error.statement is None or error.statement >= len(statements):
        return statements[0].start.offset if statements else 0
    start = statements[error.statement].start.offset
    line = _BODY_LINE.search(error.context)
    body = _BODY.search(prepared.text, start, statements[error.statement].end)
    return _line_below(prepared.text, body.end(), int(line["line"])) if line and body else start


def _line_below(text: str, offset: int, line: int) -> int:
    """Find the first letter of a line that PL/pgSQL counts from the start of its body."""
    for _ in range(line - 1):
        offset = text.find("\n", offset) + 1
    rest = text[offset:]
    return offset + len(rest) - len(rest.lstrip())
