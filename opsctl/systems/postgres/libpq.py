"""PostgreSQL's own client library by ctypes: it loads in a tenth of the time of the driver."""

import contextlib
import ctypes
import functools
import os
import select
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from ctypes import POINTER, c_char_p, c_int, c_uint, c_void_p
from enum import IntEnum
from typing import Any

from opsctl.errors import OpsctlError
from opsctl.systems.deadline import Deadline
from opsctl.systems.postgres.sqlstates import Diagnosis

_CHUNK = 1 << 20
_CANCEL_ERROR_BYTES = 256
_NOTICE = ctypes.CFUNCTYPE(None, c_void_p, c_char_p)
_AT_THE_END = 1 << 30
_WAKE_S = 1.0


class ResultStatus(IntEnum):
    EMPTY = 0
    DONE = 1
    ROWS = 2
    COPY_OUT = 3
    COPY_IN = 4


_DONE = frozenset({ResultStatus.DONE, ResultStatus.ROWS})
_IDLE = 0


class _Option(ctypes.Structure):
    _fields_ = (
        ("keyword", c_char_p),
        ("envvar", c_char_p),
        ("compiled", c_char_p),
        ("val", c_char_p),
        ("label", c_char_p),
        ("dispchar", c_char_p),
        ("dispsize", c_int),
    )


_Strings = POINTER(c_char_p)
_FUNCTIONS: Mapping[str, tuple[Any, tuple[Any, ...]]] = {
    "PQconninfoParse": (POINTER(_Option), (c_char_p, POINTER(c_void_p))),
    "PQconninfoFree": (None, (POINTER(_Option),)),
    "PQconnectdbParams": (c_void_p, (_Strings, _Strings, c_int)),
    "PQfinish": (None, (c_void_p,)),
    "PQstatus": (c_int, (c_void_p,)),
    "PQerrorMessage": (c_char_p, (c_void_p,)),
    "PQsocket": (c_int, (c_void_p,)),
    "PQbackendPID": (c_int, (c_void_p,)),
    "PQparameterStatus": (c_char_p, (c_void_p, c_char_p)),
    "PQtransactionStatus": (c_int, (c_void_p,)),
    "PQsetnonblocking": (c_int, (c_void_p, c_int)),
    "PQsetNoticeProcessor": (c_void_p, (c_void_p, _NOTICE, c_void_p)),
    "PQsendQuery": (c_int, (c_void_p, c_char_p)),
    "PQsendQueryParams": (
        c_int,
        (c_void_p, c_char_p, c_int, POINTER(c_uint), _Strings, c_void_p, c_void_p, c_int),
    ),
    "PQflush": (c_int, (c_void_p,)),
    "PQconsumeInput": (c_int, (c_void_p,)),
    "PQisBusy": (c_int, (c_void_p,)),
    "PQgetResult": (c_void_p, (c_void_p,)),
    "PQresultStatus": (c_int, (c_void_p,)),
    "PQresultErrorField": (c_char_p, (c_void_p, c_int)),
    "PQresultErrorMessage": (c_char_p, (c_void_p,)),
    "PQntuples": (c_int, (c_void_p,)),
    "PQnfields": (c_int, (c_void_p,)),
    "PQftype": (c_uint, (c_void_p, c_int)),
    "PQgetisnull": (c_int, (c_void_p, c_int, c_int)),
    "PQgetvalue": (c_char_p, (c_void_p, c_int, c_int)),
    "PQclear": (None, (c_void_p,)),
    "PQputCopyData": (c_int, (c_void_p, c_char_p, c_int)),
    "PQputCopyEnd": (c_int, (c_void_p, c_char_p)),
    "PQgetCopyData": (c_int, (c_void_p, POINTER(c_void_p), c_int)),
    "PQfreemem": (None, (c_void_p,)),
    "PQgetCancel": (c_void_p, (c_void_p,)),
    "PQcancel": (c_int, (c_void_p, c_char_p, c_int)),
    "PQfreeCancel": (None, (c_void_p,)),
}


@functools.cache
def load() -> Any:  # noqa: ANN401  # ctypes makes its functions up as they are asked for
    library = _open(_candidates())
    for name, (result, arguments) in _FUNCTIONS.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library


