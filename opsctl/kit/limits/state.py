"""What a limiter knows without asking Redis, and what the replies of Redis mean."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from opsctl.errors import OpsctlError
from opsctl.kit.errors import LimitedError
from opsctl.kit.limits.fallback import (
    LOCAL,
    LimitRoute,
    LimitSource,
    RedisFallback,
    UnavailablePolicy,
)
from opsctl.kit.limits.local_log import LocalLogs
from opsctl.kit.limits.rates import Rate, process_share, split_window
from opsctl.kit.redis.availability import LONGEST_PAUSE_S
from opsctl.logs import logger
from opsctl.systems.clock import Clock
from opsctl.systems.redis.target import Command, Word

log = logger(__name__)

_MICROS = 1_000_000
_REMEMBERED_KEYS = 4096
_REGISTRY_TTL_S = 30 * 86_400
_NEVER_GRANT = -1.0
_TRUST = -1

AfterRestart = Literal["wait", "trust"]


class LimitDecision(NamedTuple):
    allowed: bool
    remaining: int
    """Calls that would be allowed right after this one."""
    retry_after: float
    """Seconds until a refused call may succeed; 0 for an allowed one."""


@dataclass(frozen=True, slots=True)
class LimitPolicies:
    """What a limiter does while Redis is unavailable, or fails to serve it."""

    when_unavailable: UnavailablePolicy = LOCAL
    processes: int = 4
    """The number of processes among which a limit is divided."""
    after_restart: AfterRestart = "wait"
    """Redis may have forgotten calls in a restart: wait for a window, or trust that it did not.

    A process that Redis served before always waits.
    """


@dataclass(frozen=True, slots=True)
class LimitReply:
    granted: bool
    remaining: int
    delay_s: float
    """Until the granted call may be made, or until a refused one may succeed."""
    may_change: bool = False
    """Refused only because Redis could not be asked."""

    @property
    def decision(self) -> LimitDecision:
        return LimitDecision(self.granted, self.remaining, 0.0 if self.granted else self.delay_s)

    def pause_s(self, rate: Rate, left_s: float) -> float:
        """Return how long to wait for the call or the next try; LimitedError if it is too long."""
        if self.granted or (self.may_change and left_s > 0):
            return self.delay_s if self.granted else min(self.delay_s, left_s)
        raise LimitedError(
            f"cannot get a place within the rate limit {rate} in time",
            retry_after_s=self.delay_s,
            why="Redis is unavailable" if self.may_change else "it is used up",
        )


class LimiterState:
    def __init__(
        self, prefix: str, clock: Clock, policies: LimitPolicies, *, enabled: bool
    ) -> None:
        self._prefix = prefix
        self._clock = clock
        self._policies = policies
        self._grace = _grace_micros(policies)
        self._fallback = RedisFallback(policies.when_unavailable, enabled=enabled)
        self._logs = LocalLogs()
        self._registered: set[Rate] = set()
        self._log_ends: dict[str, int] = {}
        self._failing = False

    def choose_route(self, rate: Rate, *, available: bool) -> LimitRoute:
        return self._fallback.choose_route(rate, self._clock.steady(), available=available)

    def script_arguments(
        self, rate: Rate, route: LimitRoute, patience_s: float
    ) -> tuple[Sequence[str], Sequence[Word]]:
        """Return the keys and arguments of the script."""
        split = split_window(rate)
        key = log_key(self._prefix, rate)
        patience_s = _NEVER_GRANT if route.source is LimitSource.PROBE else patience_s
        known_end = self._log_ends.get(key, 0)
        numbers = (_micros(split.window_s), _micros(patience_s), known_end, self._grace)
        return (key,), (split.limit, *numbers)

    def read_reply(self, rate: Rate, reply: Any) -> LimitReply:  # noqa: ANN401 - a reply of Redis
        granted, remaining, delay, ends = reply
        self._remember_end(log_key(self._prefix, rate), ends)
        self._fallback.mark_served(self._clock.steady())
        if self._failing:
            self._failing = False
            log.warning("limits are shared again", extra={"prefix": self._prefix})
        return LimitReply(bool(granted), remaining, delay / _MICROS)

    def mark_failed(self, error: OpsctlError) -> None:
        """Record that Redis did not serve; logged once, until it does again."""
        self._fallback.mark_failed(self._clock.steady())
        self._registered.clear()
        if not self._failing:
            self._failing = True
            policy = self._policies.when_unavailable
            facts = {"policy": policy, "what": error.what, "why": error.why}
            log.warning("limits are not shared", extra={"prefix": self._prefix, **facts})

    def decide_without_redis(self, rate: Rate, route: LimitRoute, patience_s: float) -> LimitReply:
        """Decide by the policy."""
        if route.source is LimitSource.ALLOW_ALL:
            return LimitReply(granted=True, remaining=rate.limit, delay_s=0.0)
        if route.source is LimitSource.REFUSE_ALL:
            return LimitReply(granted=False, remaining=0, delay_s=route.closed_s, may_change=True)
        share = process_share(split_window(rate), self._policies.processes)
        grant = self._logs.take(share, self._clock.steady(), patience_s=patience_s)
        return LimitReply(grant.granted, grant.remaining, grant.delay_s)

    def registration(self, rate: Rate) -> Sequence[Command]:
        """Return the commands that let `opsctl limits` list this rate; none if it is listed."""
        whole = rate.of("") if rate.subject else rate
        if whole in self._registered:
            return ()
        self._registered.add(whole)
        registry = registry_key(self._prefix)
        text = f"{rate.limit}/{rate.window_s:g}"
        return (("HSET", registry, rate.name, text), ("EXPIRE", registry, _REGISTRY_TTL_S))

    def _remember_end(self, key: str, ends: int) -> None:
        if len(self._log_ends) >= _REMEMBERED_KEYS:
            # The oldest half has ended long ago, or will be known again at the next call.
            for old in list(self._log_ends)[: _REMEMBERED_KEYS // 2]:
                self._log_ends.pop(old, None)
        self._log_ends[key] = ends


def log_key(prefix: str, rate: Rate) -> str:
    return f"{prefix}:limit:{rate.name}" + (f":{rate.subject}" if rate.subject else "")


def registry_key(prefix: str) -> str:
    return f"{prefix}:limits"


def _grace_micros(policies: LimitPolicies) -> int:
    """How long after a restart others may still use their share, as the script expects it."""
    if policies.after_restart == "trust":
        return _TRUST
    return _micros(LONGEST_PAUSE_S) if policies.when_unavailable == LOCAL else 0


def _micros(seconds: float) -> int:
    return math.ceil(seconds * _MICROS)
