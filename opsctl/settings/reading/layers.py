"""Lays one source of values over another and keeps for each where it came from."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from opsctl.settings.model import fields, is_list, known_variables, variables
from opsctl.settings.reading.dotenv import Variable
from opsctl.settings.reading.origin import Origin

# Read by other parts than the settings: the terminal's own flags, and the project's tests.
RESERVED_VARIABLES = frozenset({"OPSCTL_OUTPUT", "OPSCTL_REQUIRE", "OPSCTL_COMPLETE"})
RESERVED_PREFIXES = ("OPSCTL_TEST_", "_OPSCTL_")


class GivenValue(NamedTuple):
    """One value as somebody wrote it."""

    path: str
    value: Any
    place: Origin


def from_variables(given: Iterable[Variable]) -> tuple[GivenValue, ...]:
    """List what variables set; an empty one counts as unset, as in a compose file."""
    by_name = {variable.name: variable for variable in given if variable.value != ""}
    return tuple(_chosen(by_name))


def from_flags(given: Mapping[str, Any]) -> tuple[GivenValue, ...]:
    return tuple(GivenValue(path, value, Origin("flag")) for path, value in given.items())


def unknown_variables(given: Iterable[Variable]) -> tuple[Variable, ...]:
    """Find OPSCTL_ variables that set nothing: a typo would otherwise pass in silence."""
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
