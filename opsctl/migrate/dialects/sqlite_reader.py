"""Splits a text into statements as SQLite does: its quotes, and triggers with bodies."""

import re
from collections.abc import Iterator

from opsctl.sql.lexer import (
    LocatedText,
    PositionCounter,
    SqlScript,
    SqlStatement,
    TextPosition,
    position_at,
)

_KEPT_WORDS = 8
_TOKEN = re.compile(
    r"""(?P<blank>\s+|--[^\n]*|/\*.*?(?:\*/|\Z))
      | (?P<closed>'[^']*(?:''[^']*)*'|"[^"]*(?:""[^"]*)*"|`[^`]*(?:``[^`]*)*`|\[[^\]]*\])
      | (?P<unclosed>['"`\[].*)
      | (?P<semicolon>;)
      | (?P<command>^\.[a-z][^\n]*|\\[^\n]*)
      | (?P<variable>:(?:[A-Za-z_]\w*|'[A-Za-z_]\w*'|"[A-Za-z_]\w*"))
      | (?P<word>[A-Za-z_\x80-\U0010ffff][\w$]*)
      | (?P<other>.)""",
    re.VERBOSE | re.DOTALL | re.MULTILINE,
)


def read_sqlite_script(text: str) -> SqlScript:
    return _SqliteReader(text).read()


class _SqliteReader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._position_at = PositionCounter(text)
        self._found: dict[str, list[LocatedText]] = {"command": [], "variable": [], "unclosed": []}
        self._words: list[str] = []
        self._start: TextPosition | None = None
        self._depth = 0

    def read(self) -> SqlScript:
        statements = tuple(self._statements())
        syntax_errors = [
            LocatedText(error.position, f"an unclosed quotation: {error.text[0]}")
            for error in self._found["unclosed"]
        ]
        if (nul := self._text.find("\0")) >= 0:
            syntax_errors.append(LocatedText(position_at(self._text, nul), "a NUL byte"))
        commands, variables = self._found["command"], self._found["variable"]
        return SqlScript(statements, (), tuple(commands), tuple(variables), tuple(syntax_errors))

    def _statements(self) -> Iterator[SqlStatement]:
        end = 0
        for match in _TOKEN.finditer(self._text):
            kind = match.lastgroup or "other"
            if kind in self._found:
                self._found[kind].append(LocatedText(self._position_at(match.start()), match[0]))
            if kind in {"blank", "command"}:
                continue
            if kind == "semicolon" and not self._depth:
                yield from self._finish(match.start())
                continue
            self._start = self._position_at(match.start()) if self._start is None else self._start
            end = match.end()
            if kind == "word":
                self._word(match[0].upper())
        yield from self._finish(end)

    def _word(self, word: str) -> None:
        """Follow BEGIN and CASE down to their END, in triggers only."""
        if self._is_trigger():
            if word in {"BEGIN", "CASE"}:
                self._depth += 1
            elif word == "END" and self._depth:
                self._depth -= 1
        if len(self._words) < _KEPT_WORDS:
            self._words.append(word)

    def _is_trigger(self) -> bool:
        return self._words[:1] == ["CREATE"] and "TRIGGER" in self._words[1:3]

    def _finish(self, end: int) -> Iterator[SqlStatement]:
        if self._start is not None:
            yield SqlStatement(self._start, end, tuple(self._words))
        self._start, self._words, self._depth = None, [], 0
