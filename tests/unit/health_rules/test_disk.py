"""When a disk is too full, and what is suggested against it."""

from pathlib import Path

import pytest

from opsctl.findings import Level, Thresholds, worst_level
from opsctl.health_rules.disk import (
    CleanupOptions,
    EngineUsage,
    judge_mount,
    mount_of,
    suggest_fix,
)
from opsctl.systems.host import Usage

THRESHOLDS = Thresholds(80, 90, 75)
ROOT, DATA = Path("/"), Path("/data")
GIB = 1 << 30


def usage(percent: float, *, inode_percent: float = 1, inodes: int = 1000) -> Usage:
    return Usage(
        mount=DATA,
        total_bytes=100 * GIB,
        used_bytes=round(percent * GIB),
        free_bytes=round((100 - percent) * GIB),
        percent=percent,
        inodes=inodes,
        inodes_free=inodes - round(inodes * inode_percent / 100),
    )


@pytest.mark.parametrize(
    ("percent", "level"),
    [
        (79.9, Level.OK),
        (80.0, Level.WARNING),
        (89.9, Level.WARNING),
        (90.0, Level.CRITICAL),
        (100.0, Level.CRITICAL),
    ],
)
def test_a_disk_on_the_limit_counts_as_over_it(percent: float, level: Level) -> None:
    space, inodes = judge_mount(usage(percent), thresholds=THRESHOLDS, fix="")

    assert (space.level, inodes.level) == (level, Level.OK)


def test_a_disk_may_run_out_of_inodes_first() -> None:
    findings = tuple(judge_mount(usage(1, inode_percent=95), thresholds=THRESHOLDS, fix=""))

    assert worst_level(findings) is Level.CRITICAL
    assert "du --inodes" in findings[1].fix


def test_a_file_system_without_inodes_has_no_finding_about_them() -> None:
    (space,) = judge_mount(usage(1, inodes=0), thresholds=THRESHOLDS, fix="")

    assert space.check == "disk /data space"


def test_a_warning_stays_until_the_disk_is_below_the_clear_threshold() -> None:
    previous = (Level.WARNING, Level.OK)

    above, below = (
        next(judge_mount(usage(percent), thresholds=THRESHOLDS, fix="", previous=previous))
        for percent in (76, 74)
    )

    assert (above.level, below.level) == (Level.WARNING, Level.OK)
    assert "it clears below 75 %" in above.what


def test_a_fix_is_suggested_only_where_it_helps() -> None:
    engine = (EngineUsage("images", 2 * GIB, GIB), EngineUsage("volumes", GIB, 0))
    options = CleanupOptions(Path("/var/lib/docker"), (DATA / "raw",), engine)

    on_root = suggest_fix(ROOT, (ROOT, DATA), options)
    on_data = suggest_fix(DATA, (ROOT, DATA), options)

    assert "`opsctl prune` frees up to 1.0 GiB" in on_root
    assert "retain" not in on_root
    assert "`opsctl disk retain -n`" in on_data
    assert "prune" not in on_data


def test_a_path_is_on_the_innermost_mount() -> None:
    assert mount_of(DATA / "raw", (ROOT, DATA)) == DATA
    assert mount_of(Path("/database"), (ROOT, DATA)) == ROOT
    assert mount_of(ROOT, (DATA,)) is None
