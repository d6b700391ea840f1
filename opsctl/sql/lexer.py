"""Splits an SQL file into statements as PostgreSQL does, and finds what only psql understands."""

import re
from collections.abc import Callable
from typing import NamedTuple

from opsctl.value import Value

_KEPT_WORDS = 8
_CONTROLS = frozenset({"BEGIN", "COMMIT", "END", "ROLLBACK", "ABORT", "SAVEPOINT", "RELEASE"})
_CONTROL_PAIRS = frozenset({("START", "TRANSACTION"), ("PREPARE", "TRANSACTION")})
_ROUTINES = frozenset({"FUNCTION", "PROCEDURE"})
_INPUTS = frozenset({"STDIN", "STDOUT"})  # PostgreSQL takes either
_BODY_EDGES = frozenset({";", "ATOMIC"})
_NO_SQL = frozenset({"blank", "comment", "psql"})
_STARTS_NOTHING = _NO_SQL | {"semicolon"}

# To PostgreSQL every character beyond ASCII is a letter, even no-break spaces. Written as a
# negated set, since the large ranges take 40 ms to compile.
_MARKS = r":-@\[-\^`{-\x7f"
_LETTER = rf"[^\x00-/0-9{_MARKS}]"
_WORD = rf"{_LETTER}[^\x00-\#%-/{_MARKS}]*+"
_GAP = r"(?:[ \t\f\v]|--[^\n\r]*+)*+[\n\r](?:\s|--[^\n\r]*+[\n\r])*+"
_ESCAPED = r"'(?:[^'\\]|\\.|'')*+'"
# Not possessive around the gap: Python before 3.11.5 has a bug there.
_E_STRING = rf"[eE]{_ESCAPED}(?:{_GAP}{_ESCAPED})*(?!{_GAP}')"
_NAME = rf"{_LETTER}[^\x00-/{_MARKS}]*+"
_PARTS = rf"""
  (?P<blank>(?:\s++|--[^\n\r]*+)++)
| (?P<comment>/\*)
| (?P<closed>'[^']*+(?:''[^']*+)*+'|"[^"]*+(?:""[^"]*+)*+"|{_E_STRING})
| (?P<dollar>\$(?:{_NAME})?\$)
| (?P<unclosed>[eE]?'|")
| (?P<semicolon>;)
| (?P<bracket>[()])
| (?P<psql>\\[^\n\r]*+)
| (?P<variable>(?<!:):(?:{_NAME}|'{_NAME}'|"{_NAME}"))
"""
_FLAGS = re.VERBOSE | re.ASCII | re.DOTALL
_NUMBER = r"[0-9][0-9A-Za-z_.]*+"
# One word at a time where words matter, and in one leap to the next delimiter elsewhere.
_WORDS = re.compile(rf"{_PARTS}|(?P<word>{_WORD})|(?P<other>{_NUMBER}|.)", _FLAGS)
_LEAP = rf"(?:\s++|[][,.=<>+*0-9%|]++|-(?!-)|(?![eE]'){_WORD})++"
_LEAPS = re.compile(_LEAP, re.ASCII)
_NEST = re.compile(r"/\*|\*/")
_DATA_LINE = re.compile(r"[ \t]*+(?:--[^\n\r]*+)?(?:\r?\n|\Z)")
_DATA_END = re.compile(r"^\\\.\r?(?:\n|\Z)", re.MULTILINE)


class TextPosition(NamedTuple):
    """Characters from the start of the text; lines and columns as an editor counts them."""

    offset: int
    line: int
    column: int


class SqlStatement(NamedTuple):
    start: TextPosition
    end: int
    """Offset of its semicolon, or of the end of the text."""
    words: tuple[str, ...]
    """Its first words, upper-cased, without quoted ones."""

    @property
    def controls_transaction(self) -> bool:
        return self.words[:1] != () and (
            self.words[0] in _CONTROLS or self.words[:2] in _CONTROL_PAIRS
        )


class CopyData(Value):
    """Lines that COPY ... FROM STDIN reads; `after` is the offset behind the last line."""

    statement: int
    start: int
    end: int
    after: int


class LocatedText(Value):
    """A meta-command, a variable or a syntax error, with its position."""

    position: TextPosition
    text: str


class SqlScript(Value):
    statements: tuple[SqlStatement, ...]
    copies: tuple[CopyData, ...]
    commands: tuple[LocatedText, ...]
    """Commands of psql: `\\i`, `\\connect`, `\\gexec`."""
    variables: tuple[LocatedText, ...]
    """`:name`, `:'name'`, `:"name"` outside of quotes; an array slice `[1:n]` looks the same."""
    syntax_errors: tuple[LocatedText, ...]


def read_script(text: str) -> SqlScript:
    return _ScriptReader(text).read()


_Action = Callable[[re.Match[str]], int]
"""Handles a match, and returns the offset to continue at."""


def position_at(text: str, offset: int) -> TextPosition:
    line = text.count("\n", 0, offset) + 1
    return TextPosition(offset, line, offset - text.rfind("\n", 0, offset))


