"""The limiter's log in this process alone: for a share while Redis is away, and for tests."""

import threading
from collections import deque
from dataclasses import dataclass, field

from opsctl.kit.rates import Rate

_SWEEP_AT = 1024


@dataclass(frozen=True, slots=True)
class Slot:
    """One answer of a log: when the call may be made, if it may."""

    granted: bool
    remaining: int
    delay_s: float


@dataclass(slots=True)
class _Log:
    ends_at: float = 0.0
    moments: deque[float] = field(default_factory=deque)


class LocalLogs:
    """Keeps to the script's rules, on the steady clock; logs that ended are swept out."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._logs: dict[tuple[str, str], _Log] = {}
        self._sweep_at = _SWEEP_AT

    def __len__(self) -> int:
        return len(self._logs)

    def take(self, rate: Rate, now: float, *, patience_s: float) -> Slot:
        with self._lock:
            log = self._log(rate, now)
            moments = log.moments
            while moments and moments[0] <= now - rate.window_s:
                moments.popleft()
            full = len(moments) >= rate.limit
            slot = moments[-rate.limit] + rate.window_s if full else now
            if granted := slot - now <= patience_s:
                moments.append(slot)
                log.ends_at = slot + rate.window_s
            return Slot(granted, max(0, rate.limit - len(moments)), slot - now)

    def _log(self, rate: Rate, now: float) -> _Log:
        if len(self._logs) >= self._sweep_at:
            self._logs = {name: log for name, log in self._logs.items() if log.ends_at > now}
            self._sweep_at = max(_SWEEP_AT, 2 * len(self._logs))
        return self._logs.setdefault((rate.name, rate.subject), _Log())
