"""Addresses on loopback: a free one, one that refuses, and two that never answer."""

import contextlib
import os
import secrets
import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing
from itertools import cycle
from typing import NamedTuple

import pytest

LOOPBACK = "127.0.0.1"


class Address(NamedTuple):
    host: str
    port: int


# Below the ports that the kernel hands to clients: one of those, knocking on a server that is down,
# can meet itself and think that it answered.
_BLOCKS = range(20_000, 32_000, 100)
_OURS: dict[int, Iterator[int]] = {}


def free_port() -> int:
    """Find a port on loopback that nobody has, and that no other test process will look at.

    A server that is down for a while keeps its port: the same one comes again only after a hundred.
    """
    if os.getpid() not in _OURS:
        _OURS[os.getpid()] = _claim_block()
    for port in _OURS[os.getpid()]:
        with closing(socket.socket()) as probe, contextlib.suppress(OSError):
            probe.bind((LOOPBACK, port))
            return port
    raise AssertionError("a circle has no end")


def _claim_block() -> Iterator[int]:
    """Hold a hundred ports for the life of this process, by the first one's number in UDP."""
    while True:
        first = secrets.choice(_BLOCKS)
        claim = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            claim.bind((LOOPBACK, first))
        except OSError:
            claim.close()
        else:
            # Open as long as we live: nobody closes it.
            claim.detach()
            return cycle(range(first, first + _BLOCKS.step))


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
