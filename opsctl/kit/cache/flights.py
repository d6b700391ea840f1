"""One computation a key in this process, for threads: the others wait for its outcome."""

import threading
from collections.abc import Callable

from opsctl.kit.cache.fill import Flight, Outcome

# After so many failures of others, their error is ours: the factory is broken, not unlucky.
_OTHERS_FAILURES = 2


class ThreadFlight(Flight):
    def __init__(self) -> None:
        self.done = threading.Event()
        self.changed = threading.Event()
        self.outcome: Outcome | None = None
        self.error: BaseException | None = None

    def wake(self) -> None:
        self.changed.set()

    def pause(self, seconds: float) -> None:
        self.changed.wait(seconds)
        self.changed.clear()


class Flights:
    """Forgets a key as soon as it is done: nothing grows with the number of keys."""

    def __init__(self, waiting: dict[str, ThreadFlight], wait_s: float) -> None:
        self._waiting = waiting
        self._wait_s = wait_s
        self._lock = threading.Lock()

    def restart(self) -> None:
        """Forget the threads of the parent; a forked child has none of them."""
        self._waiting.clear()
        self._lock = threading.Lock()

    def once(self, key: str, lead: Callable[[ThreadFlight], Outcome]) -> Outcome:
        """Lead, or wait for who leads; another's failure lets us try ourselves."""
        for turn in range(_OTHERS_FAILURES + 1):
            ours = ThreadFlight()
            with self._lock:
                flight = self._waiting.setdefault(key, ours)
            if flight is ours:
                return self._lead(key, ours, lead)
            if not flight.done.wait(self._wait_s):
                break
            if flight.outcome is not None:
                return flight.outcome
            if turn == _OTHERS_FAILURES - 1 and isinstance(flight.error, Exception):
                raise flight.error
        return lead(ThreadFlight())

    def start(self, key: str, lead: Callable[[ThreadFlight], Outcome]) -> Outcome | None:
        """Lead unless somebody does already."""
        with self._lock:
            if key in self._waiting:
                return None
            ours = self._waiting[key] = ThreadFlight()
        return self._lead(key, ours, lead)

    def _lead(
        self, key: str, flight: ThreadFlight, lead: Callable[[ThreadFlight], Outcome]
    ) -> Outcome:
        try:
            flight.outcome = lead(flight)
        except BaseException as error:
            flight.error = error
            raise
        finally:
            with self._lock:
                del self._waiting[key]
            flight.done.set()
        return flight.outcome
