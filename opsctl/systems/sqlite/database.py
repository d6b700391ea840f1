"""SQLite: one private file whose commits survive kills and power cuts."""

import sqlite3
import stat
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol, TypeAlias

from opsctl.errors import BusyError, OpsctlError, RefusedError
from opsctl.systems.clock import Clock
from opsctl.systems.error_table import ErrorMeaning
from opsctl.systems.files import local as files

BUSY_TIMEOUT_S = 5.0
RETRY_EVERY_S = 0.01

Value: TypeAlias = str | int | float | bytes | None
# SQLite says at run time what a column holds; whoever reads a row names the type.
Row: TypeAlias = Mapping[str, Any]


class Database(Protocol):
    """Threads may share one: calls queue up, and a transaction keeps the others out until it ends.

    Processes open their own; it does not survive a fork.
    """

    def transaction(self) -> AbstractContextManager[None]:
        """Commit all or nothing; gets the write lock at once, and does not nest."""
        ...

    def execute(self, statement: str, values: Sequence[Value] = ()) -> int:
        """Say how many rows it changed; on disk when this returns, unless in a transaction."""
        ...

    def query(self, statement: str, values: Sequence[Value] = ()) -> Sequence[Row]: ...

    def run_script(self, script: str) -> None:
        """Run each statement of a file, within the transaction that is open."""
        ...

    def close(self) -> None: ...


class Databases(Protocol):
    def open(self, path: Path) -> Database:
        """Make the file (0600) and its directory (0700) where they are missing."""
        ...


_FULL = ErrorMeaning(
    why="the disk is full; what was committed before is safe",
    hint="Free some space (df -h shows where; opsctl disk retain removes old logs), then retry.",
    error=files.DiskFullError,
)
_BUSY = ErrorMeaning(
    why="another process kept it locked for too long",
    hint="Try again; lsof or fuser on the file shows who has it open.",
    error=BusyError,
)
_BROKEN_HINT = (
    "Move it aside and start afresh, keeping it for a closer look: "
    "mkdir {path}.broken && mv {path} {path}-* {path}.broken/"
)
_BUG = ErrorMeaning(
    why="SQLite was called wrongly", hint="This is a bug in opsctl: please report it."
)
_DISK = ErrorMeaning(
    why="the disk reported a read or write error", hint="See dmesg; then df -h and df -i."
)
_OWNER = ErrorMeaning(
    why="permission denied", hint="Check who owns it (ls -ld), and run as that user."
)

# By primary result code; an extended code, where it says more, comes first.
BY_CODE: dict[int, ErrorMeaning] = {
    sqlite3.SQLITE_IOERR_SHMSIZE: _FULL,
    sqlite3.SQLITE_CONSTRAINT_TRIGGER: ErrorMeaning(
        why="the store does not allow it", error=RefusedError
    ),
    sqlite3.SQLITE_FULL: _FULL,
    sqlite3.SQLITE_BUSY: _BUSY,
    sqlite3.SQLITE_LOCKED: _BUSY,
    sqlite3.SQLITE_PROTOCOL: _BUSY,
    sqlite3.SQLITE_CORRUPT: ErrorMeaning(why="its content is damaged", hint=_BROKEN_HINT),
    sqlite3.SQLITE_NOTADB: ErrorMeaning(why="it is not an SQLite file", hint=_BROKEN_HINT),
    sqlite3.SQLITE_FORMAT: ErrorMeaning(why="it is not an SQLite file", hint=_BROKEN_HINT),
    sqlite3.SQLITE_READONLY: ErrorMeaning(why="it may only be read", hint=_OWNER.hint),
    sqlite3.SQLITE_CANTOPEN: ErrorMeaning(why="the file cannot be opened", hint=_OWNER.hint),
    sqlite3.SQLITE_PERM: _OWNER,
    sqlite3.SQLITE_AUTH: _OWNER,
    sqlite3.SQLITE_IOERR: _DISK,
    sqlite3.SQLITE_NOLFS: _DISK,
    sqlite3.SQLITE_NOMEM: ErrorMeaning(
        why="out of memory", hint="Free some memory (free -h), then retry."
    ),
    sqlite3.SQLITE_CONSTRAINT: ErrorMeaning(why="the value breaks a rule of the store"),
    sqlite3.SQLITE_TOOBIG: ErrorMeaning(why="the value is too large"),
    sqlite3.SQLITE_MISMATCH: ErrorMeaning(why="the value has the wrong type"),
    sqlite3.SQLITE_INTERRUPT: ErrorMeaning(why="it was interrupted", hint="Try again."),
    sqlite3.SQLITE_ABORT: ErrorMeaning(why="it was interrupted", hint="Try again."),
    sqlite3.SQLITE_SCHEMA: ErrorMeaning(why="its schema changed meanwhile", hint="Try again."),
    sqlite3.SQLITE_ERROR: _BUG,
    sqlite3.SQLITE_INTERNAL: _BUG,
    sqlite3.SQLITE_MISUSE: _BUG,
    sqlite3.SQLITE_RANGE: _BUG,
    sqlite3.SQLITE_NOTFOUND: _BUG,
    sqlite3.SQLITE_EMPTY: _BUG,
}


