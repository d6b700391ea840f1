"""Keys from a function's arguments: the same for equal arguments in every process and version."""

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

KeyMaker = Callable[..., str]
_SPOKEN = (Decimal, UUID, PurePath, date, time)


def key_maker(function: Callable[..., Any], prefix: str) -> KeyMaker:
    """Make keys from a function's arguments, however they are passed; `self` is left out."""
    signature = inspect.signature(function)
    first = next(iter(signature.parameters), "")

    def make(*args: Any, **kwargs: Any) -> str:  # noqa: ANN401 - any function's arguments
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()
        told = {name: value for name, value in bound.arguments.items() if not _own(name, first)}
        return f"{prefix}:{digest(told, function)}"

    return make


def digest(told: Mapping[str, Any], function: Callable[..., Any]) -> str:
    text = json.dumps(_plain(told, function), sort_keys=True, ensure_ascii=True)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def _own(name: str, first: str) -> bool:
    return name == first and name in ("self", "cls")


def _plain(value: Any, function: Callable[..., Any]) -> Any:  # noqa: ANN401 - one line a kind
    """Say a value so that equal ones say the same; a repr that holds an address says nothing."""
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
    if isinstance(value, _SPOKEN):
        return {type(value).__name__: str(value)}
    return _plain_inside(value, function)


def _plain_inside(value: Any, function: Callable[..., Any]) -> Any:  # noqa: ANN401 - same
    if isinstance(value, Mapping):
        pairs = [[_plain(key, function), _plain(inner, function)] for key, inner in value.items()]
        return {"map": sorted(pairs, key=json.dumps)}
    if isinstance(value, list | tuple):
        return [_plain(inner, function) for inner in value]
    if isinstance(value, set | frozenset):
        return {"set": sorted((_plain(inner, function) for inner in value), key=json.dumps)}
    if is_dataclass(value) and not isinstance(value, type):
        told = {field.name: _plain(getattr(value, field.name), function) for field in fields(value)}
        return {type(value).__qualname__: told}
    raise UsageError(
        f"{function.__qualname__} cannot be cached by its arguments",
        why=f"a {type(value).__name__} has no stable form",
        hint="Say what counts: cached(prefix, key=lambda user: user.id).",
    )
