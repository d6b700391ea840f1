"""The store opens everywhere it should, and nowhere it should not."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from opsctl.errors import OpsctlError, RefusedError
from opsctl.state import Store, open_store
from opsctl.state.model import Sample
from opsctl.state.store import SCHEMA
from opsctl.systems.clock import Clock
from opsctl.systems.sqlite.database import SqliteDatabases

HEAVY = [
    "pydantic",
    "rich",
    "click",
    "sqlite3",
    "psycopg",
    "redis",
    "docker",
    "httpx2",
    "psutil",
    "asyncio",
]


def version_of(path: Path, databases: SqliteDatabases) -> int:
    database = databases.open(path)
    (row,) = database.query("PRAGMA user_version")
    database.close()
    version: int = row["user_version"]
    return version


def copied_schema(directory: Path) -> Path:
    directory.mkdir()
    for script in SCHEMA.iterdir():
        (directory / script.name).write_text(script.read_text())
    return directory


def test_what_was_recorded_is_there_after_closing_and_opening(
    directory: Path, databases: SqliteDatabases, clock: Clock
) -> None:
    sample = Sample("disk:/", clock.now(), 81.5)
    with open_store(directory, databases) as store:
        store.samples.record(sample)

    with open_store(directory, databases) as store:
        found = store.samples.since("disk:/", clock.now())

    assert found == [sample]


def test_all_that_it_leaves_is_private_whatever_the_umask(
    directory: Path, databases: SqliteDatabases
) -> None:
    before = os.umask(0)
    try:
        store = open_store(directory, databases)
    finally:
        os.umask(before)

    modes = {each.name: stat.S_IMODE(each.stat().st_mode) for each in directory.iterdir()}
    store.close()

    assert modes == {"state.db": 0o600, "state.db-wal": 0o600, "state.db-shm": 0o600}
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700


def test_a_store_of_a_newer_opsctl_is_refused_and_left_as_it_is(
    directory: Path, databases: SqliteDatabases
) -> None:
    open_store(directory, databases).close()
    database = databases.open(directory / "state.db")
    database.execute("PRAGMA user_version = 99")
    database.close()

    with pytest.raises(RefusedError) as caught:
        open_store(directory, databases)

    known = len(list(SCHEMA.iterdir()))
    assert caught.value.why == (
        f"a newer opsctl wrote it (its schema is 99, this one knows {known})"
    )
    assert version_of(directory / "state.db", databases) == 99


def test_an_older_store_is_upgraded_with_its_records(
    tmp_path: Path, directory: Path, databases: SqliteDatabases, clock: Clock
) -> None:
    sample = Sample("disk:/", clock.now(), 81.5)
    with open_store(directory, databases) as store:
        store.samples.record(sample)
    schema = copied_schema(tmp_path / "schema")
    (schema / "900_more.sql").write_text("CREATE TABLE more (x);\n")

    with open_store(directory, databases, schema=schema) as store:
        found = store.samples.since("disk:/", clock.now())

    assert found == [sample]
    assert version_of(directory / "state.db", databases) == len(list(schema.iterdir()))


def test_a_schema_file_that_fails_half_way_leaves_the_store_as_it_was(
    tmp_path: Path, directory: Path, databases: SqliteDatabases
) -> None:
    open_store(directory, databases).close()
    before = version_of(directory / "state.db", databases)
    schema = copied_schema(tmp_path / "schema")
    (schema / "900_broken.sql").write_text("CREATE TABLE half (x);\nCREATE TABLE half (x);\n")

    with pytest.raises(OpsctlError, match="cannot use"):
        open_store(directory, databases, schema=schema)

    assert version_of(directory / "state.db", databases) == before
    open_store(directory, databases).close()


def test_records_made_together_are_kept_or_dropped_together(store: Store, clock: Clock) -> None:
    with pytest.raises(OpsctlError, match="stop here"), store.transaction():
        record_and_stop(store, Sample("disk:/", clock.now(), 1.0))

    assert store.samples.since("disk:/", clock.now()) == []


def record_and_stop(store: Store, sample: Sample) -> None:
    store.samples.record(sample)
    raise OpsctlError("stop here")


def test_importing_the_store_loads_nothing_heavy() -> None:
    program = "import sys, opsctl.state; print(*(n for n in sys.argv[1:] if n in sys.modules))"

    answer = subprocess.run(
        [sys.executable, "-c", program, *HEAVY],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )

    assert answer.stdout.strip() == ""
