"""Mounts the stored copies of files that have changed since a release ran."""

import json
from collections.abc import Iterator
from typing import Any

from opsctl.deploy.mounted.find_sources import SECTIONS, find_sources, read_path, write_path
from opsctl.deploy.mounted.model import FileRecord, MountedFiles
from opsctl.deploy.mounted.stored_files import FileStore


def mount_copies(
    store: FileStore, text: str, *, release: str, then: MountedFiles, now: MountedFiles
) -> tuple[str, tuple[str, ...]]:
    """Replace each source that differs today; also list what differs and was not stored."""
    replaced: dict[str, str] = {}
    missing: list[str] = []
    mounted = {source.path for source in find_sources(text, then)}
    for source, records in find_changed_sources(then, now).items():
        if source not in mounted:
            # What runs mounts a copy already.
            continue
        # A folder may have files that no release has: a copy of it would lack them.
        known = {record.inside for record in (*records, *_list_of(now, source))}
        has_others = bool(store.list_names(source) - known) if "" not in known else False
        copy = None if has_others else store.place_copy(release, source, records)
        if copy is None:
            missing.append(source)
        else:
            replaced[source] = str(copy)
    return replace_sources(text, replaced), tuple(sorted(missing))


def _list_of(mounted: MountedFiles, source: str) -> Iterator[FileRecord]:
    for sources in mounted.values():
        yield from sources.get(source, ())


def find_changed_sources(
    then: MountedFiles, now: MountedFiles
) -> dict[str, tuple[FileRecord, ...]]:
    """List the sources of which a file is another one today, with their files of then; pure."""
    return {
        source: records
        for service, sources in then.items()
        for source, records in sources.items()
        if _digests(records) != _digests(now.get(service, {}).get(source, ()))
    }


def _digests(records: tuple[FileRecord, ...]) -> set[tuple[str, str]]:
    return {(record.inside, record.digest) for record in records}


def replace_sources(text: str, replaced: dict[str, str]) -> str:
    """Mount other files in a compose file; pure."""
    if not replaced:
        return text
    project = json.loads(text)
    for entry, key in _list_places(project):
        path = replaced.get(read_path(entry[key]))
        if path is not None:
            entry[key] = write_path(path)
    return json.dumps(project, indent=1, sort_keys=True)


def _list_places(project: dict[str, Any]) -> Iterator[tuple[dict[str, Any], str]]:
    for service in (project.get("services") or {}).values():
        for volume in service.get("volumes") or ():
            if volume.get("type") == "bind" and volume.get("source"):
                yield volume, "source"
    for section in SECTIONS:
        for entry in (project.get(section) or {}).values():
            if entry.get("file"):
                yield entry, "file"
