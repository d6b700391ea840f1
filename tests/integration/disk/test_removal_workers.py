"""Several small programs sweep one tree; what each would remove is said before it goes."""

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
# Long after: in each folder all was still for long.
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
    """Name the sweepers that we have started."""
    listed = [read(path).decode() for path in Path("/proc/self/task").glob("*/children")]
    started = [int(one) for text in listed for one in text.split()]
    return [one for one in started if b"removal.worker" in read(Path(f"/proc/{one}/cmdline"))]


def read(path: Path) -> bytes:
    """Read about a thread or process, which may have ended by now."""
    try:
        return path.read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


def test_nothing_goes_before_it_was_said_and_answered(tmp_path: Path) -> None:
    for number in range(40):
        log(tmp_path / f"{number % 4}" / f"{number}.log", hours=130)
    said: set[str] = set()

    def answer(report: WorkerReport) -> frozenset[tuple[int, int]]:
        for due in report.due:
            folder = os.fsdecode(b"/".join(due.below))
            names = [entry.partition(b"/")[2].decode() for entry in due.listing.split(b"\0")]
            assert all((tmp_path / folder / name).exists() for name in names)
            said.update(names)
        there = {path.name for path in tmp_path.rglob("*.log")}
        assert there | said == {f"{number}.log" for number in range(40)}
        return frozenset()

    WORKERS.run(sweep(tmp_path), answer)

    assert len(said) == 40
    assert list(tmp_path.rglob("*.log")) == []


def test_a_dry_sweep_says_all_and_removes_nothing(tmp_path: Path) -> None:
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


def test_what_we_are_told_is_written_to_stays(tmp_path: Path) -> None:
    busy = log(tmp_path / "busy.log", hours=130)
    log(tmp_path / "idle.log", hours=130)
    found = busy.stat()

    WORKERS.run(sweep(tmp_path), lambda _: frozenset({(found.st_dev, found.st_ino)}))

    assert list(tmp_path.iterdir()) == [busy]


def test_a_sweeper_that_dies_is_said(tmp_path: Path) -> None:
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


def test_what_raises_in_between_ends_them_all(tmp_path: Path) -> None:
    old = log(tmp_path / "a.log", hours=130)

    def answer(report: WorkerReport) -> frozenset[tuple[int, int]]:
        if report.due:
            raise OpsctlError("the books are closed")
        return frozenset()

    with pytest.raises(OpsctlError, match="the books are closed"):
        WORKERS.run(sweep(tmp_path), answer)

    assert old.exists()
