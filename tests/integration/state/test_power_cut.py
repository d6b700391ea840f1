"""What was said to be written is on the disk, not on its way there."""

from contextlib import suppress

import pytest

from opsctl.state import open_store
from opsctl.state.model import Sample
from opsctl.systems.clock import SystemClock
from opsctl.systems.files.local import LocalFiles
from opsctl.systems.sqlite.database import SqliteDatabases
from tests.integration.state.conftest import CuttableDisk

CLOCK = SystemClock()
FILES = LocalFiles()


def test_a_record_survives_a_power_cut_right_after_it(
    cuttable_disk: CuttableDisk, databases: SqliteDatabases
) -> None:
    sample = Sample("disk:/", CLOCK.now(), 81.5)
    with open_store(cuttable_disk.path / "state", databases) as store:
        store.samples.record(sample)

        with (
            cuttable_disk.after_power_cut() as after,
            open_store(after / "state", databases) as left,
        ):
            found = left.samples.since("disk:/", sample.at)

    assert found == [sample]


@pytest.mark.parametrize("there_before", [True, False])
def test_a_written_file_survives_a_power_cut_right_after_it(
    cuttable_disk: CuttableDisk, *, there_before: bool
) -> None:
    if there_before:
        FILES.write_text(cuttable_disk.path / "file", "old")
    FILES.write_text(cuttable_disk.path / "file", "new")

    with cuttable_disk.after_power_cut() as after:
        found = (after / "file").read_text()

    assert found == "new"


def test_a_created_file_survives_a_power_cut_right_after_it(cuttable_disk: CuttableDisk) -> None:
    FILES.create_text(cuttable_disk.path / "file", "new")

    with cuttable_disk.after_power_cut() as after:
        found = (after / "file").read_text()

    assert found == "new"


def test_a_directory_survives_a_power_cut_right_after_it(cuttable_disk: CuttableDisk) -> None:
    FILES.make_private_dir(cuttable_disk.path / "a" / "b")

    with cuttable_disk.after_power_cut() as after:
        found = (after / "a" / "b").is_dir()

    assert found


def test_the_cut_is_real_for_what_nobody_synced(cuttable_disk: CuttableDisk) -> None:
    (cuttable_disk.path / "file").write_text("only in memory")

    with cuttable_disk.after_power_cut() as after:
        found = ""
        with suppress(FileNotFoundError):
            found = (after / "file").read_text()

    assert found == ""
