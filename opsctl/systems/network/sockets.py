"""The network: names looked up and sockets opened within a deadline set on purpose."""

import socket
from collections.abc import Callable, Sequence

from opsctl.errors import UnreachableError
from opsctl.systems.deadline import Deadline, within

_SPELLING = "Check the spelling of the host."

Lookup = Callable[[str, int], Sequence[str]]


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
