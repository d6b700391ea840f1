"""Several workers clean one tree; each reports what it would delete before it does."""

import os
import signal
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from opsctl.disk.retention.plan import UNDATED_BEFORE_NS
from opsctl.errors import OpsctlError
from opsctl.systems.removal.workers import LocalRemovalWorkers, RemovalOrder, WorkerReport
from tests.fakes.clock import HandClock
from tests.fakes.disk_context import REAL_NOW
from tests.integration.disk.conftest import aged, log

HOUR_NS = 3600 * 10**9
NOW_NS = int(REAL_NOW.timestamp() * 10**9)
# Long after: no folder has changed recently.
WORKERS = LocalRemovalWorkers(HandClock(datetime(2100, 1, 1, tzinfo=UTC)), count=2)


def sweep(root: Path, *, is_careful: bool = False, is_dry: bool = False) -> RemovalOrder:
    return RemovalOrder(
        root=root,
        endings=(b".log",),
        pattern=rb"(?!)",
        dated_ns=UNDATED_BEFORE_NS,
        before_ns=NOW_NS - 120 * HOUR_NS,
        future_ns=NOW_NS + HOUR_NS,
        is_careful=is_careful,
        is_dry=is_dry,
    )


def collect(reports: list[WorkerReport]) -> Callable[[WorkerReport], frozenset[tuple[int, int]]]:
    def answer(report: WorkerReport) -> frozenset[tuple[int, int]]:
        reports.append(report)
        return frozenset()

    return answer


def children() -> list[int]:
    """List the workers that we have started."""
    listed = [read(path).decode() for path in Path("/proc/self/task").glob("*/children")]
    started = [int(pid) for text in listed for pid in text.split()]
    return [pid for pid in started if b"removal.worker" in read(Path(f"/proc/{pid}/cmdline"))]


def read(path: Path) -> bytes:
    """Read about a thread or process, which may have ended by now."""
    try:
        return path.read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


def test_nothing_is_deleted_before_it_was_reported_and_answered(tmp_path: Path) -> None:
    for number in range(40):
        log(tmp_path / f"{number % 4}" / f"{number}.log", hours=130)
    reported: set[str] = set()

    def answer(report: WorkerReport) -> frozenset[tuple[int, int]]:
        for due in report.due:
            folder = os.fsdecode(b"/".join(due.below))
            names = [entry.partition(b"/")[2].decode() for entry in due.listing.split(b"\0")]
            assert all((tmp_path / folder / name).exists() for name in names)
            reported.update(names)
        there = {path.name for path in tmp_path.rglob("*.log")}
        assert there | reported == {f"{number}.log" for number in range(40)}
        return frozenset()

    WORKERS.run(sweep(tmp_path), answer)

    assert len(reported) == 40
    assert list(tmp_path.rglob("*.log")) == []


def test_a_dry_sweep_reports_all_and_deletes_nothing(tmp_path: Path) -> None:
    old = [log(tmp_path / "a" / f"{number}.log", hours=130, size=7) for number in range(3)]
    reports: list[WorkerReport] = []

    WORKERS.run(sweep(tmp_path, is_dry=True), collect(reports))

    assert [(due.below, due.files, due.size) for one in reports for due in one.due] == [
        ((b"a",), 3, 21)
    ]
    assert all(path.exists() for path in old)


def test_a_careful_sweep_asks_the_kernel_who_writes(tmp_path: Path) -> None:
    busy = log(tmp_path / "busy.log", hours=130)
    log(tmp_path / "idle.log", hours=130)
    reports: list[WorkerReport] = []

    with busy.open("ab"):
        aged(busy, hours=130)
        WORKERS.run(sweep(tmp_path, is_careful=True), collect(reports))

    assert list(tmp_path.iterdir()) == [busy]
    assert [one.written for report in reports for one in report.removed] == [1]


def test_files_named_as_open_are_kept(tmp_path: Path) -> None:
    busy = log(tmp_path / "busy.log", hours=130)
    log(tmp_path / "idle.log", hours=130)
    found = busy.stat()

    WORKERS.run(sweep(tmp_path), lambda _: frozenset({(found.st_dev, found.st_ino)}))

    assert list(tmp_path.iterdir()) == [busy]


def test_a_worker_that_dies_is_reported(tmp_path: Path) -> None:
    old = log(tmp_path / "a.log", hours=130)

    def answer(report: WorkerReport) -> frozenset[tuple[int, int]]:
        for one in children() if report.due else ():
            os.kill(one, signal.SIGKILL)
            os.waitid(os.P_PID, one, os.WEXITED | os.WNOWAIT)
        return frozenset()

    with pytest.raises(OpsctlError, match=r"cannot finish cleaning") as caught:
        WORKERS.run(sweep(tmp_path), answer)

    assert "ended by itself" in caught.value.why
    assert old.exists()


def test_an_error_in_between_ends_all_workers(tmp_path: Path) -> None:
    old = log(tmp_path / "a.log", hours=130)

    def answer(report: WorkerReport) -> frozenset[tuple[int, int]]:
        if report.due:
            raise OpsctlError("the log is closed")
        return frozenset()

    with pytest.raises(OpsctlError, match="the log is closed"):
        WORKERS.run(sweep(tmp_path), answer)

    assert old.exists()
