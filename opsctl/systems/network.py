"""The network: names looked up and sockets opened within a deadline set on purpose."""

import socket
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Self, TypeVar

from opsctl.errors import UnreachableError
from opsctl.systems.clock import Clock

_A_MOMENT_S = 0.001
_SPELLING = "Check the spelling of the host."

Result = TypeVar("Result")
Lookup = Callable[[str, int], Sequence[str]]


@dataclass(frozen=True, slots=True)
class Deadline:
    """The moment by which one call as a whole must have ended."""

    clock: Clock
    limit_s: float
    ends_at: float

    @classmethod
    def after(cls, clock: Clock, limit_s: float) -> Self:
        return cls(clock, limit_s, clock.steady() + limit_s)

    def left_s(self) -> float:
        """Count what is left; never 0, which sockets take for "do not wait at all"."""
        return max(_A_MOMENT_S, self.ends_at - self.clock.steady())

    def passed(self) -> bool:
        return self.clock.steady() >= self.ends_at


def within(deadline: Deadline, call: Callable[[], Result]) -> Result:
    """Wait for a call that knows no deadline; raise TimeoutError and leave it behind if late."""
    outcomes: SimpleQueue[tuple[Result | None, Exception | None]] = SimpleQueue()
    # A daemon: the system's resolver cannot be interrupted, and must not hold up the end.
    threading.Thread(target=_run, args=(call, outcomes), daemon=True).start()
    try:
        result, error = outcomes.get(timeout=deadline.left_s())
    except Empty:
        raise TimeoutError(f"no answer within {deadline.limit_s:g} s") from None
    if error is not None:
        raise error
    return result  # type: ignore[return-value]  # no error, so this is what the call returned


def _run(
    call: Callable[[], Result], outcomes: SimpleQueue[tuple[Result | None, Exception | None]]
) -> None:
    try:
        outcomes.put((call(), None))
    except Exception as error:  # noqa: BLE001  # carried to the caller's thread, raised there
        outcomes.put((None, error))


def look_up(host: str, port: int) -> Sequence[str]:
    """Ask the system's resolver; in its order, each address once."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def resolve(host: str, port: int, *, deadline: Deadline, lookup: Lookup = look_up) -> Sequence[str]:
    try:
        found = within(deadline, lambda: lookup(host, port))
    except TimeoutError as error:
        raise UnreachableError(
            f"cannot look up {host}",
            why=f"the name service gave no answer within {deadline.limit_s:g} s",
            hint="Check /etc/resolv.conf, or give an IP address.",
        ) from error
    # UnicodeError: a label that is empty or too long for a host name.
    except (OSError, UnicodeError) as error:
        raise UnreachableError(
            f"cannot look up {host}", why=reason(error), hint=_SPELLING
        ) from error
    if not found:
        raise UnreachableError(f"cannot look up {host}", why="it has no address", hint=_SPELLING)
    return found


def dial(host: str, port: int, *, deadline: Deadline, lookup: Lookup = look_up) -> socket.socket:
    """Open a TCP connection to the first address that answers; each gets its share of the time."""
    addresses = resolve(host, port, deadline=deadline, lookup=lookup)
    for index, address in enumerate(addresses[:-1]):
        share_s = deadline.left_s() / (len(addresses) - index)
        try:
            return _ready(socket.create_connection((address, port), timeout=share_s))
        except OSError:
            continue
    return _ready(socket.create_connection((addresses[-1], port), timeout=deadline.left_s()))


def _ready(connected: socket.socket) -> socket.socket:
    connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    return connected


def reason(error: BaseException) -> str:
    """Say in the system's words why a socket failed, in place of a driver's wrapping."""
    found: BaseException | None = error
    words = str(error)
    while found is not None:
        if isinstance(found, OSError) and found.strerror:
            words = found.strerror
        found = found.__cause__ or found.__context__
    return words[:1].lower() + words[1:]
