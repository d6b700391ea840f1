"""Decides who is asked for a call: Redis, this process's share, or nobody."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from opsctl.kit.presence import LONGEST_PAUSE_S
from opsctl.kit.rates import Rate

Policy = Literal["closed", "local", "open"]
CLOSED: Policy = "closed"
LOCAL: Policy = "local"
OPEN: Policy = "open"


class Ask(StrEnum):
    REDIS = "redis"
    PEEK = "peek"
    """See whether Redis serves this limiter again, without a call being granted."""
    SHARE = "share"
    NOBODY = "nobody"
    EVERYBODY = "everybody"


@dataclass(frozen=True, slots=True)
class Way:
    ask: Ask
    shut_s: float = 0.0
    """How long nobody is asked; Redis's word on it is not known."""


@dataclass(slots=True)
class Gate:
    """Moments on the steady clock; None for what did not happen yet.

    No window may hold calls granted by Redis and by shares: whoever changes over waits for a
    window. On the way back others may not have noticed yet, so their longest pause is added.
    """

    policy: Policy
    enabled: bool
    served_at: float | None = None
    lost_at: float | None = None
    served_before: float | None = None
    """When Redis last served, before it was lost."""
    back_at: float | None = None
    peek_at: float = 0.0
    longest_window_s: float = 0.0

    def way(self, rate: Rate, now: float, *, there: bool) -> Way:
        self.longest_window_s = max(self.longest_window_s, rate.window_s)
        if not self.enabled:
            return self._without(rate, now)
        if self.lost_at is None and there:
            return Way(Ask.REDIS)
        if self.lost_at is None:
            self.failed(now)
            self.peek_at = now
        if self.back_at is None:
            return Way(Ask.PEEK) if there and now >= self.peek_at else self._without(rate, now)
        shut_s = self.back_at + LONGEST_PAUSE_S + rate.window_s - now
        return Way(Ask.NOBODY, shut_s) if shut_s > 0 and self._shared(rate) else Way(Ask.REDIS)

    def served(self, now: float) -> None:
        """Redis answered."""
        self.served_at = now
        if self.lost_at is not None and self.back_at is None:
            self.back_at = now

    def failed(self, now: float) -> None:
        """Redis did not serve this limiter, whatever the reason."""
        self.peek_at = now + LONGEST_PAUSE_S
        if self.lost_at is not None and self.back_at is None:
            return
        if self.back_at is None or now > self.back_at + LONGEST_PAUSE_S + self.longest_window_s:
            self.served_before = self.served_at
        self.lost_at, self.back_at = now, None

    def _without(self, rate: Rate, now: float) -> Way:
        if self.policy == OPEN:
            return Way(Ask.EVERYBODY)
        if self.policy == CLOSED:
            return Way(Ask.NOBODY, LONGEST_PAUSE_S)
        shut_s = 0.0 if self.lost_at is None else self.lost_at + rate.window_s - now
        return Way(Ask.NOBODY, shut_s) if shut_s > 0 else Way(Ask.SHARE)

    def _shared(self, rate: Rate) -> bool:
        """Whether shares may have been granted: never in an outage shorter than a window."""
        if self.policy != LOCAL or self.back_at is None:
            return False
        since = self.served_before
        return since is None or self.back_at + LONGEST_PAUSE_S > since + rate.window_s
