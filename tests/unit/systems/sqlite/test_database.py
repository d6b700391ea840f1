"""SQLite commits to the disk, keeps its files private, and answers in our words."""

import os
import sqlite3
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from opsctl.errors import BusyError, OpsctlError, RefusedError
from opsctl.systems.clock import SystemClock
from opsctl.systems.files.local import LocalFiles
from opsctl.systems.sqlite.database import (
    BY_CODE,
    Database,
    SqliteDatabase,
    SqliteDatabases,
    translate,
)


def opened(path: Path, *, busy_timeout_s: float = 5.0) -> Database:
    return SqliteDatabases(LocalFiles(), SystemClock(), busy_timeout_s=busy_timeout_s).open(path)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "private" / "a.db"


@pytest.fixture
def database(path: Path) -> Iterator[Database]:
    database = opened(path)
    database.run_script("CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT;")
    yield database
    database.close()


def texts(database: Database) -> list[str]:
    return [row["text"] for row in database.query("SELECT text FROM notes ORDER BY id")]


def add(database: Database, text: str) -> None:
    database.execute("INSERT INTO notes (text) VALUES (?)", (text,))


def add_and_stop(database: Database, text: str) -> None:
    add(database, text)
    raise OpsctlError("stop here")


def run_and_stop(database: Database, script: str) -> None:
    database.run_script(script)
    raise OpsctlError("stop here")


def test_a_commit_waits_for_the_disk_and_readers_do_not_wait_for_it(database: Database) -> None:
    (journal,) = database.query("PRAGMA journal_mode")
    (synchronous,) = database.query("PRAGMA synchronous")
    (keys,) = database.query("PRAGMA foreign_keys")

    assert journal["journal_mode"] == "wal"
    assert synchronous["synchronous"] == 2
    assert keys["foreign_keys"] == 1


def test_every_file_is_private_whatever_the_umask(path: Path) -> None:
    before = os.umask(0)
    try:
        database = opened(path)
        database.run_script("CREATE TABLE t (x);")
    finally:
        os.umask(before)

    modes = {each.name: stat.S_IMODE(each.stat().st_mode) for each in path.parent.iterdir()}
    database.close()

    assert modes == {"a.db": 0o600, "a.db-wal": 0o600, "a.db-shm": 0o600}
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_file_that_others_could_read_is_made_private(path: Path) -> None:
    opened(path).close()
    path.chmod(0o644)

    opened(path).close()

    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_transaction_that_fails_leaves_nothing_and_the_next_one_works(
    database: Database,
) -> None:
    with pytest.raises(OpsctlError, match="stop here"), database.transaction():
        add_and_stop(database, "lost")
    with database.transaction():
        add(database, "kept")

    assert texts(database) == ["kept"]


def test_a_transaction_does_not_nest_and_the_outer_one_goes_on(database: Database) -> None:
    with database.transaction():
        add(database, "outer")
        with pytest.raises(OpsctlError, match="cannot use"), database.transaction():
            pass

    assert texts(database) == ["outer"]


def test_a_second_writer_gets_a_busy_error(path: Path, database: Database) -> None:
    other = opened(path, busy_timeout_s=0.01)

    with database.transaction(), pytest.raises(BusyError) as caught:
        add(other, "too soon")
    other.close()

    assert "another process kept it locked for too long" in caught.value.why


def test_a_reader_sees_the_last_commit_while_another_writes(path: Path, database: Database) -> None:
    other = opened(path)
    add(database, "committed")

    with database.transaction():
        add(database, "not yet")
        seen = texts(other)
    other.close()

    assert seen == ["committed"]


