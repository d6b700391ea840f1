"""Reads one YAML file into values that know their line; refuses what settings have no use for."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from opsctl.errors import SettingsError
from opsctl.settings.reading.origin import Origin

MAX_CHARACTERS = 1_000_000
MAX_DEPTH = 20

Scalar = str | int | float | bool | None

_WORDS: dict[str, Scalar] = {
    "": None, "~": None, "null": None, "true": True, "false": False,
}  # fmt: skip
# Longer numbers stay text and fail as such: int() refuses thousands of digits.
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9_]{0,17})\Z")
_FLOAT = re.compile(r"[-+]?(?=.*[.eE])(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?\Z")


@dataclass(frozen=True, slots=True)
class ScalarNode:
    value: Scalar
    place: Origin


@dataclass(frozen=True, slots=True)
class SequenceNode:
    items: tuple["Node", ...]
    place: Origin


@dataclass(slots=True)
class MappingNode:
    place: Origin
    children: dict[str, "Node"] = field(default_factory=dict)
    keys: dict[str, Origin] = field(default_factory=dict)


Node = ScalarNode | SequenceNode | MappingNode


def parse_document(text: str, source: str) -> MappingNode:
    """Parse one document; an empty one is an empty mapping."""
    if len(text) > MAX_CHARACTERS:
        raise SettingsError(
            f"{source} is too large for settings",
            why=f"{len(text):,} characters; at most {MAX_CHARACTERS:,} are read",
        )
    try:
        return _Reader(text, source).document()
    except yaml.MarkedYAMLError as error:
        raise _not_yaml(error, source) from error
    except yaml.YAMLError as error:
        raise SettingsError(f"{source} is not YAML", why=str(error).replace("\n", " ")) from error


def to_plain_value(node: Node) -> Any:
    """Drop the places: what the models validate."""
    match node:
        case ScalarNode(value=value):
            return value
        case SequenceNode(items=items):
            return [to_plain_value(item) for item in items]
        case MappingNode(children=children):
            return {key: to_plain_value(child) for key, child in children.items()}


def _not_yaml(error: yaml.MarkedYAMLError, source: str) -> SettingsError:
    mark = error.problem_mark or error.context_mark
    place = Origin(source, mark.line + 1 if mark else None)
    return SettingsError(
        f"{place}: this is not YAML",
        why=str(error.problem or error.context or "it cannot be parsed"),
        hint="Look at this line and the one above it: indentation, quotes, a missing colon.",
    )


class _Reader:
    """Builds the tree from parser events: no recursion that a hostile file could steer."""

    def __init__(self, text: str, source: str) -> None:
        self._source = source
        self._events: Iterator[Any] = yaml.parse(text, Loader=yaml.CSafeLoader)

    def document(self) -> MappingNode:
        root: Node = MappingNode(Origin(self._source, 1))
        seen = 0
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                seen += 1
                root = self._document_body(event, seen)
        if isinstance(root, ScalarNode) and root.value is None:
            return MappingNode(root.place)
        if isinstance(root, MappingNode):
            return root
        raise SettingsError(f"{root.place}: settings are a mapping of sections, e.g. redis:")

    def _document_body(self, start: Any, number: int) -> Node:
        if number > 1:
            raise SettingsError(f"{self._at(start)}: a second document starts here; one is read")
        return self._node(next(self._events), 0)

    def _at(self, event: Any) -> Origin:
        return Origin(self._source, event.start_mark.line + 1)

    def _node(self, event: Any, depth: int) -> Node:
        self._refuse_the_unneeded(event, depth)
        if isinstance(event, yaml.ScalarEvent):
            return ScalarNode(_scalar(event), self._at(event))
        if isinstance(event, yaml.SequenceStartEvent):
            return SequenceNode(tuple(self._items(depth)), self._at(event))
        return self._branch(event, depth)

    def _refuse_the_unneeded(self, event: Any, depth: int) -> None:
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise SettingsError(
                f"{self._at(event)}: anchors and aliases are not read in settings",
                hint="Write the value out; an overlay replaces single keys.",
            )
        tag = getattr(event, "tag", None)
        if tag not in (None, "!"):
            raise SettingsError(f"{self._at(event)}: tags such as {tag} are not read in settings")
        if depth > MAX_DEPTH:
            raise SettingsError(f"{self._at(event)}: nested deeper than {MAX_DEPTH} levels")

    def _items(self, depth: int) -> Iterator[Node]:
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            yield self._node(event, depth + 1)

    def _branch(self, start: Any, depth: int) -> MappingNode:
        branch = MappingNode(self._at(start))
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key = self._key(event, branch)
            branch.keys[key] = self._at(event)
            branch.children[key] = self._node(next(self._events), depth + 1)
        return branch

    def _key(self, event: Any, branch: MappingNode) -> str:
        if not isinstance(event, yaml.ScalarEvent):
            raise SettingsError(f"{self._at(event)}: a key is a plain word")
        key = str(event.value)
        if key in branch.keys:
            raise SettingsError(
                f"{self._at(event)}: {key} is set twice",
                why=f"first in line {branch.keys[key].line}",
            )
        return key


def _scalar(event: Any) -> Scalar:
    """Resolve as YAML 1.2 does: `on`, `22:22` and `0o17` stay the words that were written."""
    text = str(event.value)
    if event.style in ("'", '"', "|", ">"):
        return text
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    if _INTEGER.match(text):
        return int(text.replace("_", ""))
    return float(text) if _FLOAT.match(text) else text
