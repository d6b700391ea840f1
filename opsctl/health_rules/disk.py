"""Judges disks: turns measured usage into findings by thresholds."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from opsctl.findings import Figure, Finding, Level, Thresholds
from opsctl.systems.host import Usage
from opsctl.units import format_bytes

SPACE, INODES = "space", "inodes"
# Below that, `opsctl prune` is not suggested.
MIN_PRUNABLE_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class EngineUsage:
    """The disk space that one kind of engine object uses, and how much `opsctl prune` frees."""

    kind: str
    size_bytes: int
    prunable_bytes: int


@dataclass(frozen=True, slots=True)
class CleanupOptions:
    """What can free space: where the engine's data is, and the roots of raw logs."""

    engine_dir: Path
    roots: tuple[Path, ...] = ()
    engine: Sequence[EngineUsage] = ()


def check_name(mount: Path, what: str) -> str:
    return f"disk {mount} {what}"


def judge_mount(
    usage: Usage,
    *,
    thresholds: Thresholds,
    fix: str,
    previous: tuple[Level, Level] = (Level.OK, Level.OK),
) -> Iterator[Finding]:
    """Judge space and inodes; `previous` has the last level of each."""
    space = thresholds.level_of(usage.percent, was=previous[0])
    yield Finding(
        check_name(usage.mount, SPACE),
        space,
        _describe_space(usage, space, thresholds),
        fix=fix if space is not Level.OK else "",
        figures=(
            _percent_figure("used", usage.percent, thresholds),
            Figure("free", float(usage.free_bytes), "B"),
        ),
    )
    if usage.inodes:
        yield _judge_inodes(usage, thresholds, previous[1])


def _judge_inodes(usage: Usage, thresholds: Thresholds, previous: Level) -> Finding:
    level = thresholds.level_of(usage.inode_percent, was=previous)
    return Finding(
        check_name(usage.mount, INODES),
        level,
        f"{usage.inode_percent:.0f} % of {usage.inodes:,} inodes used"
        + _clear_note(usage.inode_percent, level, thresholds),
        fix=_suggest_inode_fix(usage.mount) if level is not Level.OK else "",
        figures=(_percent_figure("inodes", usage.inode_percent, thresholds),),
    )


def _describe_space(usage: Usage, level: Level, thresholds: Thresholds) -> str:
    used, total = format_bytes(usage.used_bytes), format_bytes(usage.total_bytes)
    free = format_bytes(usage.free_bytes)
    text = f"{usage.percent:.1f} % used: {used} of {total}, {free} free"
    return text + _clear_note(usage.percent, level, thresholds)


def _clear_note(percent: float, level: Level, thresholds: Thresholds) -> str:
    """Explain why it is still a problem below the threshold that raised it."""
    if level is Level.WARNING and percent < thresholds.warn_at:
        return f"; it clears below {thresholds.clear_below:g} %"
    return ""


def _percent_figure(name: str, value: float, thresholds: Thresholds) -> Figure:
    return Figure(name, value, "%", thresholds.warn_at, thresholds.critical_at)


def suggest_fix(mount: Path, mounted: Sequence[Path], options: CleanupOptions) -> str:
    """List the commands that help on this mount."""
    commands = []
    prunable = sum(usage.prunable_bytes for usage in options.engine)
    if mount_of(options.engine_dir, mounted) == mount and prunable >= MIN_PRUNABLE_BYTES:
        commands.append(f"`opsctl prune` frees up to {format_bytes(prunable)}")
    if any(mount_of(root, mounted) == mount for root in options.roots):
        commands.append("`opsctl disk retain -n` shows which raw logs can be deleted")
    commands.append(f"`du -xh -d2 {mount} | sort -h | tail` shows what is large")
    return "; ".join(commands) + "."


def _suggest_inode_fix(mount: Path) -> str:
    return f"Many small files: `du --inodes -x -d3 {mount} | sort -n | tail` shows where."


def mount_of(path: Path, mounted: Sequence[Path]) -> Path | None:
    """Return the mount that a path is on."""
    parents = [mount for mount in mounted if path.is_relative_to(mount)]
    return max(parents, key=lambda mount: len(mount.parts), default=None)


def missing_mount(mount: Path) -> Finding:
    return Finding(
        f"disk {mount} mounted",
        Level.CRITICAL,
        "nothing is mounted there: what is written to it fills the disk below",
        fix=f"`mount {mount}`; `dmesg | tail` and `lsblk` show why it is gone.",
    )


def present_mount(mount: Path) -> Finding:
    return Finding(f"disk {mount} mounted", Level.OK, "it is mounted")


def unmeasured_mount(mount: Path, what: str, why: str, hint: str) -> Finding:
    return Finding(
        check_name(mount, SPACE), Level.UNKNOWN, f"{what}: {why}" if why else what, fix=hint
    )