def test_threads_share_one_and_stay_out_of_each_others_transactions(database: Database) -> None:
    def add_pair(number: int) -> None:
        with database.transaction():
            add(database, f"{number}")
            add(database, f"{number}")

    threads = [threading.Thread(target=add_pair, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    found = texts(database)
    assert len(found) == 16
    assert found[::2] == found[1::2]


def test_a_name_that_is_not_utf8_is_kept_readable(database: Database) -> None:
    add(database, os.fsdecode(b"caf\xe9"))

    assert texts(database) == ["caf\\udce9"]


def test_a_script_runs_triggers_and_comments_as_one_piece_with_its_transaction(
    database: Database,
) -> None:
    script = """
    -- a comment; with a semicolon
    CREATE TABLE one (x);
    CREATE TRIGGER stop BEFORE DELETE ON one BEGIN
        SELECT RAISE(ABORT, 'no; never');
    END;
    INSERT INTO one VALUES (';');
    """

    with pytest.raises(OpsctlError, match="stop here"), database.transaction():
        run_and_stop(database, script)

    assert database.query("SELECT name FROM sqlite_schema WHERE name = 'one'") == []


def test_a_rule_in_a_trigger_is_a_refusal_in_its_own_words(database: Database) -> None:
    database.run_script(
        "CREATE TRIGGER stop BEFORE DELETE ON notes BEGIN\nSELECT RAISE(ABORT, 'notes stay');\nEND;"
    )
    add(database, "here")

    with pytest.raises(RefusedError, match="cannot use") as caught:
        database.execute("DELETE FROM notes")

    assert "notes stay" in caught.value.why
    assert texts(database) == ["here"]


def test_a_file_that_is_no_database_is_named_with_what_to_type(path: Path) -> None:
    path.parent.mkdir(mode=0o700)
    path.write_text("not a database, but long enough to be looked at " * 100)

    with pytest.raises(OpsctlError) as caught:
        opened(path)

    assert caught.value.what == f"cannot use {path}"
    assert "it is not an SQLite file" in caught.value.why
    assert f"mkdir {path}.broken && mv {path} {path}-* {path}.broken/" in caught.value.hint


def test_damaged_pages_are_named_with_what_to_type(path: Path, database: Database) -> None:
    with database.transaction():
        for _ in range(200):
            add(database, "x" * 1000)
    database.close()
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xa5" * (size - 4096))

    damaged = opened(path)
    with pytest.raises(OpsctlError) as caught:
        texts(damaged)
    damaged.close()

    assert "its content is damaged" in caught.value.why
    assert f"{path}.broken" in caught.value.hint


@pytest.mark.parametrize("make", ["directory", "link"])
def test_what_is_no_regular_file_is_refused(path: Path, make: str) -> None:
    path.parent.mkdir(mode=0o700)
    if make == "directory":
        path.mkdir()
    else:
        path.symlink_to(path.parent / "elsewhere")

    with pytest.raises(OpsctlError) as caught:
        opened(path)

    assert caught.value.why == "it is not a regular file"
    assert [each.name for each in path.parent.iterdir()] == ["a.db"]


def test_a_place_that_cannot_keep_a_log_is_refused() -> None:
    with pytest.raises(OpsctlError) as caught:
        SqliteDatabase(Path(":memory:"))

    assert caught.value.hint == "Move it to a local disk."


def test_a_closed_database_raises_our_error(database: Database) -> None:
    database.close()

    with pytest.raises(OpsctlError, match="cannot use"):
        database.query("SELECT 1")
    with pytest.raises(OpsctlError, match="cannot use"), database.transaction():
        pass


def test_wrong_sql_is_called_a_bug_of_ours(database: Database) -> None:
    with pytest.raises(OpsctlError) as caught:
        database.query("SELEKT 1")

    assert "SQLite was called wrongly" in caught.value.why


# The sentinels that are no trouble are left out; extended codes fall back to these.
RESULT_CODES = (
    *("ABORT", "AUTH", "BUSY", "CANTOPEN", "CONSTRAINT", "CORRUPT", "EMPTY", "ERROR", "FORMAT"),
    *("FULL", "INTERNAL", "INTERRUPT", "IOERR", "LOCKED", "MISMATCH", "MISUSE", "NOLFS"),
    *("NOMEM", "NOTADB", "NOTFOUND", "PERM", "PROTOCOL", "RANGE", "READONLY", "SCHEMA", "TOOBIG"),
)


@pytest.mark.parametrize("name", RESULT_CODES)
def test_each_result_code_of_sqlite_is_translated(name: str) -> None:
    assert getattr(sqlite3, f"SQLITE_{name}") in BY_CODE


def test_an_unknown_code_is_still_our_error(path: Path) -> None:
    error = sqlite3.OperationalError("something new")

    found = translate(error, path)

    assert isinstance(found, OpsctlError)
    assert "something new" in found.why
