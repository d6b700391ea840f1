"""Reads a .env file the way Docker Compose and a shell agree on."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from opsctl.errors import SettingsError
from opsctl.settings.reading.origin import Origin

_ASSIGNMENT = re.compile(r"\s*(?:export\s+)?(?P<name>[A-Za-z_][A-Za-z0-9_.]*)\s*=\s*(?P<value>.*)")
_QUOTED = re.compile(r"""(?P<quote>['"])(?P<text>.*?)(?<!\\)(?P=quote)\s*(?:#.*)?\Z""")
_COMMENT = re.compile(r"\s#.*\Z")


class Variable(NamedTuple):
    name: str
    value: str
    place: Origin


def read_dotenv(text: str, source: str) -> tuple[Variable, ...]:
    """Read KEY=value lines; the last one of a name counts, as in a shell."""
    last = {variable.name: variable for variable in _variables(text, source)}
    return tuple(last.values())


def _variables(text: str, source: str) -> Iterator[Variable]:
    for number, line in enumerate(text.removeprefix("\ufeff").splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        place = Origin(source, number)
        found = _ASSIGNMENT.match(line)
        if found is None:
            raise SettingsError(
                f"{place}: this is not NAME=value", hint="Start a comment with #, or add the =."
            )
        yield Variable(found["name"], _value(found["value"].strip(), place), place)


def _value(raw: str, place: Origin) -> str:
    if not raw.startswith(("'", '"')):
        return _COMMENT.sub("", f" {raw}").strip()
    quoted = _QUOTED.match(raw)
    if quoted is None:
        raise SettingsError(f"{place}: the quote is not closed on this line")
    text = quoted["text"]
    return text if quoted["quote"] == "'" else text.replace('\\"', '"').replace("\\\\", "\\")
