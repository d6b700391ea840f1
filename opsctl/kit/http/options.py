"""What both HTTP clients are configured with: settings, connections, a breaker, a rate."""

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from typing import Self

from opsctl.errors import OpsctlError
from opsctl.kit import adapters
from opsctl.kit.breaker import Breaker, GuardedCall
from opsctl.kit.chance import CHANCE
from opsctl.kit.http.request import HttpSettings, PendingRequest, RequestOptions, prepare_request
from opsctl.kit.http.response import Response
from opsctl.kit.limits.rates import Rate
from opsctl.systems.clock import AsyncClock
from opsctl.systems.http.pool import HttpPool

_DEFAULTS = HttpSettings()


@dataclass(frozen=True)
class HttpClientOptions:
    """Frozen: `with_...` makes another client, which shares the connections."""

    settings: HttpSettings = _DEFAULTS
    pool: HttpPool = field(default_factory=adapters.http_pool, repr=False)
    clock: AsyncClock = field(default_factory=adapters.system_clock, repr=False)
    breaker: Breaker | None = None
    rate: Rate | str = ""

    def with_breaker(self, breaker: Breaker) -> Self:
        """Stop calling a server that keeps failing; a 5xx response counts as a failure."""
        return replace(self, breaker=breaker)

    def with_headers(self, **headers: str) -> Self:
        """Send these headers with every request; `x_api_key` becomes x-api-key."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        merged = {**self.settings.headers, **named}
        return replace(self, settings=replace(self.settings, headers=merged))

    def _prepare(self, method: str, url: str, options: RequestOptions) -> PendingRequest:
        return prepare_request(method, url, options, settings=self.settings, clock=self.clock)

    def _guard(self) -> AbstractContextManager[GuardedCall]:
        return self.breaker.guard() if self.breaker else nullcontext(GuardedCall())

    def _pause_s(self, pending: PendingRequest, outcome: Response | OpsctlError) -> float | None:
        jitter = CHANCE.uniform(0.5, 1.0)
        return pending.pause_s(outcome, self.settings.retries, jitter)