def translate(error: sqlite3.Error | sqlite3.Warning, path: Path) -> OpsctlError:
    """Translate an error of SQLite, and name the file."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_MISUSE)
    meaning = BY_CODE.get(code) or BY_CODE.get(code & 0xFF, _BUG)
    why = f"{meaning.why} (SQLite: {error})"
    return meaning.error(f"cannot use {path}", why=why, hint=meaning.hint.format(path=path))


class SqliteDatabases:
    def __init__(
        self, local: files.Files, clock: Clock, *, busy_timeout_s: float = BUSY_TIMEOUT_S
    ) -> None:
        self._files = local
        self._clock = clock
        self._busy_timeout_s = busy_timeout_s

    def open(self, path: Path) -> Database:
        self._files.make_private_dir(path.parent)
        self._make_private(path)
        end = self._clock.steady() + self._busy_timeout_s
        while True:
            try:
                return SqliteDatabase(path, busy_timeout_s=self._busy_timeout_s)
            except files.DiskFullError as error:
                return FrozenDatabase(path, error, busy_timeout_s=self._busy_timeout_s)
            except BusyError:
                # Two who turn a fresh file to WAL at once: SQLite sends one away without waiting.
                if self._clock.steady() >= end:
                    raise
            self._clock.sleep(RETRY_EVERY_S)

    def _make_private(self, path: Path) -> None:
        # SQLite gives its -wal and -shm files the mode of this one. An existing file is not
        # opened here: closing it would drop the locks that this process has on it.
        if self._files.kind(path) is files.PathKind.NOTHING:
            with suppress(files.FileExistsAlreadyError):
                self._files.create_text(path, "")
        what = f"cannot use {path}"
        try:
            mode = path.lstat().st_mode
            if mode & files.OTHERS and stat.S_ISREG(mode):
                path.chmod(files.PRIVATE_FILE)
        except OSError as error:
            raise files.translate(error, what=what) from error
        if not stat.S_ISREG(mode):
            raise OpsctlError(what, why="it is not a regular file", hint="Move it away.")


class SqliteDatabase:
    def __init__(
        self, path: Path, *, busy_timeout_s: float = BUSY_TIMEOUT_S, is_copy: bool = False
    ) -> None:
        self._path = path
        self._turn = threading.RLock()
        with _reported(path):
            self._connection = sqlite3.connect(
                path, timeout=busy_timeout_s, isolation_level=None, check_same_thread=False
            )
        self._connection.row_factory = sqlite3.Row
        if is_copy:
            return
        try:
            self._set_up()
        except OpsctlError:
            self.close()
            raise

    def _set_up(self) -> None:
        (mode,) = self.query("PRAGMA journal_mode = WAL")
        if mode["journal_mode"] != "wal":
            why = "the file system has no shared memory for it"
            hint = "Move it to a local disk."
            raise OpsctlError(f"cannot use {self._path}", why=why, hint=hint)
        # FULL: a commit is on the disk when it returns; WAL's usual NORMAL may lose the last ones.
        self.query("PRAGMA synchronous = FULL")
        self.query("PRAGMA foreign_keys = ON")

    def fill_from(self, path: Path) -> None:
        """Copy a file into this database; exclusive mode needs no space for shared memory."""
        with closing(sqlite3.connect(path, isolation_level=None)) as source:
            source.execute("PRAGMA locking_mode = EXCLUSIVE")
            source.backup(self._connection)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        with self._turn:
            if self._is_open():
                raise OpsctlError(f"cannot use {self._path}", why="transactions do not nest")
            try:
                self.execute("BEGIN IMMEDIATE")
                yield
                self.execute("COMMIT")
            finally:
                # Still open: something failed, the commit itself included.
                if self._is_open():
                    self.execute("ROLLBACK")

    def _is_open(self) -> bool:
        with _reported(self._path):
            return self._connection.in_transaction

    def execute(self, statement: str, values: Sequence[Value] = ()) -> int:
        with self._running(statement, values) as cursor:
            return cursor.rowcount

    def query(self, statement: str, values: Sequence[Value] = ()) -> Sequence[Row]:
        with self._running(statement, values) as cursor:
            return [dict(row) for row in cursor.fetchall()]

    def run_script(self, script: str) -> None:
        statement = ""
        for line in script.splitlines(keepends=True):
            statement += line
            if sqlite3.complete_statement(statement):
                self.execute(statement)
                statement = ""

    def close(self) -> None:
        with self._turn, _reported(self._path):
            self._connection.close()

    @contextmanager
    def _running(self, statement: str, values: Sequence[Value]) -> Iterator[sqlite3.Cursor]:
        with self._turn, _reported(self._path), closing(self._connection.cursor()) as cursor:
            cursor.execute(statement, [_storable(value) for value in values])
            yield cursor


class FrozenDatabase:
    """The database on a full disk, read into memory; writable again as soon as there is space."""

    def __init__(self, path: Path, error: files.DiskFullError, *, busy_timeout_s: float) -> None:
        self._path = path
        self._busy_timeout_s = busy_timeout_s
        self._thawed: SqliteDatabase | None = None
        self._copy = SqliteDatabase(Path(":memory:"), is_copy=True)
        try:
            self._copy.fill_from(path)
        except (sqlite3.Error, OpsctlError):
            self._copy.close()
            raise error from None
        if not self.query("PRAGMA user_version")[0]["user_version"]:
            self._copy.close()
            raise error

    def _real(self) -> SqliteDatabase:
        if self._thawed is None:
            self._thawed = SqliteDatabase(self._path, busy_timeout_s=self._busy_timeout_s)
        return self._thawed

    def transaction(self) -> AbstractContextManager[None]:
        return self._real().transaction()

    def execute(self, statement: str, values: Sequence[Value] = ()) -> int:
        return self._real().execute(statement, values)

    def query(self, statement: str, values: Sequence[Value] = ()) -> Sequence[Row]:
        if statement.lstrip().upper().startswith(("SELECT", "PRAGMA")):
            return (self._thawed or self._copy).query(statement, values)
        return self._real().query(statement, values)

    def run_script(self, script: str) -> None:
        self._real().run_script(script)

    def close(self) -> None:
        self._copy.close()
        if self._thawed is not None:
            self._thawed.close()


def _storable(value: Value) -> Value:
    # A name that is not UTF-8 (a git subject, a path) must not lose the row that tells of it.
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode("utf-8")
    return value


@contextmanager
def _reported(path: Path) -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, sqlite3.Warning) as error:
        raise translate(error, path) from error
