"""Compares two compose files key by key: what a changed hash does not say; secrets are masked."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from opsctl.systems.engine.compose_secrets import SECRET_NAME
from opsctl.systems.process.output import MASK, redact

LONGEST_VALUE = 60
SHOWN_KEYS = 4
ABSENT = "(none)"
# Their words may be passwords: redis-server --requirepass ...
COMMANDS = ("command", "entrypoint", "healthcheck.test")
CREDENTIALS = re.compile(r"://[^/\s@]+@")


@dataclass(frozen=True, slots=True)
class KeyChange:
    key: str
    """Where it is in the service: environment.LOG_LEVEL."""
    old: str
    new: str

    def __str__(self) -> str:
        return f"{self.key}: {self.old} -> {self.new}"


@dataclass(frozen=True, slots=True)
class ProjectChanges:
    """What a project changes in comparison with the release that runs."""

    services: Mapping[str, tuple[KeyChange, ...]] = field(default_factory=dict)
    networks: Mapping[str, tuple[KeyChange, ...]] = field(default_factory=dict)
    volumes: Mapping[str, tuple[KeyChange, ...]] = field(default_factory=dict)


def compare_projects(old: str, new: str, secrets: tuple[str, ...] = ()) -> ProjectChanges:
    """Compare two generated files; networks and volumes are keyed by the engine's names."""
    if old == new:
        return ProjectChanges()
    before, after = json.loads(old), json.loads(new)
    return ProjectChanges(
        services=_compare_sections(before, after, "services", secrets),
        networks=_compare_sections(before, after, "networks", secrets),
        volumes=_compare_sections(before, after, "volumes", secrets),
    )


def describe_keys(changes: tuple[KeyChange, ...]) -> str:
    shown = "; ".join(str(change) for change in changes[:SHOWN_KEYS])
    more = len(changes) - SHOWN_KEYS
    return f"{shown}; and {more} more" if more > 0 else shown


def _compare_sections(
    before: Mapping[str, Any], after: Mapping[str, Any], section: str, secrets: tuple[str, ...]
) -> dict[str, tuple[KeyChange, ...]]:
    old, new = before.get(section) or {}, after.get(section) or {}
    compared = {}
    for key in old.keys() & new.keys():
        name = key if section == "services" else (new[key] or {}).get("name", key)
        if changes := tuple(_compare(old[key] or {}, new[key] or {}, secrets)):
            compared[name] = changes
    return compared


def _compare(
    old: Mapping[str, Any], new: Mapping[str, Any], secrets: tuple[str, ...]
) -> Iterator[KeyChange]:
    before, after = dict(_flatten(old)), dict(_flatten(new))
    for key in sorted(before.keys() | after.keys()):
        if before.get(key) != after.get(key):
            old_value = _show(key, before.get(key), secrets)
            yield KeyChange(key, old_value, _show(key, after.get(key), secrets))


def _flatten(raw: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in raw.items():
        if isinstance(value, Mapping) and value:
            yield from _flatten(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _show(key: str, value: Any, secrets: tuple[str, ...]) -> str:  # noqa: ANN401 - a JSON value
    if value is None:
        return ABSENT
    text = value if isinstance(value, str) else json.dumps(value)
    is_command = key.startswith(COMMANDS)
    if SECRET_NAME.search(text if is_command else key.rpartition(".")[2]):
        return MASK
    text = CREDENTIALS.sub(f"://{MASK}@", redact(text, secrets)).replace("\n", " ")
    return text if len(text) <= LONGEST_VALUE else f"{text[: LONGEST_VALUE - 1]}…"
