"""On real small ext4 disks: full, out of inodes, read-only, gone, and hanging."""

import os
import subprocess
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from opsctl.disk.check import check_disks
from opsctl.findings import Finding, Level
from opsctl.systems.host import PsutilHost, Usage, measure
from tests.fakes.clock import HandClock
from tests.fakes.disk_context import FakeDiskContext
from tests.integration.disk.conftest import Ready, log

SmallDisk = Callable[[int], Path]
MIB = 1 << 20
CHUNK = 1 << 16


@pytest.fixture
def disk(small_disk: SmallDisk) -> Path:
    path = small_disk(64)
    path.chmod(0o755)
    return path


def fill_to(disk: Path, percent: float, name: str = "ballast") -> None:
    """Fill or empty one file until the disk is as full as that, to a tenth of a percent."""
    with (disk / name).open("ab", buffering=0) as file:
        while True:
            usage = measure(disk)
            whole = usage.used_bytes + usage.free_bytes
            missing = round(whole * percent / 100) - usage.used_bytes
            if abs(missing) < whole / 2000:
                return
            if missing > 0:
                os.posix_fallocate(file.fileno(), file.tell(), missing)
                file.seek(0, os.SEEK_END)
            else:
                file.truncate(file.seek(0, os.SEEK_END) + missing)
            os.fsync(file.fileno())


def fill_up(disk: Path) -> Path:
    ballast = disk / "ballast"
    with ballast.open("ab", buffering=0) as file:
        for size in (MIB, CHUNK, 4096):
            try:
                while True:
                    file.write(b"\0" * size)
            except OSError:
                continue
    return ballast


def space(ground: FakeDiskContext) -> Finding:
    (found,) = (f for f in check_disks(ground).findings if f.check.endswith("space"))
    return found


def test_raised_at_80_critical_at_90_and_cleared_below_75(ready: Ready, disk: Path) -> None:
    ground = ready(mounts=(str(disk),))
    levels = []

    for percent in (79, 80.5, 81, 78, 75.5, 74, 79, 91, 85, 74):
        fill_to(disk, percent)
        levels.append(space(ground).level)

    ok, warning, critical = Level.OK, Level.WARNING, Level.CRITICAL
    assert levels == [ok, *[warning] * 4, ok, ok, critical, warning, ok]


def test_each_problem_is_reported_once_and_its_end_after_the_interval(
    ready: Ready, disk: Path
) -> None:
    ground = ready(mounts=(str(disk),))
    assert isinstance(ground.clock, HandClock)

    for percent in (81, 82, 81, 70, 70):
        fill_to(disk, percent)
        check_disks(ground)
        ground.notifier.flush(5)
        ground.clock.wall += timedelta(minutes=20)

    sent = [
        (message.event, message.summary.partition("%")[0]) for message in ground.channel.messages
    ]
    assert [event for event, _ in sent] == ["raised", "resolved"]
    assert sent[0][1].startswith(f"disk {disk} space: 81.")


def test_inodes_run_out_first(ready: Ready, disk: Path) -> None:
    folder = disk / "many"
    folder.mkdir()
    count = 0
    while os.statvfs(disk).f_favail:
        (folder / f"{count}").touch()
        count += 1

    found = {f.check: f for f in check_disks(ready(mounts=(str(disk),))).findings}

    assert found[f"disk {disk} space"].level is Level.OK
    assert found[f"disk {disk} inodes"].level is Level.CRITICAL
    assert "du --inodes" in found[f"disk {disk} inodes"].fix


def test_a_full_disk_that_holds_the_state_is_still_reported(ready: Ready, disk: Path) -> None:
    first = ready(mounts=(str(disk),), state=disk / "state")
    check_disks(first)
    first.close()
    fill_up(disk)
    ground = ready(mounts=(str(disk),), state=disk / "state")

    level = space(ground).level
    samples = ground.store.samples.series("disk.percent:")
    ground.notifier.flush(5)
    check_disks(ground)
    ground.notifier.flush(5)

    assert level is Level.CRITICAL
    assert samples == [f"disk.percent:{disk}"]
    criticals = [m for m in ground.channel.messages if m.severity == "critical"]
    assert [m.key for m in criticals] == [f"disk:{disk}:space"]


