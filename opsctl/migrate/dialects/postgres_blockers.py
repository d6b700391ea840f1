"""Finds, over its own connection, the sessions that block a running file."""

import threading
from collections.abc import Sequence

from opsctl.errors import OpsctlError
from opsctl.migrate.dialect import Blocker, read_packaged_sql
from opsctl.systems.clock import Clock
from opsctl.systems.sql_scripts import Scripts, ScriptSession

# Look only after a file has taken longer than this share of its lock_timeout.
_LATE_SHARE = 0.3
_WITHOUT_LIMIT_S = 2.0
_LONGEST_PAUSE_S = 0.25
_SHORTEST_PAUSE_S = 0.02


class PostgresBlockerWatch:
    """One thread per run, which sleeps until a file takes unusually long."""

    def __init__(self, scripts: Scripts, *, pid: int, clock: Clock) -> None:
        self._scripts = scripts
        self._pid = pid
        self._clock = clock
        self._ended = threading.Event()
        self._since = clock.steady()
        self._lock_s = 0.0
        self._blockers: Sequence[Blocker] = ()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def start_file(self, *, lock_s: float) -> None:
        self._blockers = ()
        self._lock_s = lock_s
        self._since = self._clock.steady()
        if self._thread.ident is None:
            self._thread.start()

    def blockers(self) -> Sequence[Blocker]:
        return self._blockers

    def close(self) -> None:
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join(timeout=_LONGEST_PAUSE_S * 4)

    def _watch(self) -> None:
        while not self._ended.wait(self._pause()):
            if self._is_late():
                # Knowing who blocks is useful, but not worth failing for.
                try:
                    with self._scripts.session() as session:
                        self._find_blockers(session)
                except OpsctlError:
                    return

    def _find_blockers(self, session: ScriptSession) -> None:
        query = read_packaged_sql("blockers.postgres.sql")
        while self._is_late() and not self._ended.is_set():
            rows = session.query(query, {"pid": self._pid})
            if rows:
                self._blockers = [
                    Blocker(int(p), who, text, float(age)) for p, who, text, age in rows
                ]
            self._ended.wait(self._pause())

    def _is_late(self) -> bool:
        late_after_s = self._lock_s * _LATE_SHARE or _WITHOUT_LIMIT_S
        return self._clock.steady() - self._since > late_after_s

    def _pause(self) -> float:
        return min(_LONGEST_PAUSE_S, max(_SHORTEST_PAUSE_S, (self._lock_s or 10) / 10))
