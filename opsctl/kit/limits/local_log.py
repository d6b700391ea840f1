"""The log of calls granted in this process: used while Redis is unavailable, and in tests."""

import threading
from collections import deque
from dataclasses import dataclass, field

from opsctl.kit.limits.rates import Rate

_SWEEP_AT = 1024


@dataclass(frozen=True, slots=True)
class LocalGrant:
    """Whether a call is granted, and when it may be made."""

    granted: bool
    remaining: int
    delay_s: float


@dataclass(slots=True)
class _Log:
    ends_at: float = 0.0
    moments: deque[float] = field(default_factory=deque)


class LocalLogs:
    """Follows the rules of the script, on the steady clock; logs that ended are swept out."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._logs: dict[tuple[str, str], _Log] = {}
        self._sweep_at = _SWEEP_AT

    def __len__(self) -> int:
        return len(self._logs)

    def take(self, rate: Rate, now: float, *, patience_s: float) -> LocalGrant:
        with self._lock:
            log = self._log_of(rate, now)
            moments = log.moments
            while moments and moments[0] <= now - rate.window_s:
                moments.popleft()
            full = len(moments) >= rate.limit
            moment = moments[-rate.limit] + rate.window_s if full else now
            if granted := moment - now <= patience_s:
                moments.append(moment)
                log.ends_at = moment + rate.window_s
            return LocalGrant(granted, max(0, rate.limit - len(moments)), moment - now)

    def _log_of(self, rate: Rate, now: float) -> _Log:
        if len(self._logs) >= self._sweep_at:
            self._logs = {name: log for name, log in self._logs.items() if log.ends_at > now}
            self._sweep_at = max(_SWEEP_AT, 2 * len(self._logs))
        return self._logs.setdefault((rate.name, rate.subject), _Log())
