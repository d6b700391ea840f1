"""`RateLimiter`: one limit over any number of processes, exact in every window."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Self

from opsctl.errors import OpsctlError, UsageError
from opsctl.kit.limit_counts import Answer, Counts, Decision, Policies
from opsctl.kit.limit_gate import Ask
from opsctl.kit.limit_script import TAKE
from opsctl.kit.rates import PRESETS, Rate, rates_of

if TYPE_CHECKING:
    from opsctl.kit.async_client import AsyncClient
    from opsctl.kit.client import Client
    from opsctl.settings import Settings

_DEFAULT = Policies()
_ASKS_REDIS = (Ask.REDIS, Ask.PEEK)


class RateLimiter:
    """Threads share one."""

    def __init__(
        self,
        client: "Client",
        prefix: str = "opsctl",
        *,
        policies: Policies = _DEFAULT,
        rates: Mapping[str, Rate] = PRESETS,
    ) -> None:
        self.rates = rates
        self._client = client
        self._counts = Counts(prefix, client.clock, policies, enabled=client.enabled)

    @classmethod
    def from_settings(cls, client: "Client", settings: "Settings") -> Self:
        limits = settings.limits
        policies = Policies(limits.when_unavailable, limits.processes, limits.after_restart)
        return cls(client, limits.prefix, policies=policies, rates=rates_of(limits))

    def allow(self, rate: Rate | str) -> Decision:
        """Say at once whether one call may be made now; a yes has taken its place."""
        return self._take(named(rate, self.rates), 0.0).decision

    def wait(self, rate: Rate | str, max_wait: float) -> Decision:
        """Reserve the next free place and sleep until it comes; LimitedError if it is too far."""
        rate, clock = named(rate, self.rates), self._client.clock
        ends_at = clock.steady() + max_wait
        while True:
            answer = self._take(rate, max(0.0, ends_at - clock.steady()))
            clock.sleep(answer.pause_s(rate, ends_at - clock.steady()))
            if answer.granted:
                return answer.decision

    def _take(self, rate: Rate, patience_s: float) -> Answer:
        while True:
            way = self._counts.way(rate, there=self._client.available)
            if way.ask not in _ASKS_REDIS:
                return self._counts.alone(rate, way, patience_s)
            keys, args = self._counts.question(rate, way, patience_s)
            try:
                if news := self._counts.news(rate):
                    self._client.calls(news)
                answer = self._counts.read(rate, self._client.run(TAKE, keys, args))
            except OpsctlError as error:
                self._counts.failed(error)
            else:
                if way.ask is Ask.REDIS:
                    return answer


class AsyncRateLimiter:
    """For the event loop of its client."""

    def __init__(
        self,
        client: "AsyncClient",
        prefix: str = "opsctl",
        *,
        policies: Policies = _DEFAULT,
        rates: Mapping[str, Rate] = PRESETS,
    ) -> None:
        self.rates = rates
        self._client = client
        self._counts = Counts(prefix, client.clock, policies, enabled=client.enabled)

    @classmethod
    def from_settings(cls, client: "AsyncClient", settings: "Settings") -> Self:
        limits = settings.limits
        policies = Policies(limits.when_unavailable, limits.processes, limits.after_restart)
        return cls(client, limits.prefix, policies=policies, rates=rates_of(limits))

    async def allow(self, rate: Rate | str) -> Decision:
        """Say at once whether one call may be made now; a yes has taken its place."""
        return (await self._take(named(rate, self.rates), 0.0)).decision

    async def wait(self, rate: Rate | str, max_wait: float) -> Decision:
        """Reserve the next free place and rest until it comes; LimitedError if it is too far."""
        rate, clock = named(rate, self.rates), self._client.clock
        ends_at = clock.steady() + max_wait
        while True:
            answer = await self._take(rate, max(0.0, ends_at - clock.steady()))
            await clock.rest(answer.pause_s(rate, ends_at - clock.steady()))
            if answer.granted:
                return answer.decision

    async def _take(self, rate: Rate, patience_s: float) -> Answer:
        while True:
            way = self._counts.way(rate, there=self._client.available)
            if way.ask not in _ASKS_REDIS:
                return self._counts.alone(rate, way, patience_s)
            keys, args = self._counts.question(rate, way, patience_s)
            try:
                if news := self._counts.news(rate):
                    await self._client.calls(news)
                answer = self._counts.read(rate, await self._client.run(TAKE, keys, args))
            except OpsctlError as error:
                self._counts.failed(error)
            else:
                if way.ask is Ask.REDIS:
                    return answer


def named(rate: Rate | str, rates: Mapping[str, Rate]) -> Rate:
    """Find a rate by its name."""
    if isinstance(rate, Rate):
        return rate
    if rate not in rates:
        raise UsageError(
            f"there is no rate {rate!r}", hint=f"Use one of {', '.join(rates)}; see limits.custom."
        )
    return rates[rate]
