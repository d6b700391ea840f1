"""Lists what a file sets; refuses a key that no setting has."""

import difflib
from collections.abc import Iterable, Iterator

from opsctl.errors import SettingsError
from opsctl.settings.model import Settings, fields, sections
from opsctl.settings.reading.layers import GivenValue
from opsctl.settings.reading.origin import Origin
from opsctl.settings.reading.yaml_document import MappingNode, Node, to_plain_value


def from_document(document: MappingNode) -> tuple[GivenValue, ...]:
    """List a file's values; refuse a key that no setting has."""
    return tuple(_walk(document))


def closest_match(word: str, among: Iterable[str]) -> str | None:
    return next(iter(difflib.get_close_matches(word, list(among), n=1, cutoff=0.6)), None)


def _walk(document: MappingNode) -> Iterator[GivenValue]:
    known_sections = dict(sections())
    top = set(Settings.declared)
    for key, node in document.children.items():
        place = document.keys[key]
        if key not in top:
            raise _unknown(key, place, among=top | set(fields()))
        if key in known_sections:
            yield from _section(key, node, place)
        else:
            yield GivenValue(key, to_plain_value(node), place)


def _section(name: str, node: Node, place: Origin) -> Iterator[GivenValue]:
    if not isinstance(node, MappingNode):
        if to_plain_value(node) is None:
            return
        raise SettingsError(f"{place}: {name} is a section", hint=f"Write its keys below {name}:")
    known = {path for path in fields() if path.startswith(f"{name}.")}
    for key, child in node.children.items():
        path = f"{name}.{key}"
        if path not in known:
            raise _unknown(path, node.keys[key], among=known)
        yield GivenValue(path, to_plain_value(child), node.keys[key])


def _unknown(path: str, place: Origin, *, among: Iterable[str]) -> SettingsError:
    meant = closest_match(path, sorted(among))
    hint = f"Did you mean {meant}?" if meant else "`opsctl config show` lists every setting."
    return SettingsError(f"{place}: {path} is not a setting", hint=hint)
