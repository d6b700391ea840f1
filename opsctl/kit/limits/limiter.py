# Generated from opsctl/kit/limits/async_limiter.py by `make unasync`: edit that file instead.
"""`RateLimiter`: one limit for any number of processes, exact in every window."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Self

from opsctl.errors import OpsctlError
from opsctl.kit.limits.fallback import LimitSource
from opsctl.kit.limits.rates import PRESETS, Rate, find_rate, load_rates
from opsctl.kit.limits.script import TAKE
from opsctl.kit.limits.state import LimitDecision, LimiterState, LimitPolicies, LimitReply

if TYPE_CHECKING:
    from opsctl.kit.redis.client import RedisClient
    from opsctl.settings import Settings

_DEFAULT = LimitPolicies()
_USES_REDIS = (LimitSource.REDIS, LimitSource.PROBE)


class RateLimiter:
    """Threads may share one."""

    def __init__(
        self,
        client: "RedisClient",
        prefix: str = "opsctl",
        *,
        policies: LimitPolicies = _DEFAULT,
        rates: Mapping[str, Rate] = PRESETS,
    ) -> None:
        self.rates = rates
        self._client = client
        self._state = LimiterState(prefix, client.clock, policies, enabled=client.enabled)

    @classmethod
    def from_settings(cls, client: "RedisClient", settings: "Settings") -> Self:
        limits = settings.limits
        policies = LimitPolicies(limits.when_unavailable, limits.processes, limits.after_restart)
        return cls(client, limits.prefix, policies=policies, rates=load_rates(limits))

    def allow(self, rate: Rate | str) -> LimitDecision:
        """Decide at once whether one call may be made now; an allowed call counts."""
        reply = self._take(find_rate(rate, self.rates), 0.0)
        return reply.decision

    def wait(self, rate: Rate | str, max_wait: float) -> LimitDecision:
        """Reserve the next free place and sleep until it comes; LimitedError if it is too far."""
        rate, clock = find_rate(rate, self.rates), self._client.clock
        ends_at = clock.steady() + max_wait
        while True:
            reply = self._take(rate, max(0.0, ends_at - clock.steady()))
            clock.sleep(reply.pause_s(rate, ends_at - clock.steady()))
            if reply.granted:
                return reply.decision

    def _take(self, rate: Rate, patience_s: float) -> LimitReply:
        while True:
            route = self._state.choose_route(rate, available=self._client.available)
            if route.source not in _USES_REDIS:
                return self._state.decide_without_redis(rate, route, patience_s)
            keys, args = self._state.script_arguments(rate, route, patience_s)
            try:
                if registration := self._state.registration(rate):
                    self._client.calls(registration)
                reply = self._state.read_reply(rate, self._client.run(TAKE, keys, args))
            except OpsctlError as error:
                self._state.mark_failed(error)
            else:
                if route.source is LimitSource.REDIS:
                    return reply