class PositionCounter:
    """Counts lines from the last position on: positions are requested in order."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._counted, self._line, self._first = 0, 1, 0

    def __call__(self, offset: int) -> TextPosition:
        newest = self._text.rfind("\n", self._counted, offset)
        if newest >= 0:
            self._line += self._text.count("\n", self._counted, offset)
            self._first = newest + 1
        self._counted = offset
        return TextPosition(offset, self._line, offset - self._first + 1)


class _ScriptReader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._position_at = PositionCounter(text)
        self._statements: list[SqlStatement] = []
        self._copies: list[CopyData] = []
        self._commands: list[LocatedText] = []
        self._variables: list[LocatedText] = []
        self._syntax_errors: list[LocatedText] = []
        self._start: TextPosition | None = None
        self._begin()

    def read(self) -> SqlScript:
        actions: dict[str | None, _Action] = {
            "comment": self._comment,
            "psql": self._psql,
            "dollar": self._dollar,
            "unclosed": self._unclosed,
            "semicolon": self._semicolon,
            "bracket": self._bracket,
            "variable": self._variable,
            "word": self._word,
        }
        position = 0
        while match := _WORDS.match(self._text, position):
            kind = match.lastgroup
            if self._start is None and kind not in _STARTS_NOTHING:
                self._start = self._position_at(match.start())
            act = actions.get(kind)
            position = act(match) if act else match.end()
            if kind not in _NO_SQL:
                self._last, self._end = match[0].upper() if act else "", position
            if self._leaps and (leap := _LEAPS.match(self._text, position)):
                self._last, self._end, position = "", leap.end(), leap.end()
        self._finish(len(self._text[: self._end].rstrip()))
        if (nul := self._text.find("\0")) >= 0:
            self._syntax_errors.append(LocatedText(position_at(self._text, nul), "a NUL byte"))
        return SqlScript(
            statements=tuple(self._statements),
            copies=tuple(self._copies),
            commands=tuple(self._commands),
            variables=tuple(self._variables),
            syntax_errors=tuple(self._syntax_errors),
        )

    def _begin(self) -> None:
        self._start = None
        self._words: list[str] = []
        self._leaps = False
        self._depth = self._end = 0
        self._in_body = self._reads_data = False
        self._last = ""

    def _finish(self, end: int) -> None:
        if self._start is not None:
            self._statements.append(SqlStatement(self._start, end, tuple(self._words)))
        self._begin()

    def _word(self, match: re.Match[str]) -> int:
        word = match[0].upper()
        if len(self._words) < _KEPT_WORDS:
            self._words.append(word)
        elif self._words[0] != "COPY" and not _ROUTINES.intersection(self._words[:4]):
            self._leaps = True
        if self._depth == 0:
            self._follow(word)
        return match.end()

    def _follow(self, word: str) -> None:
        """Watch for COPY with data and for BEGIN ATOMIC bodies."""
        if self._last == "FROM" and word in _INPUTS and self._words[0] == "COPY":
            self._reads_data = True
        elif self._last == "BEGIN" and word == "ATOMIC" and self._words[0] == "CREATE":
            self._in_body = True
        # CASE has an END too, but never after a semicolon.
        elif word == "END" and self._last in _BODY_EDGES:
            self._in_body = False

    def _bracket(self, match: re.Match[str]) -> int:
        self._depth = max(0, self._depth + (1 if match[0] == "(" else -1))
        return match.end()

    def _semicolon(self, match: re.Match[str]) -> int:
        if self._depth or self._in_body:
            return match.end()
        reads_data = self._reads_data
        self._finish(match.start())
        return self._data(match.end()) if reads_data else match.end()

    def _data(self, position: int) -> int:
        first = _DATA_LINE.match(self._text, position)
        if first is None:
            return self._report_error(position, "COPY data must start on a new line")
        last = _DATA_END.search(self._text, first.end())
        if last is None:
            self._report_error(first.end(), r"COPY data without its last line \.")
            return len(self._text)
        statement = len(self._statements) - 1
        self._copies.append(CopyData(statement, first.end(), last.start(), last.end()))
        return last.end()

    def _comment(self, match: re.Match[str]) -> int:
        depth, position = 1, match.end()
        while depth and (edge := _NEST.search(self._text, position)):
            depth += 1 if edge[0] == "/*" else -1
            position = edge.end()
        if depth:
            self._report_error(match.start(), "an unclosed comment")
            return len(self._text)
        return position

    def _dollar(self, match: re.Match[str]) -> int:
        found = self._text.find(match[0], match.end())
        if found < 0:
            return self._unclosed(match)
        return found + len(match[0])

    def _unclosed(self, match: re.Match[str]) -> int:
        self._report_error(match.start(), f"an unclosed quotation: {match[0]}")
        return len(self._text)

    def _psql(self, match: re.Match[str]) -> int:
        self._commands.append(LocatedText(self._position_at(match.start()), match[0].strip()))
        return match.end()

    def _variable(self, match: re.Match[str]) -> int:
        self._variables.append(LocatedText(self._position_at(match.start()), match[0]))
        return match.end()

    def _report_error(self, position: int, text: str) -> int:
        self._syntax_errors.append(LocatedText(self._position_at(position), text))
        return position
