"""Addresses on loopback: a free one, one that refuses, and two that never answer."""

import contextlib
import secrets
import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing
from typing import NamedTuple

import pytest

LOOPBACK = "127.0.0.1"


class Address(NamedTuple):
    host: str
    port: int


# Below the ports that the kernel hands to clients: one of those, knocking on a server that is down,
# can meet itself and think that it answered.
_PORTS = range(20_000, 32_000)


def free_port() -> int:
    """Find a port on loopback that nobody has."""
    while True:
        port = secrets.choice(_PORTS)
        with closing(socket.socket()) as probe, contextlib.suppress(OSError):
            probe.bind((LOOPBACK, port))
            return port


@pytest.fixture
def dead_address() -> Iterator[Address]:
    """Refuses every connection, and stays refused: the port is held, and nobody listens."""
    with closing(_bound()) as holder:
        yield _address(holder)


@pytest.fixture
def black_hole() -> Iterator[Address]:
    """Lets a client connect, and never says a word."""
    with closing(_bound()) as listener:
        listener.listen(128)
        yield _address(listener)


@pytest.fixture
def full_backlog() -> Iterator[Address]:
    """Leaves a client hanging in connect itself: the queue is full, and nobody takes from it."""
    with ExitStack() as stack:
        listener = stack.enter_context(closing(_bound()))
        listener.listen(0)
        # Linux queues one more than asked; the second is in case another kernel counts otherwise.
        for _ in range(2):
            client = stack.enter_context(closing(socket.socket()))
            client.settimeout(0)
            client.connect_ex(_address(listener))
        yield _address(listener)


def _bound() -> socket.socket:
    holder = socket.socket()
    holder.bind((LOOPBACK, 0))
    return holder


def _address(bound: socket.socket) -> Address:
    host, port = bound.getsockname()
    return Address(host, port)
