"""Excerpts for error messages: file, line, column, the text of the line and a caret."""

import unicodedata
from collections.abc import Mapping

from opsctl.migrate.model import RefusedMigrationError
from opsctl.sql.lexer import position_at
from opsctl.value import Value

_WIDEST = 120
_BEFORE = 40
NOTHING_RAN = "nothing was changed"


class FileLocation(Value):
    """A location in a file, with an excerpt to print."""

    file: str
    line: int
    column: int
    excerpt: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"

    def facts(self) -> Mapping[str, object]:
        return {"file": self.file, "line": self.line, "column": self.column}


def locate(text: str, file: str, offset: int) -> FileLocation:
    at = position_at(text, min(offset, len(text)))
    first = at.offset - at.column + 1
    end = text.find("\n", first)
    line = text[first : None if end < 0 else end].rstrip("\r")
    return FileLocation(file, at.line, at.column, _excerpt(line, at.line, at.column - 1))


def refusal_at(text: str, file: str, offset: int, *, why: str, hint: str) -> RefusedMigrationError:
    """Build the error for a file that cannot run, with its location."""
    at = locate(text, file, offset)
    return RefusedMigrationError(
        f"{at}: cannot run this",
        why=f"{why}; {NOTHING_RAN}",
        hint=hint,
        excerpt=at.excerpt,
        facts=at.facts(),
    )


def _excerpt(line: str, number: int, index: int) -> tuple[str, ...]:
    """Shorten a long line around the location, and place the caret by display width."""
    start = max(0, index - _BEFORE) if len(line) > _WIDEST else 0
    shown = line[start : start + _WIDEST].replace("\t", " ")
    head, mark = ("..." if start else ""), f"{number} | "
    before = head + shown[: index - start]
    width = sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in before)
    tail = "..." if start + _WIDEST < len(line) else ""
    return (f"{mark}{head}{shown}{tail}", f"{' ' * (len(mark) - 2)}| {' ' * width}^")
