"""Lays one source of values over another and keeps for each where it came from."""

import difflib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from opsctl.errors import SettingsError
from opsctl.settings.document import Branch, Node, plain
from opsctl.settings.dotenv import Variable
from opsctl.settings.model import Settings, fields, is_list, sections, variables
from opsctl.settings.place import Place

# Read by other parts than the settings: the terminal's own flags, and the project's tests.
RESERVED_VARIABLES = frozenset({"OPSCTL_OUTPUT", "OPSCTL_REQUIRE", "OPSCTL_COMPLETE"})
RESERVED_PREFIXES = ("OPSCTL_TEST_", "_OPSCTL_")


@dataclass(frozen=True, slots=True)
class Written:
    """One value as somebody wrote it."""

    path: str
    value: Any
    place: Place


def from_document(document: Branch) -> tuple[Written, ...]:
    """List a file's values; refuse a key that no setting has."""
    return tuple(_walk(document))


def from_variables(given: Iterable[Variable]) -> tuple[Written, ...]:
    """List what variables set; an empty one counts as unset, as in a compose file."""
    by_name = {variable.name: variable for variable in given if variable.value != ""}
    return tuple(_chosen(by_name))


def from_flags(given: Mapping[str, Any]) -> tuple[Written, ...]:
    return tuple(Written(path, value, Place("flag")) for path, value in given.items())


def unknown_variables(given: Iterable[Variable]) -> tuple[Variable, ...]:
    """Find OPSCTL_ variables that set nothing: a typo would otherwise pass in silence."""
    known = {name for path, field in fields().items() for name in variables(path, field)}
    return tuple(
        variable
        for variable in given
        if variable.name.startswith("OPSCTL_")
        and variable.name not in known | RESERVED_VARIABLES
        and not variable.name.startswith(RESERVED_PREFIXES)
    )


def closest(word: str, among: Iterable[str]) -> str | None:
    return next(iter(difflib.get_close_matches(word, list(among), n=1, cutoff=0.6)), None)


def _walk(document: Branch) -> Iterator[Written]:
    known_sections = dict(sections())
    top = set(Settings.model_fields)
    for key, node in document.children.items():
        place = document.keys[key]
        if key not in top:
            raise _unknown(key, place, among=top | set(fields()))
        if key in known_sections:
            yield from _section(key, node, place)
        else:
            yield Written(key, plain(node), place)


def _section(name: str, node: Node, place: Place) -> Iterator[Written]:
    if not isinstance(node, Branch):
        if plain(node) is None:
            return
        raise SettingsError(f"{place}: {name} is a section", hint=f"Write its keys below {name}:")
    known = {path for path in fields() if path.startswith(f"{name}.")}
    for key, child in node.children.items():
        path = f"{name}.{key}"
        if path not in known:
            raise _unknown(path, node.keys[key], among=known)
        yield Written(path, plain(child), node.keys[key])


def _unknown(path: str, place: Place, *, among: Iterable[str]) -> SettingsError:
    meant = closest(path, sorted(among))
    hint = f"Did you mean {meant}?" if meant else "`opsctl config show` lists every setting."
    return SettingsError(f"{place}: {path} is not a setting", hint=hint)


def _chosen(by_name: Mapping[str, Variable]) -> Iterator[Written]:
    for path, field in fields().items():
        for name in variables(path, field):
            if variable := by_name.get(name):
                yield Written(
                    path, _from_text(variable.value, as_list=is_list(field)), variable.place
                )
                break


def _from_text(text: str, *, as_list: bool) -> Any:
    return [part.strip() for part in text.split(",") if part.strip()] if as_list else text
