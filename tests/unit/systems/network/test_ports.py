import socket
from contextlib import closing

import pytest

from opsctl.errors import UnreachableError
from opsctl.systems.clock import SystemClock
from opsctl.systems.network.ports import LOOKUP_ERRORS, SocketPorts, translate
from tests.engines.addresses import Address

PORTS = SocketPorts(SystemClock())


def test_a_port_that_accepts_is_open() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        assert PORTS.is_open("127.0.0.1", server.getsockname()[1], limit_s=2)


def test_a_port_that_refuses_is_closed(dead_address: Address) -> None:
    assert not PORTS.is_open(dead_address.host, dead_address.port, limit_s=2)


def test_a_port_that_does_not_answer_is_closed_in_time(full_backlog: Address) -> None:
    clock = SystemClock()
    began = clock.steady()

    assert not PORTS.is_open(full_backlog.host, full_backlog.port, limit_s=0.3)
    assert clock.steady() - began < 3


def test_a_name_that_cannot_be_resolved_is_an_error() -> None:
    with pytest.raises(UnreachableError):
        PORTS.is_open("nowhere.invalid", 1, limit_s=2)


@pytest.mark.parametrize("error", [socket.gaierror(-2, "x"), TimeoutError(), UnicodeError()])
def test_every_error_of_a_lookup_is_translated(error: Exception) -> None:
    assert isinstance(error, LOOKUP_ERRORS)
    assert translate(error, "h").what == "cannot try a port of h"
