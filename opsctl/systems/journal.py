"""The system's journal: entries with fields, in the protocol of journald."""

import socket
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from opsctl.errors import OpsctlError, UnreachableError
from opsctl.systems.network.sockets import reason

SOCKET = Path("/run/systemd/journal/socket")
LIMIT_S = 1.0
IDENTIFIER = "opsctl"


@dataclass(frozen=True, slots=True)
class Entry:
    text: str
    priority: int
    """As syslog counts: 2 critical, 4 warning, 5 notice, 6 info."""
    facts: Mapping[str, str] = field(default_factory=dict)


class Journal(Protocol):
    def is_there(self) -> bool: ...

    def write(self, entry: Entry) -> None: ...


class Journald:
    """journald of this machine."""

    def __init__(self, path: Path = SOCKET) -> None:
        self._path = path

    def is_there(self) -> bool:
        return self._path.is_socket()

    def write(self, entry: Entry) -> None:
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as connection:
                # journald may be stopped with its socket still there and full.
                connection.settimeout(LIMIT_S)
                connection.connect(str(self._path))
                connection.send(encode(entry))
        except OSError as error:
            raise translate(error, self._path) from error


def translate(error: OSError, path: Path) -> OpsctlError:
    if isinstance(error, (TimeoutError, ConnectionError, FileNotFoundError, BlockingIOError)):
        hint = "Start it: systemctl start systemd-journald; or set notify.journal: false."
        return UnreachableError(
            f"cannot write to the journal at {path}", why=reason(error), hint=hint
        )
    return OpsctlError(f"cannot write an entry to the journal at {path}", why=reason(error))


def encode(entry: Entry) -> bytes:
    return b"".join(_fields(entry))


def _fields(entry: Entry) -> Iterator[bytes]:
    known = {
        "MESSAGE": entry.text,
        "PRIORITY": str(entry.priority),
        "SYSLOG_IDENTIFIER": IDENTIFIER,
    }
    for name, value in (known | dict(entry.facts)).items():
        data = value.encode("utf-8", "backslashreplace")
        # The length stands before the value, so that a line break in it cannot forge a field.
        yield name.encode("ascii") + b"\n" + struct.pack("<Q", len(data)) + data + b"\n"
