"""Idle connections, lent to one thread at a time: the last one returned is lent first."""

import os
import threading
from collections import deque
from collections.abc import Callable
from typing import Any

from opsctl.errors import BusyError
from opsctl.systems.deadline import Deadline


class IdleConnections:
    def __init__(self, make: Callable[[], Any], most: int) -> None:
        self._make = make
        self._most = most
        self._start()

    def _start(self) -> None:
        self._pid = os.getpid()
        self._free: deque[Any] = deque()
        self._made = 0
        self._waiting = 0
        self._changed = threading.Condition()

    def take(self, deadline: Deadline, address: str) -> Any:  # noqa: ANN401  # redis-py ships it without types
        if self._pid != os.getpid():
            # A forked child would read the answers to its parent's commands.
            self._start()
        try:
            return self._free.pop()
        except IndexError:
            return self._take_in_turn(deadline, address)

    def put(self, connected: Any) -> None:  # noqa: ANN401  # same
        self._free.append(connected)
        if self._waiting:
            with self._changed:
                self._changed.notify()

    def clear(self) -> None:
        """Close the idle connections; lent ones stay usable and are not lost."""
        with self._changed:
            for connected in tuple(self._free):
                connected.disconnect()

    def _take_in_turn(self, deadline: Deadline, address: str) -> Any:  # noqa: ANN401  # same
        with self._changed:
            # Counted before the check: `put` looks at the count after it has returned one.
            self._waiting += 1
            try:
                while not self._free:
                    if self._made < self._most:
                        self._made += 1
                        return self._make()
                    self._changed.wait(deadline.left_s())
                    if deadline.passed() and not self._free:
                        raise self._busy(address)
                return self._free.pop()
            finally:
                self._waiting -= 1

    def _busy(self, address: str) -> BusyError:
        return BusyError(
            f"all connections to Redis at {address} are in use",
            why=f"the limit is {self._most}",
            hint="Raise redis.connections, or send fewer requests at once.",
        )