def _candidates() -> Iterator[str]:
    """Find the one that the driver's package brings first: its version is known."""
    for entry in sys.path:
        folder = os.path.join(entry, "psycopg_binary.libs")  # noqa: PTH118 - at every start
        with contextlib.suppress(OSError):
            names = os.listdir(folder)  # noqa: PTH208 - same
            yield from (f"{folder}{os.sep}{name}" for name in names if name.startswith("libpq-"))
    yield "libpq.so.5"


def _open(names: Iterator[str]) -> ctypes.CDLL:
    for name in names:
        try:
            return ctypes.CDLL(name)
        except OSError:
            continue
    raise OpsctlError(
        "cannot load libpq, PostgreSQL's client library",
        why="neither psycopg[binary] nor the system brings one",
        hint="Install psycopg[binary], or Debian's libpq5.",
    )


def parse(dsn: str) -> dict[str, str]:
    """Read a URL or DSN into libpq's parameters; nothing where it does not parse."""
    library, words = load(), c_void_p()
    options = library.PQconninfoParse(dsn.encode(), ctypes.byref(words))
    if not options:
        library.PQfreemem(words)
        return {}
    found = {}
    for option in options:
        if option.keyword is None:
            break
        if option.val is not None:
            found[option.keyword.decode()] = option.val.decode()
    library.PQconninfoFree(options)
    return found


class ConnectError(Exception):  # libpq's words, for its caller to translate
    """The message of libpq when a connection failed."""


class NoAnswerError(Exception):  # same
    """The server did not answer before the deadline; the connection is closed."""


class LibpqConnection:
    """One session; every wait has a deadline."""

    def __init__(self, parameters: Mapping[str, str]) -> None:
        self._library = load()
        self._notices: list[bytes] = []
        # A function written in C: a signal's exception raised inside a callback would be lost.
        self._listener = _NOTICE(self._notices.insert)
        self._handle = self._library.PQconnectdbParams(
            _strings([*parameters]), _strings([*parameters.values()]), 0
        )
        if self._library.PQstatus(self._handle) != 0:
            words = _text(self._library.PQerrorMessage(self._handle))
            self.close()
            raise ConnectError(words)
        self._library.PQsetnonblocking(self._handle, 1)
        self._library.PQsetNoticeProcessor(self._handle, self._listener, _AT_THE_END)
        self._poll = select.poll()

    def close(self) -> None:
        handle, self._handle = self._handle, None
        if handle:
            self._library.PQfinish(handle)

    @property
    def is_open(self) -> bool:
        return self._handle is not None and self._library.PQstatus(self._handle) == 0

    @property
    def is_idle(self) -> bool:
        """Say whether no transaction is open."""
        return bool(self._library.PQtransactionStatus(self._handle) == _IDLE)

    @property
    def pid(self) -> int:
        """The process id that the other end reported; a pooler invents one."""
        return int(self._library.PQbackendPID(self._handle))

    def parameter(self, name: str) -> str:
        return _text(self._library.PQparameterStatus(self._handle, name.encode()))

    def notices(self) -> list[str]:
        return [_text(notice).strip() for notice in self._notices]

    def clear_notices(self) -> None:
        self._notices.clear()

    def send(self, text: str) -> None:
        self._library.PQsendQuery(self._handle, text.encode())

    def send_with(self, text: str, values: Sequence[tuple[int, str | None]]) -> None:
        """Send one statement with values as text, each with the number of its type."""
        kinds = (c_uint * len(values))(*[kind for kind, _ in values])
        texts = _strings([value for _, value in values])
        self._library.PQsendQueryParams(
            self._handle, text.encode(), len(values), kinds, texts, None, None, 0
        )

    def results(self, deadline: Deadline) -> Iterator["LibpqResult"]:
        while True:
            self._flush(deadline)
            while self._library.PQisBusy(self._handle):
                self._wait(select.POLLIN, deadline)
                self._library.PQconsumeInput(self._handle)
            found = self._library.PQgetResult(self._handle)
            if not found:
                return
            result = LibpqResult(self._library, found)
            try:
                yield result
            finally:
                self._library.PQclear(found)

    def feed(self, data: bytes, deadline: Deadline) -> None:
        """Answer COPY_IN with all of its data."""
        for start in range(0, len(data), _CHUNK):
            chunk = data[start : start + _CHUNK]
            self._retry(self._library.PQputCopyData, chunk, len(chunk), deadline=deadline)
        self._retry(self._library.PQputCopyEnd, None, deadline=deadline)

    def starve(self, why: str, deadline: Deadline) -> None:
        """Answer COPY_IN with an error in place of data."""
        self._retry(self._library.PQputCopyEnd, why.encode(), deadline=deadline)

    def swallow(self, deadline: Deadline) -> None:
        """Read the data of COPY TO, and discard it."""
        row = c_void_p()
        while (size := self._library.PQgetCopyData(self._handle, ctypes.byref(row), 1)) >= 0:
            if size == 0:
                self._wait(select.POLLIN, deadline)
                self._library.PQconsumeInput(self._handle)
            self._library.PQfreemem(row)

    def cancel(self) -> None:
        """Ask the server to stop what runs; it opens, and waits for, a connection of its own."""
        request = self._library.PQgetCancel(self._handle)
        words = ctypes.create_string_buffer(_CANCEL_ERROR_BYTES)
        self._library.PQcancel(request, words, _CANCEL_ERROR_BYTES)
        self._library.PQfreeCancel(request)

    def _retry(self, call: Callable[..., int], *given: object, deadline: Deadline) -> None:
        while call(self._handle, *given) == 0:
            self._flush(deadline)

    def _flush(self, deadline: Deadline) -> None:
        while self._library.PQflush(self._handle) == 1:
            self._wait(select.POLLIN | select.POLLOUT, deadline)
            self._library.PQconsumeInput(self._handle)

    def _wait(self, events: int, deadline: Deadline) -> None:
        socket = self._library.PQsocket(self._handle)
        if socket < 0:
            return
        self._poll.register(socket, events)
        if not self._poll.poll(min(deadline.left_s(), _WAKE_S) * 1000) and deadline.passed():
            self.close()
            raise NoAnswerError


