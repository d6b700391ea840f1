"""What both HTTP clients are made of: frozen settings, connections that copies share, a guard."""

import random
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from typing import Self

from opsctl.errors import OpsctlError
from opsctl.kit import parts
from opsctl.kit.breaker import Attempt, Breaker
from opsctl.kit.http_answer import Answer
from opsctl.kit.http_call import Call, HttpSettings, Order, order
from opsctl.kit.rates import Rate
from opsctl.systems.clock import AsyncClock
from opsctl.systems.http.pool import HttpPool

_DEFAULTS = HttpSettings()


@dataclass(frozen=True)
class BaseHttpClient:
    """Frozen: `with_...` makes another client, which shares the connections."""

    settings: HttpSettings = _DEFAULTS
    pool: HttpPool = field(default_factory=parts.http_pool, repr=False)
    clock: AsyncClock = field(default_factory=parts.system_clock, repr=False)
    breaker: Breaker | None = None
    rate: Rate | str = ""

    def with_breaker(self, breaker: Breaker) -> Self:
        """Stop calling a server that keeps failing; a 5xx counts."""
        return replace(self, breaker=breaker)

    def with_headers(self, **headers: str) -> Self:
        """Send these with every call; `x_api_key` becomes x-api-key."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        merged = {**self.settings.headers, **named}
        return replace(self, settings=replace(self.settings, headers=merged))

    def _order(self, method: str, url: str, call: Call) -> Order:
        return order(method, url, call, settings=self.settings, clock=self.clock)

    def _guard(self) -> AbstractContextManager[Attempt]:
        return self.breaker.attempt() if self.breaker else nullcontext(Attempt())

    def _pause_s(self, sent: Order, outcome: Answer | OpsctlError) -> float | None:
        spread = random.uniform(0.5, 1.0)  # noqa: S311 - no secret
        return sent.pause_s(outcome, self.settings.retries, spread)
