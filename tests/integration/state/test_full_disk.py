"""A full disk is said plainly, and takes nothing that was committed."""

import os
from datetime import datetime
from pathlib import Path

import pytest

from opsctl.state import Locks, Store, open_store
from opsctl.state.model import Actor, Sample
from opsctl.systems.clock import SystemClock
from opsctl.systems.files.local import DiskFullError, LocalFiles
from opsctl.systems.sqlite.database import SqliteDatabases

CLOCK = SystemClock()
FILES = LocalFiles()


def fill(disk: Path) -> Path:
    """Leave no byte free; give back what to remove to change that."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for size in (65536, 4096, 1):
            while _fits(file.fileno(), size):
                pass
    return ballast


def _fits(descriptor: int, size: int) -> bool:
    try:
        return os.write(descriptor, b"\0" * size) == size
    except OSError:
        return False


def record(store: Store, count: int) -> list[Sample]:
    """Record until it is enough or the disk is full; give back what was acknowledged."""
    done: list[Sample] = []
    for number in range(count):
        sample = Sample(f"{number:04}" + "x" * 2000, CLOCK.now(), float(number))
        try:
            store.samples.record(sample)
        except DiskFullError:
            break
        done.append(sample)
    return done


def overflow(store: Store, at: datetime) -> None:
    for number in range(2000):
        store.samples.record(Sample(f"{number}", at, 1.0))


def kept(store: Store, samples: list[Sample]) -> bool:
    return all(store.samples.since(each.series, each.at) == [each] for each in samples)


def test_a_disk_that_fills_up_while_writing_loses_nothing_committed(
    tiny_disk: Path, databases: SqliteDatabases
) -> None:
    ballast = tiny_disk / "ballast"
    ballast.write_bytes(b"\0" * 200_000)
    store = open_store(tiny_disk / "state", databases)

    acknowledged = record(store, 2000)
    with pytest.raises(DiskFullError) as caught:
        store.samples.record(Sample("y" * 100_000, CLOCK.now(), 1.0))
    kept_while_full = kept(store, acknowledged)
    store.close()
    ballast.unlink()

    assert 0 < len(acknowledged) < 2000
    assert caught.value.what == f"cannot use {tiny_disk / 'state' / 'state.db'}"
    assert "the disk is full" in caught.value.why
    assert "df -h" in caught.value.hint
    assert kept_while_full
    with open_store(tiny_disk / "state", databases) as again:
        assert kept(again, acknowledged)
        assert len(record(again, 3)) == 3


def test_a_transaction_that_does_not_fit_leaves_nothing_of_itself(
    tiny_disk: Path, databases: SqliteDatabases
) -> None:
    start = CLOCK.now()
    with open_store(tiny_disk / "state", databases) as store:
        ballast = fill(tiny_disk)

        with pytest.raises(DiskFullError), store.transaction():
            overflow(store, start)
        ballast.unlink()

        assert store.samples.since("0", start) == []
        assert len(record(store, 3)) == 3


def test_a_store_cannot_be_made_on_a_full_disk_but_can_afterwards(
    tiny_disk: Path, databases: SqliteDatabases
) -> None:
    ballast = fill(tiny_disk)

    with pytest.raises(DiskFullError):
        open_store(tiny_disk / "state", databases)
    ballast.unlink()

    with open_store(tiny_disk / "state", databases) as store:
        assert len(record(store, 3)) == 3


def test_an_old_store_on_a_full_disk_is_readable_and_becomes_writable_with_space(
    tiny_disk: Path, databases: SqliteDatabases
) -> None:
    with open_store(tiny_disk / "state", databases) as store:
        acknowledged = record(store, 20)
    ballast = fill(tiny_disk)

    with open_store(tiny_disk / "state", databases) as store:
        read_while_full = kept(store, acknowledged)
        with pytest.raises(DiskFullError) as caught:
            store.samples.record(Sample("more", CLOCK.now(), 1.0))
        ballast.unlink()
        store.samples.record(written_with_room := Sample("later", CLOCK.now(), 2.0))

    assert read_while_full
    assert "the disk is full" in caught.value.why
    with open_store(tiny_disk / "state", databases) as store:
        assert kept(store, [*acknowledged, written_with_room])


def test_a_file_that_does_not_fit_leaves_the_old_one_whole(tiny_disk: Path) -> None:
    FILES.write_text(tiny_disk / "file", "old")
    fill(tiny_disk)

    with pytest.raises(DiskFullError, match="cannot write"):
        FILES.write_text(tiny_disk / "file", "new" * 10_000)
    with pytest.raises(DiskFullError, match="cannot create"):
        FILES.create_text(tiny_disk / "other", "new" * 10_000)

    assert (tiny_disk / "file").read_text() == "old"
    assert sorted(each.name for each in tiny_disk.iterdir()) == ["ballast", "file"]


def test_a_lock_can_be_taken_on_a_full_disk(tiny_disk: Path) -> None:
    FILES.make_private_dir(tiny_disk / "state")
    fill(tiny_disk)
    locks = Locks(tiny_disk / "state", FILES, CLOCK, Actor("op", "box", os.getpid()))

    with locks.hold("deploy-prod", purpose="up"):
        holder = locks.holder("deploy-prod")

    assert holder is not None
    assert locks.holder("deploy-prod") is None
