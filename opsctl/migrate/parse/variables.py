"""Replaces variables as psql does, `:name`, `:'name'`, `:"name"`, from `--set name=value`."""

from collections.abc import Iterable, Mapping, Sequence

from opsctl.errors import UsageError
from opsctl.migrate.parse.excerpt import refusal_at
from opsctl.sql.lexer import LocatedText

_QUOTED = {"'": "'", '"': '"'}


def parse_assignments(given: Iterable[str]) -> dict[str, str]:
    """Parse `--set name=value` flags."""
    values = {}
    for pair in given:
        name, equals, value = pair.partition("=")
        if not equals or not (name.isidentifier() and name.isascii()):
            raise UsageError(
                f"cannot parse --set {pair!r}",
                why="it is not name=value",
                hint="E.g. --set owner=app",
            )
        values[name] = value
    return values


def fill_variables(
    text: str, file: str, variables: Sequence[LocatedText], values: Mapping[str, str]
) -> str:
    """Replace every variable; refuse one without a value."""
    pieces, position = [], 0
    for variable in variables:
        offset = variable.position.offset
        quote, name = _parts(variable.text)
        if name not in values and _is_glued(text, offset):
            continue
        if name not in values:
            raise refusal_at(text, file, offset, why=f"{name} has no value", hint=_hint(name))
        pieces += [text[position:offset], _quoted(values[name], quote)]
        position = offset + len(variable.text)
    return "".join([*pieces, text[position:]])


def _is_glued(text: str, offset: int) -> bool:
    """Recognize an array slice `[1:n]` or a struct `{'a':b}` by what precedes the colon."""
    before = text[offset - 1 : offset]
    return before.isalnum() or before in {"_", "'", '"', ")", "]"}


def _hint(name: str) -> str:
    return f"Give it with --set {name}=VALUE, e.g. --set {name}=app"


def _parts(text: str) -> tuple[str, str]:
    quote = text[1] if text[1] in _QUOTED else ""
    return quote, text[2:-1] if quote else text[1:]


def _quoted(value: str, quote: str) -> str:
    if "\0" in value:
        raise UsageError("cannot use a --set value that contains a NUL byte")
    if quote == "'" and "\\" in value:
        # Whatever standard_conforming_strings says.
        escaped = value.replace("\\", "\\\\").replace("'", "''")
        return f" E'{escaped}'"
    return f"{quote}{value.replace(quote, quote * 2)}{quote}" if quote else value
