"""Variables that a compose file uses and that nobody set: compose makes empty strings of them."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

# What compose and the library behind it print; the quotes are escaped in a log line.
_WARNING = re.compile(r'The \\?"(?P<name>[^"\\]+)\\?" variable is not set')


@dataclass(frozen=True, slots=True)
class UnsetVariable:
    name: str
    services: tuple[str, ...] = ()
    """Services whose section uses it; empty where that is not known, as for an `env_file`."""


def find_unset_names(stderr: str) -> tuple[str, ...]:
    """Read the names from the warnings of `compose config`."""
    return tuple(dict.fromkeys(match["name"] for match in _WARNING.finditer(stderr)))


def find_unset_variables(names: tuple[str, ...], text: str) -> tuple[UnsetVariable, ...]:
    """Find the services that use these names, in a project rendered without interpolation."""
    sections = dict(_read_services(text))
    return tuple(UnsetVariable(name, tuple(_find_users(name, sections))) for name in names)


def _read_services(text: str) -> Iterator[tuple[str, str]]:
    try:
        raw: dict[str, Any] = json.loads(text).get("services") or {}
    except (ValueError, AttributeError):
        # Older and newer versions of compose render this form differently, or not at all.
        return
    for name, service in raw.items():
        yield name, json.dumps(service)


def _find_users(name: str, sections: dict[str, str]) -> Iterator[str]:
    pattern = re.compile(rf"\$(\{{{re.escape(name)}\b|{re.escape(name)}\b)")
    return (service for service, text in sorted(sections.items()) if pattern.search(text))
