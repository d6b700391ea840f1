"""Which files are migrations, in which order, and what counts as a change."""

import time
from pathlib import Path

import pytest

from opsctl.errors import SettingsError
from opsctl.migrate.model import ApplyOptions, MigrationFiles, MigrationPlan, RefusedMigrationError
from opsctl.migrate.plan import compare_statuses, plan_run
from opsctl.migrate.read_files import read_migration, read_migrations
from opsctl.systems.files.local import MissingFileError
from opsctl.systems.files.read_folder import LocalFolderReader


def migration_files(directory: Path, **files: str | bytes) -> MigrationFiles:
    for name, content in files.items():
        data = content.encode() if isinstance(content, str) else content
        (directory / f"{name.removeprefix('_').replace('__', '.')}.sql").write_bytes(data)
    return read_migrations(LocalFolderReader(), directory)


def test_numbers_are_compared_regardless_of_their_width(tmp_path: Path) -> None:
    found = migration_files(tmp_path, _10_c="", _9_b="", _00000001_a="")

    assert [migration.version for migration in found.migrations] == [1, 9, 10]


def test_down_files_belong_to_their_migrations(tmp_path: Path) -> None:
    found = migration_files(tmp_path, _001_a="", _001_a__down="", _002_b="", _003_c__up="")

    assert [(m.file, m.name, m.down) for m in found.migrations] == [
        ("001_a.sql", "a", "001_a.down.sql"),
        ("002_b.sql", "b", None),
        ("003_c.up.sql", "c", None),
    ]


def test_gaps_and_ignored_files_are_reported(tmp_path: Path) -> None:
    found = migration_files(tmp_path, _001_a="", _004_d="", _006_f="", _009_x__down="", initial="")

    assert found.notes == (
        "numbers are missing between 1 and 4: 2 to 3",
        "numbers are missing between 4 and 6: 5",
        "009_x.down.sql reverts a file that does not exist",
        "initial.sql is ignored: its name is not NNN_name.sql",
    )


def test_timestamps_have_no_gaps(tmp_path: Path) -> None:
    assert migration_files(tmp_path, _20260101000000_a="", _20261120093000_b="").notes == ()


def test_a_number_too_large_for_the_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RefusedMigrationError, match="too large"):
        migration_files(tmp_path, _99999999999999999999_a="")


def test_line_endings_and_a_byte_order_mark_do_not_change_the_checksum(tmp_path: Path) -> None:
    found = migration_files(
        tmp_path, _1_a="a\nb\n", _2_b="a\r\nb\r\n", _3_c="\ufeffa\nb\n", _4_d="a\nb"
    )

    sums = [migration.checksum for migration in found.migrations]
    assert sums[0] == sums[1] == sums[2] != sums[3]


def test_a_missing_directory_names_the_setting(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as missing:
        read_migrations(LocalFolderReader(), tmp_path / "nowhere")

    assert "migrations.directory" in missing.value.why


def test_a_file_that_changes_after_it_was_hashed_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "001_a.sql"
    path.write_text("SELECT 1;")
    (migration,) = read_migrations(LocalFolderReader(), tmp_path).migrations
    assert read_migration(LocalFolderReader(), tmp_path, migration) == b"SELECT 1;"

    path.write_text("SELECT 2;")

    with pytest.raises(RefusedMigrationError, match=r"001_a\.sql: it has just changed"):
        read_migration(LocalFolderReader(), tmp_path, migration)


def test_a_file_of_any_size_is_read_whole(tmp_path: Path) -> None:
    sizes = (0, 1, (1 << 15) - 1, 1 << 15, (1 << 15) + 1, 300_000)
    for size in sizes:
        (tmp_path / f"{size}").write_bytes(b"x" * size)

    found = dict(LocalFolderReader().read(tmp_path, [f"{size}" for size in sizes]))

    assert [len(found[f"{size}"]) for size in sizes] == list(sizes)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match="gone"):
        list(LocalFolderReader().read(tmp_path, ["gone"]))


def test_five_thousand_files_are_read_hashed_and_planned_quickly(tmp_path: Path) -> None:
    for number in range(1, 5001):
        (tmp_path / f"{number}_t{number}.sql").write_text(f"CREATE TABLE t{number} (id integer);")
    took = []
    planned = MigrationPlan(())

    for _ in range(3):
        began = time.process_time()
        planned = plan_run(
            compare_statuses(read_migrations(LocalFolderReader(), tmp_path).migrations, []),
            ApplyOptions(),
        )
        took.append(time.process_time() - began)

    assert len(planned.to_apply) == 5000
    assert min(took) < 0.3
