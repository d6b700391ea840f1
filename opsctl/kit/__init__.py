"""What the stack's own services import: each name loads only what it needs."""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from opsctl.kit.breaker import Breaker, BreakerState
    from opsctl.kit.cache.async_cache import AsyncCache
    from opsctl.kit.cache.cache import Cache
    from opsctl.kit.cache.model import MISSING, Backend, CacheLimits, Ttl
    from opsctl.kit.cache.state import CacheOptions
    from opsctl.kit.data.async_hashes import AsyncHashes
    from opsctl.kit.data.async_queue import AsyncQueue
    from opsctl.kit.data.async_sessions import AsyncSessions
    from opsctl.kit.data.hashes import Hashes
    from opsctl.kit.data.queue import Queue
    from opsctl.kit.data.queue_effects import QueueRules
    from opsctl.kit.data.sessions import Sessions
    from opsctl.kit.errors import BreakerOpenError, LimitedError
    from opsctl.kit.http.async_client import AsyncHttpClient
    from opsctl.kit.http.client import HttpClient
    from opsctl.kit.http.request import HttpSettings
    from opsctl.kit.http.response import Response, ResponseError
    from opsctl.kit.http.retries import Retries
    from opsctl.kit.limits.async_limiter import AsyncRateLimiter
    from opsctl.kit.limits.limiter import RateLimiter
    from opsctl.kit.limits.rates import DART, KIS, KIS_REST, KIWOOM, NAVER, Rate
    from opsctl.kit.limits.state import LimitDecision, LimitPolicies
    from opsctl.kit.redis.async_client import AsyncRedisClient
    from opsctl.kit.redis.client import RedisClient

__all__ = [
    "DART",
    "KIS",
    "KIS_REST",
    "KIWOOM",
    "MISSING",
    "NAVER",
    "AsyncCache",
    "AsyncHashes",
    "AsyncHttpClient",
    "AsyncQueue",
    "AsyncRateLimiter",
    "AsyncRedisClient",
    "AsyncSessions",
    "Backend",
    "Breaker",
    "BreakerOpenError",
    "BreakerState",
    "Cache",
    "CacheLimits",
    "CacheOptions",
    "Hashes",
    "HttpClient",
    "HttpSettings",
    "LimitDecision",
    "LimitPolicies",
    "LimitedError",
    "Queue",
    "QueueRules",
    "Rate",
    "RateLimiter",
    "RedisClient",
    "Response",
    "ResponseError",
    "Retries",
    "Sessions",
    "Ttl",
]

_HOMES = {
    "AsyncCache": "opsctl.kit.cache.async_cache",
    "AsyncHashes": "opsctl.kit.data.async_hashes",
    "AsyncHttpClient": "opsctl.kit.http.async_client",
    "AsyncQueue": "opsctl.kit.data.async_queue",
    "AsyncRateLimiter": "opsctl.kit.limits.async_limiter",
    "AsyncRedisClient": "opsctl.kit.redis.async_client",
    "AsyncSessions": "opsctl.kit.data.async_sessions",
    "Backend": "opsctl.kit.cache.model",
    "Breaker": "opsctl.kit.breaker",
    "BreakerOpenError": "opsctl.kit.errors",
    "BreakerState": "opsctl.kit.breaker",
    "Cache": "opsctl.kit.cache.cache",
    "CacheLimits": "opsctl.kit.cache.model",
    "CacheOptions": "opsctl.kit.cache.state",
    "DART": "opsctl.kit.limits.rates",
    "Hashes": "opsctl.kit.data.hashes",
    "HttpClient": "opsctl.kit.http.client",
    "HttpSettings": "opsctl.kit.http.request",
    "KIS": "opsctl.kit.limits.rates",
    "KIS_REST": "opsctl.kit.limits.rates",
    "KIWOOM": "opsctl.kit.limits.rates",
    "LimitDecision": "opsctl.kit.limits.state",
    "LimitPolicies": "opsctl.kit.limits.state",
    "LimitedError": "opsctl.kit.errors",
    "MISSING": "opsctl.kit.cache.model",
    "NAVER": "opsctl.kit.limits.rates",
    "Queue": "opsctl.kit.data.queue",
    "QueueRules": "opsctl.kit.data.queue_effects",
    "Rate": "opsctl.kit.limits.rates",
    "RateLimiter": "opsctl.kit.limits.limiter",
    "RedisClient": "opsctl.kit.redis.client",
    "Response": "opsctl.kit.http.response",
    "ResponseError": "opsctl.kit.http.response",
    "Retries": "opsctl.kit.http.retries",
    "Sessions": "opsctl.kit.data.sessions",
    "Ttl": "opsctl.kit.cache.model",
}


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