def test_a_mount_that_disappears_is_critical_and_not_measured_as_the_disk_below(
    ready: Ready, disk: Path, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    data.mkdir()
    ground = ready(mounts=(str(data),))
    subprocess.run(["mount", "--bind", str(disk), str(data)], check=True, timeout=20)
    try:
        before = check_disks(ground).findings
    finally:
        subprocess.run(["umount", str(data)], check=True, timeout=20)

    (gone,) = check_disks(ground).findings

    assert before[0].what == "it is mounted"
    assert (gone.check, gone.level) == (f"disk {data} mounted", Level.CRITICAL)


def test_a_mount_that_hangs_does_not_block_the_check(ready: Ready, disk: Path) -> None:
    """A frozen file system answers no statfs that waits for it; the wait is bounded."""
    ground = ready(mounts=(str(disk),))
    ground.host = PsutilHost({}, deadline_s=0.2, measure=_never)

    found = space(ground)

    assert found.level is Level.UNKNOWN
    assert "within 0.2 s" in found.what


def _never(path: Path) -> Usage:
    reader, _writer = os.pipe()
    os.read(reader, 1)
    raise AssertionError(path)


def test_on_a_full_disk_the_oldest_are_deleted_until_it_is_clear(ready: Ready, disk: Path) -> None:
    root = disk / "raw"
    for hours in range(40, 120, 2):
        log(root / f"{hours}.log", hours=hours, size=MIB)
    fill_to(disk, 85)

    report = ready(root).retain()

    left = sorted(int(path.stem) for path in root.iterdir())
    assert left[0] == 40
    assert left == list(range(40, left[-1] + 2, 2))
    assert 70 < measure(disk).percent < 75
    assert {f.check: f.level for f in report.findings}[f"retention {disk}"] is Level.OK


def test_a_full_disk_of_young_logs_loses_none_and_is_reported(ready: Ready, disk: Path) -> None:
    root = disk / "raw"
    for number in range(20):
        log(root / f"{number}.log", hours=47.9, size=MIB)
    fill_up(disk)

    report = ready(root).retain()

    finding = {f.check: f for f in report.findings}[f"retention {disk}"]
    assert (report.files, len(list(root.iterdir()))) == (0, 20)
    assert finding.level is Level.CRITICAL
    assert "those younger than 48 h are always kept" in finding.what


def test_a_full_disk_that_holds_the_state_is_cleaned_and_recorded(ready: Ready, disk: Path) -> None:
    root = disk / "raw"
    log(root / "today.log", hours=0)
    for number in range(10):
        log(root / f"{number}.log", hours=130, size=MIB)
    first = ready(root, state=disk / "state")
    _ = first.store
    first.close()
    fill_up(disk)
    ground = ready(root, state=disk / "state")

    report = ground.retain()

    assert report.files == 10
    assert [path.name for path in root.iterdir()] == ["today.log"]
    (removal,) = ground.store.removals.of_run("run")
    assert (removal.gone_files, len(ground.store.removals.listing(removal.number))) == (10, 10)


def test_a_read_only_disk_is_reported_and_nothing_else_fails(ready: Ready, disk: Path) -> None:
    root = disk / "raw"
    log(root / "today.log", hours=0)
    old = log(root / "old.log", hours=130)
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True, timeout=20)

    report = ready(root).retain()

    assert old.exists()
    finding = {f.check: f for f in report.findings}["retention folders"]
    assert "the file system is read-only" in finding.what


def test_a_mount_inside_a_root_is_never_crossed(
    ready: Ready, disk: Path, small_disk: SmallDisk, tmp_path: Path
) -> None:
    root = disk / "raw"
    log(root / "today.log", hours=0)
    inner = root / "inner"
    inner.mkdir()
    other = log(small_disk(16) / "old.log", hours=130)
    bound = log(tmp_path / "same" / "old.log", hours=130)
    subprocess.run(["mount", "--bind", str(other.parent), str(inner)], check=True, timeout=20)
    try:
        report = ready(root).retain()
    finally:
        subprocess.run(["umount", str(inner)], check=True, timeout=20)

    assert other.exists()
    assert bound.exists()
    assert any("another mount" in finding.what for finding in report.findings)


def test_a_bind_mount_of_the_same_disk_is_another_mount_too(ready: Ready, disk: Path) -> None:
    root, elsewhere = disk / "raw", disk / "elsewhere"
    log(root / "today.log", hours=0)
    old = log(elsewhere / "old.log", hours=130)
    (root / "inner").mkdir()
    subprocess.run(["mount", "--bind", str(elsewhere), str(root / "inner")], check=True, timeout=20)
    try:
        ready(root).retain()
    finally:
        subprocess.run(["umount", str(root / "inner")], check=True, timeout=20)

    assert old.exists()


def test_nothing_young_is_deleted_if_the_disk_cannot_be_measured(ready: Ready, disk: Path) -> None:
    root = disk / "raw"
    young = log(root / "young.log", hours=60)
    ground = ready(root)
    ground.host = PsutilHost({}, deadline_s=0.2, measure=_refused)

    report = ground.retain()

    assert young.exists()
    assert {f.level for f in report.findings if f.check == f"disk {disk}"} == {Level.UNKNOWN}


def _refused(path: Path) -> Usage:
    raise OSError(5, f"{path}")
