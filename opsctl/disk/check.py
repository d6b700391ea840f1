"""`opsctl disk check`: measures every mount, remembers how it stands, and tells of it."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from opsctl.disk.alerts import answered, recorded, stood, tell
from opsctl.disk.context import Parts
from opsctl.disk.engine import engine_shares
from opsctl.disk.judge import (
    INODES,
    SPACE,
    Help,
    fix_for,
    is_mounted,
    judge_mount,
    key_of,
    not_mounted,
    unmeasured,
)
from opsctl.disk.model import CheckReport, FolderSize, MountShare
from opsctl.errors import OpsctlError
from opsctl.findings import Finding, Thresholds
from opsctl.logs import logger
from opsctl.systems.host import Usage

log = logger(__name__)


def check_disks(parts: Parts, *, tells: bool = True) -> CheckReport:
    """Look at all that settings name; what hangs or is gone is a finding, not a failure."""
    notes: list[str] = []
    engine = engine_shares(parts, notes)
    mounts = tuple(parts.host.mounted())
    disk, retention = parts.settings.disk, parts.settings.retention
    helps = Help(Path(disk.engine_dir), tuple(Path(root) for root in retention.roots), engine)
    findings: list[Finding] = []
    measured: list[Usage] = []
    for mount in _watched(parts):
        found, usage = _look(parts, mount, mounts, fix=fix_for(mount, mounts, helps))
        findings += found
        measured += [usage] if usage else []
    recorded(parts, measured)
    if tells:
        tell(parts, findings)
        for usage in measured:
            answered(parts, usage)
    return CheckReport(
        findings=tuple(findings),
        mounts=tuple(_share(usage, parts) for usage in measured),
        engine=engine,
        folders=tuple(_largest(parts, notes)),
        notes=tuple(notes),
    )


def _watched(parts: Parts) -> Sequence[Path]:
    return parts.settings.disk.watched() or tuple(m.path for m in parts.host.mounts())


def _look(
    parts: Parts, mount: Path, mounted: Sequence[Path], *, fix: str
) -> tuple[Sequence[Finding], Usage | None]:
    # A named mount that is gone would be measured as the disk below it.
    named = mount in parts.settings.disk.watched()
    if named and mount not in mounted:
        return [not_mounted(mount)], None
    try:
        usage = parts.host.usage(mount)
    except OpsctlError as error:
        return [unmeasured(mount, error.what, error.why, error.hint)], None
    was = stood(parts, key_of(mount, SPACE)), stood(parts, key_of(mount, INODES))
    marks = Thresholds(*parts.settings.disk.marks(str(mount)))
    found = list(judge_mount(usage, was=was, marks=marks, fix=fix))
    return [*([is_mounted(mount)] if named else []), *found], usage


def _share(usage: Usage, parts: Parts) -> MountShare:
    devices = {mount.path: mount.device for mount in parts.host.mounts()}
    return MountShare(
        mount=usage.mount,
        device=devices.get(usage.mount, ""),
        percent=usage.percent,
        total_bytes=usage.total_bytes,
        used_bytes=usage.used_bytes,
        free_bytes=usage.free_bytes,
        inode_percent=usage.inode_percent,
        inodes=usage.inodes,
        inodes_free=usage.inodes_free,
    )


def _largest(parts: Parts, notes: list[str]) -> Iterator[FolderSize]:
    disk = parts.settings.disk
    until = parts.clock.steady() + disk.folders_limit_s
    found: list[FolderSize] = []
    for folder in disk.folders:
        left_s = until - parts.clock.steady()
        if left_s <= 0:
            notes.append(f"{folder} was not added up: disk.folders_limit_s was over")
            continue
        try:
            sizes = parts.folders.sizes(Path(folder), limit_s=left_s)
        except OpsctlError as error:
            notes.append(f"{error.what}: {error.why}")
            continue
        found += [FolderSize(size.path, size.size_bytes, size.is_whole) for size in sizes]
    found.sort(key=lambda size: -size.size_bytes)
    yield from found[: disk.folders_shown]
