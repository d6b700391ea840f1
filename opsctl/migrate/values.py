"""Reads `--set name=value`."""

from collections.abc import Iterable

from opsctl.errors import UsageError


def read_values(given: Iterable[str]) -> dict[str, str]:
    values = {}
    for pair in given:
        name, equals, value = pair.partition("=")
        if not equals or not (name.isidentifier() and name.isascii()):
            raise UsageError(f"--set {pair!r} is not name=value", hint="E.g. --set owner=app")
        values[name] = value
    return values
