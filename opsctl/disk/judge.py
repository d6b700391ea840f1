"""Turns what was measured into findings; knows the marks, asks nobody."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from opsctl.disk.model import Share
from opsctl.findings import Figure, Finding, Level, Thresholds
from opsctl.systems.host import Usage
from opsctl.units import format_bytes

SPACE, INODES = "space", "inodes"
# Below that, `opsctl prune` is not worth a word.
WORTH_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class Help:
    """What may be typed against a full mount."""

    engine_dir: Path
    roots: tuple[Path, ...]
    engine: Sequence[Share] = ()


def key_of(mount: Path, what: str) -> str:
    return f"disk {mount} {what}".replace(" ", ":")


def judge_mount(
    usage: Usage, *, was: tuple[Level, Level], marks: Thresholds, fix: str
) -> Iterator[Finding]:
    """Judge space and inodes; `was` is how each stood before."""
    space, inodes = (
        marks.level_of(usage.percent, was=was[0]),
        marks.level_of(usage.inode_percent, was=was[1]),
    )
    yield Finding(
        f"disk {usage.mount} {SPACE}",
        space,
        _space_said(usage, space, marks),
        fix=fix if space is not Level.OK else "",
        figures=(
            _percent("used", usage.percent, marks),
            Figure("free", float(usage.free_bytes), "B"),
        ),
    )
    if usage.inodes:
        yield Finding(
            f"disk {usage.mount} {INODES}",
            inodes,
            f"{usage.inode_percent:.0f} % of {usage.inodes:,} inodes used"
            + _standing(usage.inode_percent, inodes, marks),
            fix=_inode_fix(usage.mount) if inodes is not Level.OK else "",
            figures=(_percent("inodes", usage.inode_percent, marks),),
        )


def _space_said(usage: Usage, level: Level, marks: Thresholds) -> str:
    used, total = format_bytes(usage.used_bytes), format_bytes(usage.total_bytes)
    said = f"{usage.percent:.1f} % used: {used} of {total}, {format_bytes(usage.free_bytes)} free"
    return said + _standing(usage.percent, level, marks)


def _standing(percent: float, level: Level, marks: Thresholds) -> str:
    """Say why it is still trouble below the mark that raised it."""
    if level is Level.WARNING and percent < marks.warn_at:
        return f"; it clears below {marks.clear_below:g} %"
    return ""


def _percent(name: str, value: float, marks: Thresholds) -> Figure:
    return Figure(name, value, "%", marks.warn_at, marks.critical_at)


def fix_for(mount: Path, mounted: Sequence[Path], helps: Help) -> str:
    """Name the commands that help on this very mount."""
    words = []
    prunable = sum(share.prunable_bytes for share in helps.engine)
    if holder(helps.engine_dir, mounted) == mount and prunable >= WORTH_BYTES:
        words.append(f"`opsctl prune` gives back up to {format_bytes(prunable)}")
    if any(holder(root, mounted) == mount for root in helps.roots):
        words.append("`opsctl disk retain -n` shows which raw logs may go")
    words.append(f"`du -xh -d2 {mount} | sort -h | tail` shows what is large")
    return "; ".join(words) + "."


def _inode_fix(mount: Path) -> str:
    return f"Many small files: `du --inodes -x -d3 {mount} | sort -n | tail` shows where."


def holder(path: Path, mounted: Sequence[Path]) -> Path | None:
    """Say which mount a path lies on."""
    inside = [mount for mount in mounted if path.is_relative_to(mount)]
    return max(inside, key=lambda mount: len(mount.parts), default=None)


def not_mounted(mount: Path) -> Finding:
    return Finding(
        f"disk {mount} mounted",
        Level.CRITICAL,
        "nothing is mounted there: what is written to it lands on the disk below",
        fix=f"`mount {mount}`; `dmesg | tail` and `lsblk` say why it went.",
    )


def is_mounted(mount: Path) -> Finding:
    return Finding(f"disk {mount} mounted", Level.OK, "it is mounted")


def unmeasured(mount: Path, what: str, why: str, hint: str) -> Finding:
    return Finding(
        f"disk {mount} {SPACE}", Level.UNKNOWN, f"{what}: {why}" if why else what, fix=hint
    )
