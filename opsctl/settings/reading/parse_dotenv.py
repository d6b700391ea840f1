"""Reads a .env file the way Docker Compose does: what compose accepts is accepted here."""

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from opsctl.errors import SettingsError
from opsctl.settings.reading.origin import Origin

# `NAME: value` is read as well; a bare NAME takes its value from the environment.
_NAME = re.compile(r"(?:export[^\S\n]+)?(?P<name>[\w.\-\[\]]+)[^\S\n]*(?P<sign>[=:]|\n|\Z)")
_SKIPPED = re.compile(r"(?:\s+|#[^\n]*)+")
_BLANK = re.compile(r"[^\S\n]*")
_QUOTED = {
    '"': re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL),
    "'": re.compile(r"'((?:[^'\\]|\\.)*)'", re.DOTALL),
}
_COMMENT = re.compile(r"\s#.*\Z")
_ESCAPE = re.compile(r'\\([abfnrtv$"\\]|0[0-7]{1,3})')
_ESCAPED = {
    "a": "\a",
    "b": "\b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "v": "\v",
    "$": "$$",
    '"': '"',
    "\\": "\\",
}
_REFERENCE = re.compile(
    r"\$(?:\$|(?P<bare>[A-Za-z_]\w*)|\{(?P<name>[A-Za-z_]\w*)(?P<rest>[^}]*)\})"
)


class Variable(NamedTuple):
    name: str
    value: str
    place: Origin


def read_dotenv(text: str, source: str) -> tuple[Variable, ...]:
    """Read NAME=value lines; the last one of a name counts, as in a shell."""
    read: dict[str, Variable] = {}
    for variable in _variables(text.removeprefix("\ufeff").replace("\r\n", "\n"), source, read):
        # A later one takes the place of an earlier one.
        read.pop(variable.name, None)
        read[variable.name] = variable
    return tuple(read.values())


def _variables(text: str, source: str, read: Mapping[str, Variable]) -> Iterator[Variable]:
    position = _skip(text, 0)
    while position < len(text):
        place = Origin(source, text.count("\n", 0, position) + 1)
        found = _NAME.match(text, position)
        if found is None:
            raise SettingsError(
                f"{place}: this is not NAME=value", hint="Start a comment with #, or add the =."
            )
        if found["sign"] not in {"=", ":"}:
            position = _skip(text, found.end())
            continue
        value, end = _value(text, _BLANK.match(text, found.end()), place, read)
        yield Variable(found["name"], value, place)
        position = _skip(text, end)


def _skip(text: str, position: int) -> int:
    """Pass blank space, empty lines and comments."""
    found = _SKIPPED.match(text, position)
    return found.end() if found else position


def _value(
    text: str, blank: re.Match[str] | None, place: Origin, read: Mapping[str, Variable]
) -> tuple[str, int]:
    """Read a value and where it ends; a quoted one may have several lines."""
    start = blank.end() if blank else 0
    quote = text[start : start + 1]
    if quote not in _QUOTED:
        line, _, _ = text[start:].partition("\n")
        value = _COMMENT.sub("", f" {line}").strip()
        return _expand(value, read), start + len(line)
    quoted = _QUOTED[quote].match(text, start)
    if quoted is None:
        raise SettingsError(
            f"{place}: the quote is not closed",
            hint=f"End the value with {quote}; inside of it write \\{quote}.",
        )
    if quote == "'":
        return quoted[1].replace("\\'", "'"), quoted.end()
    return _expand(_ESCAPE.sub(_unescape, quoted[1]), read), quoted.end()


def _unescape(escape: re.Match[str]) -> str:
    code = escape[1]
    return _ESCAPED[code] if code in _ESCAPED else chr(int(code, 8))


def _expand(value: str, read: Mapping[str, Variable]) -> str:
    """Fill in variables of this file; what it does not set stays as it is written."""

    def fill_in(reference: re.Match[str]) -> str:
        name, rest = reference["bare"] or reference["name"], reference["rest"] or ""
        if not name:
            return "$"
        known = read[name].value if name in read else None
        if rest.startswith((":-", "-")):
            is_given = bool(known) if rest[0] == ":" else known is not None
            return known or "" if is_given else rest.partition("-")[2]
        if rest.startswith((":+", "+")):
            is_given = bool(known) if rest[0] == ":" else known is not None
            return rest.partition("+")[2] if is_given else ""
        return known if known is not None and not rest else reference[0]

    return _REFERENCE.sub(fill_in, value)
