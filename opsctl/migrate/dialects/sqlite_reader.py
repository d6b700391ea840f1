"""Finds the statements of a text as SQLite does: its quotes, and triggers with bodies."""

import re
from collections.abc import Iterator

from opsctl.sql.lexer import Oddity, Place, Places, Script, Statement, place

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


def read_sqlite(text: str) -> Script:
    return _Reader(text).read()


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._place = Places(text)
        self._found: dict[str, list[Oddity]] = {"command": [], "variable": [], "unclosed": []}
        self._words: list[str] = []
        self._start: Place | None = None
        self._depth = 0

    def read(self) -> Script:
        statements = tuple(self._statements())
        flaws = [
            Oddity(flaw.place, f"a quotation that nothing closes: {flaw.text[0]}")
            for flaw in self._found["unclosed"]
        ]
        if (nul := self._text.find("\0")) >= 0:
            flaws.append(Oddity(place(self._text, nul), "a NUL byte"))
        commands, variables = self._found["command"], self._found["variable"]
        return Script(statements, (), tuple(commands), tuple(variables), tuple(flaws))

    def _statements(self) -> Iterator[Statement]:
        end = 0
        for match in _TOKEN.finditer(self._text):
            kind = match.lastgroup or "other"
            if kind in self._found:
                self._found[kind].append(Oddity(self._place(match.start()), match[0]))
            if kind in {"blank", "command"}:
                continue
            if kind == "semicolon" and not self._depth:
                yield from self._finish(match.start())
                continue
            self._start = self._place(match.start()) if self._start is None else self._start
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

    def _finish(self, end: int) -> Iterator[Statement]:
        if self._start is not None:
            yield Statement(self._start, end, tuple(self._words))
        self._start, self._words, self._depth = None, [], 0