class LibpqResult:
    """One result of the server; freed when the next one is read."""

    def __init__(self, library: Any, handle: int) -> None:  # noqa: ANN401  # as load() gives it
        self._library = library
        self._handle = handle
        self.status: int = library.PQresultStatus(handle)

    @property
    def is_done(self) -> bool:
        return self.status in _DONE

    def diagnosis(self) -> Diagnosis:
        position = self._field("P")
        return Diagnosis(
            sqlstate=self._field("C"),
            message=self._field("M") or _text(self._library.PQresultErrorMessage(self._handle)),
            detail=self._field("D"),
            hint=self._field("H"),
            context=self._field("W"),
            position=int(position) if position else None,
            schema=self._field("s"),
            table=self._field("t"),
            constraint=self._field("n"),
        )

    def kinds(self) -> list[int]:
        """Name each column's type by its number."""
        columns = self._library.PQnfields(self._handle)
        return [self._library.PQftype(self._handle, column) for column in range(columns)]

    def rows(self) -> Iterator[list[str | None]]:
        columns = range(self._library.PQnfields(self._handle))
        for row in range(self._library.PQntuples(self._handle)):
            yield [self._value(row, column) for column in columns]

    def _value(self, row: int, column: int) -> str | None:
        found = self._library.PQgetvalue(self._handle, row, column)
        # NULL comes as an empty text; few cells are either.
        if not found and self._library.PQgetisnull(self._handle, row, column):
            return None
        return _text(found)

    def _field(self, code: str) -> str:
        return _text(self._library.PQresultErrorField(self._handle, ord(code)))


def _strings(values: Sequence[str | None]) -> Any:  # noqa: ANN401  # an array type of its length
    """Make the array that libpq reads to its NULL."""
    encoded = [None if value is None else value.encode() for value in values]
    return (c_char_p * (len(encoded) + 1))(*encoded, None)


def _text(words: bytes | None) -> str:
    return (words or b"").decode(errors="replace")
