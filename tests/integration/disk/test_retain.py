"""Which raw logs go, on real files, and which never do."""

import gzip
import json
import os
from datetime import timedelta
from pathlib import Path

import pytest

from opsctl.errors import RefusedError, SettingsError
from opsctl.findings import Level, worst_level
from opsctl.systems.removal.worker import LOT_FILES
from tests.fakes.clock import HandClock
from tests.integration.disk.conftest import Ready, aged, log

# More than are listed at once.
MANY = LOT_FILES * 5 // 4


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "raw"
    root.mkdir()
    # Something of today, so that the first run has a witness for the clock.
    log(root / "today.log", hours=0)
    return root


def left(root: Path) -> set[str]:
    return {str(path.relative_to(root)) for path in root.rglob("*")} - {"today.log"}


def test_only_what_is_older_than_120_hours_goes(ready: Ready, root: Path) -> None:
    for minutes in (0, 47 * 60 + 59, 48 * 60, 48 * 60 + 1, 119 * 60 + 59, 120 * 60, 120 * 60 + 1):
        log(root / f"{minutes}.log", hours=minutes / 60)

    report = ready(root).retain()

    assert left(root) == {"0.log", "2879.log", "2880.log", "2881.log", "7199.log", "7200.log"}
    assert (report.files, worst_level(report.findings)) == (1, Level.OK)


def test_a_dry_run_says_the_same_and_removes_nothing(ready: Ready, root: Path) -> None:
    for number in range(5):
        log(root / f"a/{number}.log", hours=130)
    ground = ready(root)

    planned = ground.retain(is_dry=True)
    before = left(root)
    done = ground.retain()

    assert len(before) == 6
    assert left(root) == {"a"}
    assert [(s.folder, s.files) for s in planned.steps] == [(f"{root}/a", 5)]
    assert planned.steps == done.steps


def test_files_of_the_future_and_without_a_time_stay_and_are_said(ready: Ready, root: Path) -> None:
    log(root / "future.log", hours=-24)
    os.utime(log(root / "epoch.log", hours=0), (0, 0))

    report = ready(root).retain()

    assert left(root) == {"future.log", "epoch.log"}
    said = {finding.check: finding.level for finding in report.findings}
    assert said["retention future"] is Level.WARNING
    assert said["retention undated"] is Level.WARNING


def test_links_are_never_followed(ready: Ready, root: Path, tmp_path: Path) -> None:
    outside = log(tmp_path / "outside" / "precious.log", hours=200)
    (root / "file.log").symlink_to(outside)
    (root / "folder").symlink_to(outside.parent)
    aged(root / "file.log", hours=200)

    ready(root).retain()

    assert outside.exists()
    assert left(root) == {"file.log", "folder"} | {"folder/precious.log"} & left(root)


def test_a_hard_link_loses_a_name_and_frees_nothing(
    ready: Ready, root: Path, tmp_path: Path
) -> None:
    kept = log(tmp_path / "kept", hours=200, size=100_000)
    (root / "linked.log").hardlink_to(kept)

    report = ready(root).retain()

    assert left(root) == set()
    assert kept.read_bytes() == b"x" * 100_000
    assert (report.files, report.freed_bytes) == (1, 0)


def test_names_need_not_be_text(ready: Ready, root: Path) -> None:
    names = [b"new\nline.log", b"\xff\xfe\x80.log", "\u202egnp.log".encode(), b"-rf.log", b"'.log"]
    for name in names:
        log(root / os.fsdecode(name), hours=130)
    log(root / os.fsdecode(b"\xff-folder") / "a.log", hours=130)
    ground = ready(root)

    report = ground.retain()

    assert left(root) == {os.fsdecode(b"\xff-folder")}
    assert report.files == 6
    removals = ground.store.removals.of_run("run")
    listed = {name for one in removals for name, _ in ground.store.removals.listing(one.number)}
    assert listed == {*names, b"a.log"}


def test_what_has_another_name_or_kind_stays(ready: Ready, root: Path) -> None:
    aged(log(root / "state.db", hours=0), hours=500)
    os.mkfifo(root / "pipe.log")
    aged(root / "pipe.log", hours=500)
    (root / "folder.log").mkdir()
    aged(root / "folder.log", hours=500)

    report = ready(root).retain()

    assert left(root) == {"state.db", "pipe.log", "folder.log"}
    assert report.files == 0


def test_a_file_that_is_written_to_stays(ready: Ready, root: Path) -> None:
    busy = log(root / "busy.log", hours=130)
    log(root / "idle.log", hours=130)

    with busy.open("ab"):
        aged(busy, hours=130)
        report = ready(root).retain()

    assert left(root) == {"busy.log"}
    assert any("1 files are being written to" in finding.what for finding in report.findings)


