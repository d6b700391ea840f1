"""Entries in the form that journald reads, over a real socket."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from opsctl.errors import UnreachableError
from opsctl.systems.journal import Entry, Journald


@pytest.fixture
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("j") / "s"


@pytest.fixture
def listener(path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as bound:
        bound.bind(str(path))
        bound.settimeout(5)
        yield bound


def test_a_line_break_forges_no_field(listener: socket.socket, path: Path) -> None:
    Journald(path).write(Entry("full\nPRIORITY=7", 2, {"OPSCTL_KEY": "disk:/"}))

    data = listener.recv(65536)

    assert data.startswith(b"MESSAGE\n" + (15).to_bytes(8, "little") + b"full\nPRIORITY=7\n")
    assert b"PRIORITY\n" + (1).to_bytes(8, "little") + b"2\n" in data
    assert b"OPSCTL_KEY\n" + (6).to_bytes(8, "little") + b"disk:/\n" in data


def test_a_machine_without_a_journal_is_reported(path: Path) -> None:
    assert not Journald(path).is_there()
    with pytest.raises(UnreachableError, match="cannot write to the journal"):
        Journald(path).write(Entry("a", 4))
