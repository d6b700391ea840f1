"""Rules: the schema changes in migrations and nowhere else."""

import ast
import re
from collections.abc import Iterator

from opsctl.findings import Level
from opsctl.policy import detect_ddl, python_strings
from opsctl.policy.model import Rule, Severity, Violation, rule
from opsctl.policy.project import CheckedProject, SourceFile, is_below

_OPERATIONS = re.compile(r"(create|drop|alter|add|rename)_(table|column|index|constraint|\w*_key)")
_LIBRARIES = ("alembic", "_all(", "to_sql(")
_IN_SHELL = re.compile(
    r"""["']\s*(?P<ddl>(?:CREATE|ALTER|DROP)\s+(?:UNIQUE\s+|OR\s+REPLACE\s+)*"""
    r"(?:TABLE|INDEX|VIEW|SCHEMA|SEQUENCE|EXTENSION|DATABASE|TYPE|FUNCTION|ROLE|USER))\b",
    re.IGNORECASE,
)
_HEREDOC = re.compile(
    r"^[ \t]*(?P<ddl>(?:CREATE|ALTER|DROP)\s+(?:UNIQUE\s+)?(?:TABLE|INDEX"
    r"|VIEW|SCHEMA|SEQUENCE))\s+\w",
    re.MULTILINE,
)


@rule(
    "ddl-in-python",
    Severity.ERROR,
    reason="Code and schema change separately: only migrations/*.sql changes the schema.",
    fix="Move the statement into a new file: opsctl migrate new NAME. Checking "
    "is allowed: SELECT to_regclass(...).",
)
def ddl_in_python(project: CheckedProject) -> Iterator[Violation]:
    for source in project.ending(".py", ".pyi"):
        if detect_ddl.may_contain_ddl(source.lowered):
            yield from _in_python(source)


def _in_python(source: SourceFile) -> Iterator[Violation]:
    try:
        tree = python_strings.parse(source.text)
    except python_strings.UnreadableError as error:
        what = f"it may hold DDL and cannot be read as Python: {error}"
        yield Violation(what, source.path, level=Level.UNKNOWN)
        return
    seen: set[tuple[int, str]] = set()
    for text, line in python_strings.texts(tree):
        statement_kind = detect_ddl.detect_ddl(text)
        if statement_kind and (line, statement_kind) not in seen:
            seen.add((line, statement_kind))
            yield Violation(f"{statement_kind} in Python", source.path, line)
    if any(word in source.lowered for word in _LIBRARIES):
        yield from _calls(source, tree)


def _calls(source: SourceFile, tree: ast.Module) -> Iterator[Violation]:
    """Find libraries that change the schema without a word of SQL."""
    has_alembic = "alembic" in source.lowered
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        name, owner = node.func.attr, node.func.value
        whose = getattr(owner, "attr", getattr(owner, "id", ""))
        if name in {"create_all", "drop_all"} and "metadata" in str(whose).casefold():
            yield Violation(f"{whose}.{name}() changes the schema", source.path, node.lineno)
        elif has_alembic and whose == "op" and _OPERATIONS.fullmatch(name):
            yield Violation(f"op.{name}() changes the schema", source.path, node.lineno)
        elif name == "to_sql":
            what = "to_sql() makes the table where there is none"
            yield Violation(what, source.path, node.lineno, level=Level.WARNING)


@rule(
    "ddl-outside-migrations",
    Severity.WARNING,
    reason="migrations/*.sql is the single source of truth; a second place drifts from it.",
    fix="Move it into a new migration, or except the file in configs/policy with a reason.",
)
def ddl_outside_migrations(project: CheckedProject) -> Iterator[Violation]:
    for source in project.ending(".sql", ".ddl"):
        if not is_below(source.path, project.migrations):
            yield from _in_sql(source, project)
    for source in project.ending(".sh", ".bash", ".mk"):
        yield from _in_shell(source)
    for source in project.named("Makefile", "justfile"):
        yield from _in_shell(source)


def _in_sql(source: SourceFile, project: CheckedProject) -> Iterator[Violation]:
    from opsctl.sql.lexer import read_script  # noqa: PLC0415 - only projects with SQL need it

    for statement in read_script(source.text).statements:
        statement_kind = detect_ddl.detect_ddl(" ".join((*statement.words, "x")))
        if statement_kind:
            yield Violation(
                f"{statement_kind} outside of {project.migrations}/",
                source.path,
                statement.start.line,
            )
            return


def _in_shell(source: SourceFile) -> Iterator[Violation]:
    for pattern in (_IN_SHELL, _HEREDOC):
        for match in source.find(pattern):
            statement_kind = " ".join(match["ddl"].upper().split())
            yield Violation(
                f"{statement_kind} in a script", source.path, source.line_of(match.start("ddl"))
            )


RULES: tuple[Rule[CheckedProject], ...] = (ddl_in_python, ddl_outside_migrations)
