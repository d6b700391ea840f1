"""A sentinel survives, however names change while raw logs are deleted: 1,000 tries each."""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from opsctl.errors import OpsctlError
from opsctl.systems.removal.batch import FileBatch, OpenFolder
from opsctl.systems.removal.remove_batch import BatchRemover
from opsctl.systems.removal.safe_remove import FileOutcome
from opsctl.systems.removal.tree import FoundFile, LocalTreeFolder, LocalTrees
from tests.fakes.clock import HandClock
from tests.integration.disk.conftest import aged, log

TRIES = 1000
TEXT = b"precious"
# Every folder changed before then.
FAR_NS = 1 << 62
REMOVER = BatchRemover(is_careful=False, require_parent=lambda: None)
TREES = LocalTrees(HandClock(datetime(2026, 1, 1, tzinfo=UTC)))


@contextmanager
def repeated_meanwhile(step: Callable[[], None]) -> Iterator[None]:
    """Repeat it in another thread while the block runs."""
    stop = threading.Event()

    def run() -> None:
        while not stop.is_set():
            step()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def seen(folder: LocalTreeFolder, name: str) -> FoundFile | None:
    return folder.find(os.fsencode(name))


def test_a_young_file_that_takes_the_name_of_an_old_one_is_never_deleted(tmp_path: Path) -> None:
    """As rotation does: app.log becomes app.log.1 while app.log.1 is about to go."""
    young, name = tmp_path / "app.log", "app.log.1"
    young.write_bytes(TEXT)
    inode = young.stat().st_ino

    def swap() -> None:
        for one, other in ((young, tmp_path / name), (tmp_path / name, young)):
            try:
                if one.stat().st_ino == inode:
                    one.rename(other)
            except FileNotFoundError:
                pass

    outcomes: list[FileOutcome] = []
    with repeated_meanwhile(swap):
        for _ in range(TRIES):
            log(tmp_path / "fresh", hours=130)
            descriptor = os.open(tmp_path, os.O_RDONLY)
            folder = LocalTreeFolder(descriptor)
            found = seen(folder, "fresh")
            assert found is not None
            # What was seen under this name is the old one; who has it now is open.
            (tmp_path / "fresh").unlink()
            outcomes.append(folder.remove(found._replace(name=name.encode()), carefully=False))
            folder.close()
            os.close(descriptor)

    survivors = [path for path in tmp_path.iterdir() if path.stat().st_ino == inode]
    assert len(survivors) == 1
    assert survivors[0].read_bytes() == TEXT
    assert set(outcomes) == {FileOutcome.REPLACED}


def test_a_file_that_takes_a_listed_name_is_never_deleted(tmp_path: Path) -> None:
    young = tmp_path / "young"
    young.write_bytes(TEXT)
    inode = young.stat().st_ino

    def swap() -> None:
        for one, other in ((young, tmp_path / "a.log"), (tmp_path / "a.log", young)):
            try:
                if one.stat().st_ino == inode:
                    one.rename(other)
            except FileNotFoundError:
                pass

    left: list[list[int]] = []
    with repeated_meanwhile(swap):
        for _ in range(TRIES):
            lot = listed(log(tmp_path / "old", hours=130), "a.log")
            (tmp_path / "old").unlink()
            left.append(REMOVER.remove(lot, frozenset(), quiet_ns=0).left)
            lot.folder.release()

    assert [path.read_bytes() for path in tmp_path.iterdir()] == [TEXT]
    assert left == [[0]] * TRIES


def listed(old: Path, name: str) -> FileBatch:
    """Say that this old file was listed, under a name that is another's by now."""
    lot = FileBatch(OpenFolder(os.open(old.parent, os.O_RDONLY), ()))
    lot.add(name, old.stat())
    return lot


@pytest.mark.parametrize("quiet_ns", [0, FAR_NS])
def test_a_file_that_changed_since_it_was_listed_is_kept(tmp_path: Path, quiet_ns: int) -> None:
    kept = [log(tmp_path / f"{number}.log", hours=130) for number in range(4)]
    lots = [listed(path, path.name) for path in kept]
    with kept[0].open("ab") as file:
        file.write(b"more")
    aged(kept[0], hours=130)
    aged(kept[1], hours=1)
    log(tmp_path / "other", hours=130).rename(kept[2])
    kept[3].unlink()
    kept[3].symlink_to(kept[0])

    outcomes = [REMOVER.remove(lot, frozenset(), quiet_ns=quiet_ns) for lot in lots]
    for lot in lots:
        lot.folder.release()

    assert [outcome.left for outcome in outcomes] == [[0]] * 4
    assert sorted(tmp_path.iterdir()) == kept


def test_a_folder_that_becomes_a_link_never_leads_to_a_sentinel(tmp_path: Path) -> None:
    root, real, away = tmp_path / "raw", tmp_path / "raw" / "a", tmp_path / "raw" / "b"
    sentinel = log(tmp_path / "precious" / "old.log", hours=500)
    log(real / "old.log", hours=500)

    def swap() -> None:
        real.rename(away)
        real.symlink_to(sentinel.parent)
        real.unlink()
        away.rename(real)
        for _ in range(20):
            real.stat()

    removed = tries = 0
    with repeated_meanwhile(swap):
        # On a busy machine it may take more tries to open the folder even once.
        while tries < TRIES or (not removed and tries < 100 * TRIES):
            tries += 1
            try:
                with TREES.open(root, (b"a",)) as folder:
                    for batch in folder.batches():
                        for file in batch:
                            removed += folder.remove(file, carefully=False) is FileOutcome.REMOVED
                    log_again(folder)
            except OpsctlError:
                continue

    assert sentinel.read_bytes() == b"x" * 10
    assert removed > 0


def log_again(folder: object) -> None:
    """Put an old file back by descriptor, wherever the folder is called now."""
    assert isinstance(folder, LocalTreeFolder)
    flags = os.O_CREAT | os.O_WRONLY
    descriptor = os.open("old.log", flags, 0o644, dir_fd=folder._descriptor)
    os.close(descriptor)
    os.utime("old.log", (1_700_000_000, 1_700_000_000), dir_fd=folder._descriptor)


def test_a_file_that_becomes_a_link_loses_the_link_at_most(tmp_path: Path) -> None:
    root = tmp_path / "raw"
    sentinel = log(tmp_path / "precious.log", hours=500)
    name = root / "old.log"
    log(name, hours=500)

    def swap() -> None:
        aside = root / "aside"
        aside.symlink_to(sentinel)
        aside.rename(name)
        log(aside, hours=500)
        aside.rename(name)

    with repeated_meanwhile(swap):
        for _ in range(TRIES):
            with TREES.open(root, ()) as folder:
                found = folder.find(b"old.log")
                if found is not None:
                    folder.remove(found, carefully=True)

    assert sentinel.read_bytes() == b"x" * 10


def test_a_restored_file_never_replaces_a_newer_one(tmp_path: Path) -> None:
    old = log(tmp_path / "a.log", hours=130)
    with TREES.open(tmp_path, ()) as folder:
        ((found,),) = tuple(folder.batches())
        aged(old, hours=1)

        outcome = folder.remove(found, carefully=False)

    assert outcome is FileOutcome.REPLACED
    assert old.read_bytes() == b"x" * 10
    assert [path.name for path in tmp_path.iterdir()] == ["a.log"]
