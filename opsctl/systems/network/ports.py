"""Ports of other machines: which of them accept a connection from this machine."""

import socket
from contextlib import closing
from typing import Protocol

from opsctl.errors import OpsctlError, UnreachableError
from opsctl.systems.clock import Clock
from opsctl.systems.deadline import Deadline, within
from opsctl.systems.error_table import ErrorMeaning, meaning_of
from opsctl.systems.network.sockets import look_up


class Ports(Protocol):
    def is_open(self, host: str, port: int, *, limit_s: float) -> bool:
        """Say whether something accepts a connection; raise if the name cannot be resolved."""
        ...


BY_CLASS: dict[type[Exception], ErrorMeaning] = {
    socket.gaierror: ErrorMeaning(UnreachableError, why="the name is not known"),
    TimeoutError: ErrorMeaning(UnreachableError, why="the name was not looked up in time"),
    UnicodeError: ErrorMeaning(OpsctlError, why="it is not a host name"),
}
LOOKUP_ERRORS = (socket.gaierror, TimeoutError, UnicodeError)


def translate(error: Exception, host: str) -> OpsctlError:
    meaning = meaning_of(type(error), BY_CLASS) or ErrorMeaning()
    what = f"cannot try a port of {host}"
    return meaning.error(what, why=meaning.why, hint="Check the spelling of the host.")


class SocketPorts:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def is_open(self, host: str, port: int, *, limit_s: float) -> bool:
        deadline = Deadline.after(self._clock, limit_s)
        try:
            addresses = within(deadline, lambda: look_up(host, port))
        except LOOKUP_ERRORS as error:
            raise translate(error, host) from error
        return any(_accepts(address, port, deadline) for address in addresses)


def _accepts(address: str, port: int, deadline: Deadline) -> bool:
    try:
        with closing(socket.create_connection((address, port), timeout=deadline.left_s())):
            return True
    except OSError:
        # Refused, filtered or no route: closed to us in any case.
        return False
