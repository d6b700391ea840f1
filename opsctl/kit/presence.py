"""Is Redis there? One answer for all parts of a client, said once a change."""

import threading
from collections.abc import Callable

from opsctl.errors import OpsctlError, SettingsError, UnreachableError
from opsctl.logs import logger

log = logger(__name__)

FIRST_PAUSE_S = 0.05
LONGEST_PAUSE_S = 2.0
"""The longest that a server is back without this process knowing."""

# A server that does not let us in is as far away as one that does not answer.
AWAY = (UnreachableError, SettingsError)


class Presence:
    def __init__(self, address: str, *, enabled: bool) -> None:
        self._address = address
        self._lock = threading.Lock()
        self._callbacks: list[Callable[[bool], None]] = []
        self._away: OpsctlError | None = None
        if not enabled:
            self._away = UnreachableError("Redis is switched off", why="REDIS_ENABLED is false")

    @property
    def away(self) -> bool:
        return self._away is not None

    def require(self) -> None:
        """Fail at once while Redis is known to be away: nobody waits for a deadline twice."""
        away = self._away
        if away is not None:
            raise UnreachableError(away.what, why=away.why, hint=away.hint)

    def watch(self, callback: Callable[[bool], None]) -> None:
        self._callbacks.append(callback)

    def lost(self, error: OpsctlError) -> bool:
        """Note that Redis is away; true for the first to notice."""
        with self._lock:
            if self._away is not None:
                return False
            self._away = error
        log.warning(
            "redis is away", extra={"redis": self._address, "what": error.what, "why": error.why}
        )
        self._tell(there=False)
        return True

    def found(self) -> None:
        with self._lock:
            if self._away is None:
                return
            self._away = None
        log.warning("redis is back", extra={"redis": self._address})
        self._tell(there=True)

    def _tell(self, *, there: bool) -> None:
        for callback in tuple(self._callbacks):
            callback(there)


def next_pause(pause_s: float) -> float:
    return min(LONGEST_PAUSE_S, pause_s * 2)
