"""Reads variables and flags into values that know their origin."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from opsctl.settings.model import fields, is_list, known_variables, variables
from opsctl.settings.reading.origin import Origin
from opsctl.settings.reading.parse_dotenv import Variable
from opsctl.settings.reading.refuse_renamed import (
    refuse_renamed_key,
    refuse_renamed_variable,
    renamed_variables,
)

# Not settings: variables of the terminal, of the tests, and of a deploy's hooks.
RESERVED_VARIABLES = frozenset(
    {"OPSCTL_OUTPUT", "OPSCTL_REQUIRE", "OPSCTL_COMPLETE", "OPSCTL_RELEASE", "OPSCTL_COMMIT"}
)
RESERVED_PREFIXES = ("OPSCTL_TEST_", "_OPSCTL_")


class GivenValue(NamedTuple):
    """One value as it was written, and where."""

    path: str
    value: Any
    place: Origin


def from_variables(given: Iterable[Variable]) -> tuple[GivenValue, ...]:
    """List what variables set; an empty one counts as unset, as in a compose file."""
    by_name = {variable.name: variable for variable in given if variable.value != ""}
    for name in by_name.keys() & renamed_variables().keys():
        refuse_renamed_variable(by_name[name])
    return tuple(_chosen(by_name))


def from_flags(given: Mapping[str, Any]) -> tuple[GivenValue, ...]:
    origin = Origin("flag")
    for path in given:
        refuse_renamed_key(path, origin)
    return tuple(GivenValue(path, value, origin) for path, value in given.items())


def unknown_variables(given: Iterable[Variable]) -> tuple[Variable, ...]:
    """Find OPSCTL_ variables that set nothing: a typo would otherwise go unnoticed."""
    known = known_variables().keys()
    return tuple(
        variable
        for variable in given
        if variable.name.startswith("OPSCTL_")
        and variable.name not in known | RESERVED_VARIABLES
        and not variable.name.startswith(RESERVED_PREFIXES)
    )


def _chosen(by_name: Mapping[str, Variable]) -> Iterator[GivenValue]:
    known = known_variables()
    named = {known[name] for name in by_name.keys() & known.keys()}
    for path, field in fields().items():
        if path not in named:
            continue
        for name in variables(path, field):
            if variable := by_name.get(name):
                yield GivenValue(
                    path, _from_text(variable.value, as_list=is_list(field)), variable.place
                )
                break


def _from_text(text: str, *, as_list: bool) -> Any:
    return [part.strip() for part in text.split(",") if part.strip()] if as_list else text
