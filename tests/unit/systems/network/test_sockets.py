import socket
import threading

import pytest

from opsctl.errors import UnreachableError
from opsctl.systems.clock import SystemClock
from opsctl.systems.deadline import Deadline, PendingCall, within
from opsctl.systems.network.sockets import dial, resolve
from tests.engines.addresses import Address


def soon() -> Deadline:
    return Deadline.after(SystemClock(), 0.3)


def ample() -> Deadline:
    return Deadline.after(SystemClock(), 60)


def test_what_a_bounded_call_returns_or_raises_is_handed_on() -> None:
    assert within(ample(), lambda: 7) == 7
    with pytest.raises(ZeroDivisionError):
        within(ample(), lambda: 1 // 0)


def test_a_call_that_hangs_is_left_behind() -> None:
    stuck = threading.Event()

    with pytest.raises(TimeoutError, match=r"0\.3 s"):
        within(soon(), lambda: stuck.wait(90))
    stuck.set()


def test_a_call_that_has_begun_goes_on_while_its_caller_does_something_else() -> None:
    met = threading.Barrier(2, timeout=60)

    answer = PendingCall(ample(), lambda: met.wait() >= 0)
    met.wait()

    assert answer() is True


@pytest.mark.parametrize("host", ["nowhere.invalid", "a..b", "x" * 70])
def test_a_host_that_cannot_be_looked_up_is_unreachable(host: str) -> None:
    with pytest.raises(UnreachableError, match="cannot look up"):
        resolve(host, 80, deadline=ample())


def test_a_host_without_an_address_is_unreachable() -> None:
    with pytest.raises(UnreachableError) as caught:
        resolve("stack.test", 80, deadline=ample(), lookup=lambda _host, _port: [])

    assert caught.value.why == "it has no address"


def test_the_first_address_that_answers_is_used(black_hole: Address) -> None:
    with dial(
        "stack.test",
        black_hole.port,
        deadline=ample(),
        lookup=lambda _host, _port: ["127.0.0.9", black_hole.host],
    ) as opened:
        assert opened.getpeername() == (black_hole.host, black_hole.port)
        assert opened.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1


def test_an_address_that_is_down_says_so(dead_address: Address) -> None:
    with pytest.raises(ConnectionRefusedError):
        dial(dead_address.host, dead_address.port, deadline=ample())
