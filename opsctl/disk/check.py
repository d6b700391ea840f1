"""`opsctl disk check`: measures every mount, records its level, and reports problems."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from opsctl.disk.alerts import (
    check_key,
    previous_level,
    record_samples,
    report_findings,
    resolve_unmeasured,
)
from opsctl.disk.context import DiskContext
from opsctl.disk.engine_usage import measure_engine
from opsctl.disk.model import DiskCheckReport, FolderSize, MountUsage
from opsctl.errors import OpsctlError
from opsctl.findings import Finding, Thresholds
from opsctl.health_rules.disk import (
    INODES,
    SPACE,
    CleanupOptions,
    check_name,
    judge_mount,
    missing_mount,
    present_mount,
    suggest_fix,
    unmeasured_mount,
)
from opsctl.logs import logger
from opsctl.systems.host import Usage

log = logger(__name__)


def check_disks(context: DiskContext, *, notifies: bool = True) -> DiskCheckReport:
    """Check all mounts of the settings; one that hangs or is gone is a finding, not an error."""
    notes: list[str] = []
    engine = measure_engine(context, notes)
    mounts = tuple(context.host.mounted())
    disk, retention = context.settings.disk, context.settings.retention
    options = CleanupOptions(
        Path(disk.engine_dir), tuple(Path(root) for root in retention.roots), engine
    )
    findings: list[Finding] = []
    measured: list[Usage] = []
    for mount in _watched_mounts(context):
        mount_findings, usage = _check_mount(
            context, mount, mounts, fix=suggest_fix(mount, mounts, options)
        )
        findings += mount_findings
        measured += [usage] if usage else []
    record_samples(context, measured)
    if notifies:
        report_findings(context, findings)
        for usage in measured:
            resolve_unmeasured(context, usage)
    return DiskCheckReport(
        findings=tuple(findings),
        mounts=tuple(_mount_usage(usage, context) for usage in measured),
        engine=engine,
        folders=tuple(_largest_folders(context, notes)),
        notes=tuple(notes),
    )


def _watched_mounts(context: DiskContext) -> Sequence[Path]:
    return context.settings.disk.named_mounts() or tuple(m.path for m in context.host.mounts())


def _check_mount(
    context: DiskContext, mount: Path, mounted: Sequence[Path], *, fix: str
) -> tuple[Sequence[Finding], Usage | None]:
    # A named mount that is gone would be measured as the disk below it.
    is_named = mount in context.settings.disk.named_mounts()
    if is_named and mount not in mounted:
        return [missing_mount(mount)], None
    try:
        usage = context.host.usage(mount)
    except OpsctlError as error:
        return [unmeasured_mount(mount, error.what, error.why, error.hint)], None
    space, inodes = (check_key(check_name(mount, what)) for what in (SPACE, INODES))
    previous = previous_level(context, space), previous_level(context, inodes)
    thresholds = Thresholds(*context.settings.disk.thresholds(str(mount)))
    judged = judge_mount(usage, previous=previous, thresholds=thresholds, fix=fix)
    return [*([present_mount(mount)] if is_named else []), *judged], usage


def _mount_usage(usage: Usage, context: DiskContext) -> MountUsage:
    devices = {mount.path: mount.device for mount in context.host.mounts()}
    return MountUsage(
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


def _largest_folders(context: DiskContext, notes: list[str]) -> Iterator[FolderSize]:
    disk = context.settings.disk
    deadline_s = context.clock.steady() + disk.folders_limit_s
    folders: list[FolderSize] = []
    for folder in disk.folders:
        left_s = deadline_s - context.clock.steady()
        if left_s <= 0:
            notes.append(f"{folder} was not measured: disk.folders_limit_s was reached")
            continue
        try:
            sizes = context.folders.sizes(Path(folder), limit_s=left_s)
        except OpsctlError as error:
            notes.append(f"{error.what}: {error.why}")
            continue
        folders += [FolderSize(size.path, size.size_bytes, size.is_whole) for size in sizes]
    folders.sort(key=lambda size: -size.size_bytes)
    yield from folders[: disk.folders_shown]
