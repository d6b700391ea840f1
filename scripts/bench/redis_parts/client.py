"""One GET over the kit's client and over raw redis-py, and what a fault costs."""

from collections.abc import Iterator

import redis
from redis_parts.figure import Figure, fastest_us

from opsctl.kit import Breaker, RedisClient


def figures(url: str) -> Iterator[Figure]:
    raw = redis.Redis.from_url(url)
    raw.set("k", "v" * 100)
    breaker = Breaker("bench")
    with RedisClient(url, service="bench") as client:
        taken = fastest_us(
            {
                "kit": lambda: client.call("GET", "k"),
                "raw": lambda: raw.get("k"),
                "breaker": lambda: breaker.call(int),
                "bare": int,
            }
        )
    raw.close()
    yield Figure("client GET", taken["kit"], "us")
    yield Figure("raw redis-py GET", taken["raw"], "us")
    yield Figure("client GET / raw redis-py", taken["kit"] / taken["raw"], "", goal=1.15)
    yield Figure("breaker, closed, a call", taken["breaker"] - taken["bare"], "us")
