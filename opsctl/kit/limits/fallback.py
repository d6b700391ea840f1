"""Chooses who grants a call: Redis, this process from its share, or nobody."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from opsctl.kit.limits.rates import Rate
from opsctl.kit.redis.availability import LONGEST_PAUSE_S

UnavailablePolicy = Literal["closed", "local", "open"]
CLOSED: UnavailablePolicy = "closed"
LOCAL: UnavailablePolicy = "local"
OPEN: UnavailablePolicy = "open"


class LimitSource(StrEnum):
    REDIS = "redis"
    PROBE = "probe"
    """Find out whether Redis serves this limiter again; no call is granted by that."""
    SHARE = "share"
    REFUSE_ALL = "refuse all"
    ALLOW_ALL = "allow all"


@dataclass(frozen=True, slots=True)
class LimitRoute:
    source: LimitSource
    closed_s: float = 0.0
    """How long every call is refused, because nobody knows what was granted before."""


@dataclass(slots=True)
class RedisFallback:
    """Moments are on the steady clock; None for what has not happened yet.

    No window may contain calls granted by Redis and calls granted from shares: after each switch
    one window passes without any. On the way back other processes may not have noticed yet, so
    the longest pause of their probers is added.
    """

    policy: UnavailablePolicy
    enabled: bool
    served_at: float | None = None
    lost_at: float | None = None
    served_before: float | None = None
    """When Redis last served before it was lost."""
    back_at: float | None = None
    probe_at: float = 0.0
    longest_window_s: float = 0.0

    def choose_route(self, rate: Rate, now: float, *, available: bool) -> LimitRoute:
        self.longest_window_s = max(self.longest_window_s, rate.window_s)
        if not self.enabled:
            return self._route_without_redis(rate, now)
        if self.lost_at is None and available:
            return LimitRoute(LimitSource.REDIS)
        if self.lost_at is None:
            self.mark_failed(now)
            self.probe_at = now
        if self.back_at is None:
            if available and now >= self.probe_at:
                return LimitRoute(LimitSource.PROBE)
            return self._route_without_redis(rate, now)
        closed_s = self.back_at + LONGEST_PAUSE_S + rate.window_s - now
        if closed_s > 0 and self._may_have_shared(rate):
            return LimitRoute(LimitSource.REFUSE_ALL, closed_s)
        return LimitRoute(LimitSource.REDIS)

    def mark_served(self, now: float) -> None:
        """Record that Redis answered."""
        self.served_at = now
        if self.lost_at is not None and self.back_at is None:
            self.back_at = now

    def mark_failed(self, now: float) -> None:
        """Record that Redis did not serve this limiter, whatever the reason."""
        self.probe_at = now + LONGEST_PAUSE_S
        if self.lost_at is not None and self.back_at is None:
            return
        if self.back_at is None or now > self.back_at + LONGEST_PAUSE_S + self.longest_window_s:
            self.served_before = self.served_at
        self.lost_at, self.back_at = now, None

    def _route_without_redis(self, rate: Rate, now: float) -> LimitRoute:
        if self.policy == OPEN:
            return LimitRoute(LimitSource.ALLOW_ALL)
        if self.policy == CLOSED:
            return LimitRoute(LimitSource.REFUSE_ALL, LONGEST_PAUSE_S)
        closed_s = 0.0 if self.lost_at is None else self.lost_at + rate.window_s - now
        if closed_s > 0:
            return LimitRoute(LimitSource.REFUSE_ALL, closed_s)
        return LimitRoute(LimitSource.SHARE)

    def _may_have_shared(self, rate: Rate) -> bool:
        """Whether shares may have been granted: never in an outage shorter than a window."""
        if self.policy != LOCAL or self.back_at is None:
            return False
        since = self.served_before
        return since is None or self.back_at + LONGEST_PAUSE_S > since + rate.window_s