def test_a_folder_that_everybody_may_write_to_is_left_alone(ready: Ready, root: Path) -> None:
    log(root / "open" / "a.log", hours=130)
    (root / "open").chmod(0o777)
    log(root / "closed" / "a.log", hours=130)

    report = ready(root).retain()

    assert left(root) == {"open", "open/a.log", "closed"}
    assert any("every user may write to it" in finding.what for finding in report.findings)


def test_a_root_that_everybody_may_write_to_is_refused(ready: Ready, root: Path) -> None:
    old = log(root / "a.log", hours=130)
    root.chmod(0o1777)

    with pytest.raises(RefusedError, match="Refused to clean"):
        ready(root).retain()

    assert old.exists()


def test_a_root_behind_a_link_is_not_entered(ready: Ready, root: Path, tmp_path: Path) -> None:
    old = log(root / "a.log", hours=130)
    (tmp_path / "link").symlink_to(root)

    with pytest.raises(Exception, match="Cannot enter") as caught:
        ready(tmp_path / "link").retain()

    assert "symbolic link" in getattr(caught.value, "why", "")
    assert old.exists()


def test_a_root_outside_of_what_settings_allow_is_refused(ready: Ready, root: Path) -> None:
    ground = ready(root)
    allow = ground.settings.retention.replaced(allow=("/srv",))
    ground.settings = ground.settings.replaced(retention=allow)

    with pytest.raises(RefusedError, match="Refused to clean"):
        ground.retain()


def test_no_roots_is_a_wrong_setting(ready: Ready) -> None:
    with pytest.raises(SettingsError, match="nothing to clean"):
        ready().retain()


def test_the_first_run_stops_where_all_is_old(ready: Ready, tmp_path: Path) -> None:
    old = log(tmp_path / "raw" / "a.log", hours=130)
    ground = ready(old.parent)

    with pytest.raises(RefusedError) as caught:
        ground.retain()
    trusted = ground.retain(trust_clock=True)

    assert "the clock may be ahead" in caught.value.why
    assert trusted.files == 1


@pytest.mark.parametrize("jump", [timedelta(days=60), timedelta(days=-60)])
def test_a_clock_that_jumped_stops_it_and_somebody_is_told(
    ready: Ready, root: Path, jump: timedelta
) -> None:
    ground = ready(root)
    ground.retain()
    log(root / "a.log", hours=100)
    assert isinstance(ground.clock, HandClock)
    ground.clock.wall += jump

    with pytest.raises(RefusedError, match="the clock cannot be believed"):
        ground.retain()
    ground.notifier.flush(5)

    assert left(root) == {"a.log"}
    assert "the clock has jumped" in ground.channel.messages[0].summary


def test_what_went_is_written_down_with_sizes(ready: Ready, root: Path) -> None:
    log(root / "a" / "one.log", hours=130, size=5000)
    log(root / "a" / "two.log", hours=130, size=7)
    ground = ready(root)

    ground.retain()

    (removal,) = ground.store.removals.of_run("run")
    assert removal.folder == os.fsencode(root / "a")
    assert (removal.files, removal.bytes, removal.gone_files) == (2, 5007, 2)
    assert sorted(ground.store.removals.listing(removal.number)) == [
        (b"one.log", 5000),
        (b"two.log", 7),
    ]


def test_compression_keeps_content_age_and_mode(ready: Ready, root: Path) -> None:
    text = json.dumps({"tick": 1}).encode() * 1000
    plain = root / "a.log"
    plain.write_bytes(text)
    plain.chmod(0o640)
    aged(plain, hours=30)
    before = plain.stat()

    report = ready(root, compress_after_h=24).retain()

    packed = root / "a.log.gz"
    assert left(root) == {"a.log.gz"}
    assert gzip.decompress(packed.read_bytes()) == text
    assert packed.stat().st_mtime_ns == before.st_mtime_ns
    assert packed.stat().st_mode == before.st_mode
    assert (report.compressed_files, report.saved_bytes > 0) == (1, True)


def test_compression_leaves_what_is_written_to_and_what_is_taken(ready: Ready, root: Path) -> None:
    busy = log(root / "busy.log", hours=30)
    log(root / "taken.log", hours=30)
    log(root / "taken.log.gz", hours=1)

    with busy.open("ab"):
        aged(busy, hours=30)
        ready(root, compress_after_h=24).retain()

    assert left(root) == {"busy.log", "taken.log", "taken.log.gz"}


def test_what_a_killed_run_moved_goes_or_gets_a_name_again(ready: Ready, root: Path) -> None:
    log(root / ".opsctl-grave-aa", hours=130)
    log(root / ".opsctl-grave-bb", hours=50)
    log(root / ".opsctl-aside-cc", hours=1)

    ready(root).retain()

    assert left(root) == {"recovered-bb.log"}


def test_a_folder_with_more_files_than_one_step_is_emptied(ready: Ready, root: Path) -> None:
    for number in range(MANY):
        log(root / "many" / f"{number}.log", hours=130, size=0)

    report = ready(root).retain()

    assert left(root) == {"many"}
    assert report.files == MANY
