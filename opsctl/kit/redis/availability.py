"""Whether Redis is available: one answer for all parts of a client, reported once per change."""

import threading
from collections.abc import Callable

from opsctl.errors import OpsctlError, SettingsError, UnreachableError
from opsctl.logs import logger

log = logger(__name__)

FIRST_PAUSE_S = 0.05
LONGEST_PAUSE_S = 2.0
"""The longest time that a server is back before this process notices."""

# A server that refuses our password is of as little use as one that does not answer.
UNAVAILABLE_ERRORS = (UnreachableError, SettingsError)


class Availability:
    def __init__(self, address: str, *, enabled: bool) -> None:
        self._address = address
        self._lock = threading.Lock()
        self._callbacks: list[Callable[[bool], None]] = []
        self._error: OpsctlError | None = None
        if not enabled:
            self._error = UnreachableError("cannot use Redis", why="REDIS_ENABLED is false")

    @property
    def available(self) -> bool:
        return self._error is None

    def require(self) -> None:
        """Fail at once while Redis is known to be unavailable: only one call waits in vain."""
        error = self._error
        if error is not None:
            raise UnreachableError(error.what, why=error.why, hint=error.hint)

    def on_change(self, callback: Callable[[bool], None]) -> None:
        self._callbacks.append(callback)

    def mark_unavailable(self, error: OpsctlError) -> bool:
        """Record that Redis is unavailable; true for the first caller to notice."""
        with self._lock:
            if self._error is not None:
                return False
            self._error = error
        facts = {"redis": self._address, "what": error.what, "why": error.why}
        log.warning("redis is unavailable", extra=facts)
        self._report(available=False)
        return True

    def mark_available(self) -> None:
        with self._lock:
            if self._error is None:
                return
            self._error = None
        log.warning("redis is available again", extra={"redis": self._address})
        self._report(available=True)

    def restart_after_fork(self) -> None:
        """Replace a lock that a thread of the parent may have held."""
        self._lock = threading.Lock()

    def _report(self, *, available: bool) -> None:
        for callback in tuple(self._callbacks):
            callback(available)


def next_pause(pause_s: float) -> float:
    return min(LONGEST_PAUSE_S, pause_s * 2)
