"""Finds in a generated compose file what its services mount; pure."""

import json
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from opsctl.deploy.mounted.model import MountedSource, SourceKind

SECTIONS = {"configs": SourceKind.CONFIG, "secrets": SourceKind.SECRET}


def find_sources(text: str, services: Collection[str]) -> tuple[MountedSource, ...]:
    """List the bind mounts, configs and secrets of these services."""
    project = json.loads(text)
    return tuple(
        source
        for name, service in (project.get("services") or {}).items()
        if name in services
        for source in (*_list_binds(name, service), *_list_files(name, service, project))
    )


def _list_binds(name: str, service: Mapping[str, Any]) -> Iterator[MountedSource]:
    for volume in service.get("volumes") or ():
        if volume.get("type") == "bind" and volume.get("source"):
            path, is_read_only = read_path(volume["source"]), bool(volume.get("read_only"))
            yield MountedSource(name, path, SourceKind.BIND, is_read_only)


def _list_files(
    name: str, service: Mapping[str, Any], project: Mapping[str, Any]
) -> Iterator[MountedSource]:
    for section, kind in SECTIONS.items():
        known = project.get(section) or {}
        for used in service.get(section) or ():
            file = (known.get(used.get("source")) or {}).get("file")
            if file:
                yield MountedSource(name, read_path(file), kind, is_read_only=True)


def read_path(text: str) -> str:
    """Read a path as compose writes it: with `$$` for `$`."""
    return text.replace("$$", "$")


def write_path(path: str) -> str:
    return path.replace("$", "$$")
