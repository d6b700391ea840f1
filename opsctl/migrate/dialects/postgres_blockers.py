"""Looks, from a connection of its own, at who keeps a running file waiting."""

import threading
from collections.abc import Sequence

from opsctl.errors import OpsctlError
from opsctl.migrate.dialect import Blocker, read_packaged_sql
from opsctl.systems.clock import Clock
from opsctl.systems.sql_scripts import Scripts, ScriptSession

# A file that waits no longer than this share of its lock_timeout is left in peace.
_PATIENCE = 0.3
_WITHOUT_LIMIT_S = 2.0
_LONGEST_LOOK_S = 0.25
_SHORTEST_LOOK_S = 0.02


class PostgresBlockerWatch:
    """One thread a run; it sleeps until a file takes longer than files do."""

    def __init__(self, scripts: Scripts, *, pid: int, clock: Clock) -> None:
        self._scripts = scripts
        self._pid = pid
        self._clock = clock
        self._ended = threading.Event()
        self._since = clock.steady()
        self._lock_s = 0.0
        self._seen: Sequence[Blocker] = ()
        self._thread = threading.Thread(target=self._look_out, daemon=True)

    def start_file(self, *, lock_s: float) -> None:
        self._seen = ()
        self._lock_s = lock_s
        self._since = self._clock.steady()
        if self._thread.ident is None:
            self._thread.start()

    def blockers(self) -> Sequence[Blocker]:
        return self._seen

    def close(self) -> None:
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join(timeout=_LONGEST_LOOK_S * 4)

    def _look_out(self) -> None:
        while not self._ended.wait(self._pause()):
            if self._is_late():
                # Who blocks is worth knowing and not worth failing for.
                try:
                    with self._scripts.session() as session:
                        self._look(session)
                except OpsctlError:
                    return

    def _look(self, session: ScriptSession) -> None:
        query = read_packaged_sql("blockers.postgres.sql")
        while self._is_late() and not self._ended.wait(self._pause()):
            rows = session.query(query, {"pid": self._pid})
            if rows:
                self._seen = [Blocker(int(p), who, text, float(age)) for p, who, text, age in rows]

    def _is_late(self) -> bool:
        patience_s = self._lock_s * _PATIENCE or _WITHOUT_LIMIT_S
        return self._clock.steady() - self._since > patience_s

    def _pause(self) -> float:
        return min(_LONGEST_LOOK_S, max(_SHORTEST_LOOK_S, (self._lock_s or 10) / 10))
