"""Turns a result into what JSON can say."""

from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import Enum
from pathlib import Path


def to_json_value(value: object) -> object:
    """Go through nouns, mappings and sequences; what has no JSON form is an error."""
    if isinstance(value, Enum):
        return value.value
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if (names := _fields_of(value)) is not None:
        return {name: to_json_value(getattr(value, name)) for name in names}
    if isinstance(value, Mapping):
        return {str(key): to_json_value(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [to_json_value(inner) for inner in value]
    return _single(value)


def _fields_of(value: object) -> Iterable[str] | None:
    if is_dataclass(value) and not isinstance(value, type):
        return [field.name for field in fields(value)]
    named: Iterable[str] | None = getattr(value, "_fields", None)
    return named


def _single(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")
