"""Ports of other machines, knocked at from here: what answers is open to us."""

import socket
from contextlib import closing
from typing import Protocol

from opsctl.errors import OpsctlError, UnreachableError
from opsctl.systems.clock import Clock
from opsctl.systems.deadline import Deadline, within
from opsctl.systems.network.sockets import look_up


class Doors(Protocol):
    def is_open(self, host: str, port: int, *, limit_s: float) -> bool:
        """Say whether something accepts a connection; raise if the name leads nowhere."""
        ...


# From the particular to the general: the first row that fits answers.
ANSWERS: tuple[tuple[type[Exception], type[OpsctlError], str], ...] = (
    (socket.gaierror, UnreachableError, "the name is not known"),
    (TimeoutError, UnreachableError, "the name was not looked up in time"),
    (UnicodeError, OpsctlError, "this is no name of a host"),
)


def translated(error: Exception, host: str) -> OpsctlError:
    kind, why = next((ours, why) for theirs, ours, why in ANSWERS if isinstance(error, theirs))
    return kind(f"could not knock at {host}", why=why, hint="Check the spelling of the host.")


class SocketDoors:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def is_open(self, host: str, port: int, *, limit_s: float) -> bool:
        deadline = Deadline.after(self._clock, limit_s)
        try:
            addresses = within(deadline, lambda: look_up(host, port))
        except tuple(theirs for theirs, _, _ in ANSWERS) as error:
            raise translated(error, host) from error
        return any(_answers(address, port, deadline) for address in addresses)


def _answers(address: str, port: int, deadline: Deadline) -> bool:
    try:
        with closing(socket.create_connection((address, port), timeout=deadline.left_s())):
            return True
    except OSError:
        # Refused, filtered, no way there: closed to us in any case.
        return False
