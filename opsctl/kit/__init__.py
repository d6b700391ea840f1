"""What the stack's own services import: each name loads only what it needs."""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from opsctl.kit.async_client import AsyncClient
    from opsctl.kit.async_http import AsyncHttpClient
    from opsctl.kit.breaker import Breaker, State
    from opsctl.kit.cache.async_cache import AsyncCache
    from opsctl.kit.cache.cache import Cache
    from opsctl.kit.cache.layers import Setup
    from opsctl.kit.cache.model import MISSING, Backend, CacheLimits, Ttl
    from opsctl.kit.client import Client
    from opsctl.kit.errors import BreakerOpenError, LimitedError
    from opsctl.kit.hashes import AsyncHashes, Hashes
    from opsctl.kit.http import HttpClient
    from opsctl.kit.http_answer import Answer, AnswerError
    from opsctl.kit.http_call import HttpSettings
    from opsctl.kit.http_rules import Retries
    from opsctl.kit.limit_counts import Decision, Policies
    from opsctl.kit.limiter import AsyncRateLimiter, RateLimiter
    from opsctl.kit.queue import AsyncQueue, Queue
    from opsctl.kit.queue_steps import QueueRules
    from opsctl.kit.rates import DART, KIS, KIS_REST, KIWOOM, NAVER, Rate
    from opsctl.kit.sessions import AsyncSessions, Sessions

__all__ = [
    "DART",
    "KIS",
    "KIS_REST",
    "KIWOOM",
    "MISSING",
    "NAVER",
    "Answer",
    "AnswerError",
    "AsyncCache",
    "AsyncClient",
    "AsyncHashes",
    "AsyncHttpClient",
    "AsyncQueue",
    "AsyncRateLimiter",
    "AsyncSessions",
    "Backend",
    "Breaker",
    "BreakerOpenError",
    "Cache",
    "CacheLimits",
    "Client",
    "Decision",
    "Hashes",
    "HttpClient",
    "HttpSettings",
    "LimitedError",
    "Policies",
    "Queue",
    "QueueRules",
    "Rate",
    "RateLimiter",
    "Retries",
    "Sessions",
    "Setup",
    "State",
    "Ttl",
]

_HOMES = {
    "AsyncCache": "opsctl.kit.cache.async_cache",
    "AsyncHashes": "opsctl.kit.hashes",
    "AsyncQueue": "opsctl.kit.queue",
    "AsyncSessions": "opsctl.kit.sessions",
    "Backend": "opsctl.kit.cache.model",
    "Cache": "opsctl.kit.cache.cache",
    "CacheLimits": "opsctl.kit.cache.model",
    "Hashes": "opsctl.kit.hashes",
    "MISSING": "opsctl.kit.cache.model",
    "Queue": "opsctl.kit.queue",
    "QueueRules": "opsctl.kit.queue_steps",
    "Sessions": "opsctl.kit.sessions",
    "Setup": "opsctl.kit.cache.layers",
    "Ttl": "opsctl.kit.cache.model",
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
