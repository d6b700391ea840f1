"""Formats the schema in a stable order, so that a diff shows what changed."""

from collections.abc import Iterable

from opsctl.migrate.dialect import SchemaObject

_HEAD = "-- The schema after the last migration; written by `opsctl migrate dump`, for reading."


def format_schema(things: Iterable[SchemaObject]) -> str:
    blocks = [
        f"-- {thing.kind} {thing.name}\n{thing.definition.rstrip(';')};\n" for thing in things
    ]
    return "\n".join([f"{_HEAD}\n", *blocks])
