"""The label that makes compose replace a container when a file that it mounts has changed; pure."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from opsctl.deploy.mounted.model import FileRecord, MountedFiles

FILES_LABEL = "opsctl.mounted-files"
DIGITS = 16


def make_label(sources: Mapping[str, tuple[FileRecord, ...]], *, project: Path, key: bytes) -> str:
    """Digest the files of one service: `<files>` or `<files>.<key>.<files with a keyed digest>`."""
    records = [record for records in sources.values() for record in records]
    label = _digest(project, (record for record in records if not record.is_private))
    private = [record for record in records if record.is_private]
    if private:
        name = hashlib.sha256(b"name of " + key).hexdigest()[:8]
        label += f".{name}.{_digest(project, private)}"
    return label


def _digest(project: Path, records: Iterable[FileRecord]) -> str:
    lines = sorted({(_shorten(record.path, project), record.digest) for record in records})
    return hashlib.sha256(json.dumps(lines).encode()).hexdigest()[:DIGITS]


def _shorten(path: str, project: Path) -> str:
    """Name a file from the project on: another checkout of it has the same label."""
    return str(Path(path).relative_to(project)) if Path(path).is_relative_to(project) else path


def choose_label(label: str, *, container: str | None, recorded: str) -> str:
    """Choose what to write: only a change of the files may change the label of a container.

    `container` is the label of what runs: None when nothing does, empty when it has none.
    """
    if container is None or not label:
        return label
    if not container:
        # An older opsctl started it: without a record of its files, they count as unchanged.
        return "" if recorded in {"", label} else label
    return container if _differ_only_by_key(label, container) else label


def _differ_only_by_key(label: str, container: str) -> bool:
    """Two state directories have two keys, whose digests cannot be compared."""
    ours, theirs = label.split("."), container.split(".")
    is_comparable = len(ours) != len(theirs) or len(ours) == 1 or ours[1] == theirs[1]
    return not is_comparable and ours[0] == theirs[0]


def with_labels(text: str, labels: Mapping[str, str]) -> str:
    """Add the label to each service that has one."""
    project = json.loads(text)
    for name, label in labels.items():
        if label:
            service = project["services"][name]
            service["labels"] = {**(service.get("labels") or {}), FILES_LABEL: label}
    return json.dumps(project, indent=1, sort_keys=True)


def find_changed_files(
    new: MountedFiles, old: MountedFiles, *, project: Path
) -> dict[str, tuple[str, ...]]:
    """List per service the files that differ from those of an earlier release."""
    changed = {}
    for service, sources in new.items():
        if service in old:
            differing = _digests(sources) ^ _digests(old[service])
            names = {_shorten(path, project) for path, _ in differing}
            changed[service] = tuple(sorted(names))
    return {service: names for service, names in changed.items() if names}


def _digests(sources: Mapping[str, tuple[FileRecord, ...]]) -> set[tuple[str, str]]:
    return {(record.path, record.digest) for records in sources.values() for record in records}
