"""What the stack's own services import: each name loads only what it needs."""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from opsctl.kit.async_client import AsyncClient
    from opsctl.kit.async_http import AsyncHttpClient
    from opsctl.kit.breaker import Breaker, State
    from opsctl.kit.client import Client
    from opsctl.kit.errors import BreakerOpenError, LimitedError
    from opsctl.kit.http import HttpClient
    from opsctl.kit.http_answer import Answer, AnswerError
    from opsctl.kit.http_call import HttpSettings
    from opsctl.kit.http_rules import Retries
    from opsctl.kit.limit_counts import Decision, Policies
    from opsctl.kit.limiter import AsyncRateLimiter, RateLimiter
    from opsctl.kit.rates import DART, KIS, KIS_REST, KIWOOM, NAVER, Rate

__all__ = [
    "DART",
    "KIS",
    "KIS_REST",
    "KIWOOM",
    "NAVER",
    "Answer",
    "AnswerError",
    "AsyncClient",
    "AsyncHttpClient",
    "AsyncRateLimiter",
    "Breaker",
    "BreakerOpenError",
    "Client",
    "Decision",
    "HttpClient",
    "HttpSettings",
    "LimitedError",
    "Policies",
    "Rate",
    "RateLimiter",
    "Retries",
    "State",
]

_HOMES = {
    "Answer": "opsctl.kit.http_answer",
    "AnswerError": "opsctl.kit.http_answer",
    "AsyncClient": "opsctl.kit.async_client",
    "AsyncHttpClient": "opsctl.kit.async_http",
    "AsyncRateLimiter": "opsctl.kit.limiter",
    "Breaker": "opsctl.kit.breaker",
    "BreakerOpenError": "opsctl.kit.errors",
    "Client": "opsctl.kit.client",
    "DART": "opsctl.kit.rates",
    "Decision": "opsctl.kit.limit_counts",
    "HttpClient": "opsctl.kit.http",
    "HttpSettings": "opsctl.kit.http_call",
    "KIS": "opsctl.kit.rates",
    "KIS_REST": "opsctl.kit.rates",
    "KIWOOM": "opsctl.kit.rates",
    "LimitedError": "opsctl.kit.errors",
    "NAVER": "opsctl.kit.rates",
    "Policies": "opsctl.kit.limit_counts",
    "Rate": "opsctl.kit.rates",
    "RateLimiter": "opsctl.kit.limiter",
    "Retries": "opsctl.kit.http_rules",
    "State": "opsctl.kit.breaker",
}


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(importlib.import_module(home), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted(__all__)
