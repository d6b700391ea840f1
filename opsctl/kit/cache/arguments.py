"""Builds keys from arguments: equal arguments give the same key in every process and version."""

import hashlib
import inspect
import json
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from datetime import date, time, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import PurePath
from typing import Any
from uuid import UUID

from opsctl.errors import UsageError

KeyBuilder = Callable[..., str]
_TEXT_TYPES = (Decimal, UUID, PurePath, date, time)


def key_builder(function: Callable[..., Any], prefix: str, key: KeyBuilder | None) -> KeyBuilder:
    """Build keys by `key`, or from all arguments of a function."""
    if key is None:
        return _argument_key_builder(function, prefix)
    return lambda *args, **kwargs: f"{prefix}:{key(*args, **kwargs)}"


def _argument_key_builder(function: Callable[..., Any], prefix: str) -> KeyBuilder:
    """Build keys from arguments, positional or by keyword alike; `self` is left out."""
    signature = inspect.signature(function)
    first = next(iter(signature.parameters), "")

    def build_key(*args: Any, **kwargs: Any) -> str:  # noqa: ANN401 - arguments of any function
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()
        arguments = {
            name: value for name, value in bound.arguments.items() if not _is_self(name, first)
        }
        return f"{prefix}:{digest(arguments, function)}"

    return build_key


def digest(arguments: Mapping[str, Any], function: Callable[..., Any]) -> str:
    text = json.dumps(_to_json(arguments, function), sort_keys=True, ensure_ascii=True)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def _is_self(name: str, first: str) -> bool:
    return name == first and name in ("self", "cls")


def _to_json(value: Any, function: Callable[..., Any]) -> Any:  # noqa: ANN401 - a value is anything
    """Convert a value so that equal values give the same JSON; a repr may contain an address."""
    if value is None or (
        isinstance(value, bool | int | float | str) and not isinstance(value, Enum)
    ):
        return value
    if isinstance(value, bytes):
        return {"bytes": value.hex()}
    if isinstance(value, Enum):
        return {type(value).__qualname__: value.name}
    if isinstance(value, timedelta):
        return {"timedelta": value.total_seconds()}
    if isinstance(value, _TEXT_TYPES):
        return {type(value).__name__: str(value)}
    return _container_to_json(value, function)


def _container_to_json(value: Any, function: Callable[..., Any]) -> Any:  # noqa: ANN401 - same
    if isinstance(value, Mapping):
        pairs = [
            [_to_json(key, function), _to_json(inner, function)] for key, inner in value.items()
        ]
        return {"map": sorted(pairs, key=json.dumps)}
    if isinstance(value, list | tuple):
        return [_to_json(inner, function) for inner in value]
    if isinstance(value, set | frozenset):
        return {"set": sorted((_to_json(inner, function) for inner in value), key=json.dumps)}
    if is_dataclass(value) and not isinstance(value, type):
        values = {
            field.name: _to_json(getattr(value, field.name), function) for field in fields(value)
        }
        return {type(value).__qualname__: values}
    raise UsageError(
        f"cannot cache {function.__qualname__} by its arguments",
        why=f"a {type(value).__name__} has no stable representation",
        hint="Name what identifies it: cached(prefix, key=lambda user: user.id).",
    )
