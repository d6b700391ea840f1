"""One of several processes that use the same cache; prints what happened as JSON.

Run as: python cache_worker.py URL sync|async CALLERS GATE; it starts once the key GATE exists.
"""

import asyncio
import json
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from opsctl.kit import AsyncCache, AsyncRedisClient, Cache, CacheOptions, RedisClient

KEY = "cold"
TAKES_S = 0.2


class Factory:
    def __init__(self) -> None:
        self.calls = 0
        self._lock = threading.Lock()

    def begin(self) -> None:
        with self._lock:
            self.calls += 1

    def sync(self) -> dict[str, int]:
        self.begin()
        time.sleep(TAKES_S)  # noqa: TID251 - the work itself
        return {"answer": 42}

    async def coroutine(self) -> dict[str, int]:
        self.begin()
        await asyncio.sleep(TAKES_S)
        return {"answer": 42}


def with_threads(url: str, callers: int, gate: str) -> dict[str, Any]:
    factory = Factory()
    with (
        RedisClient(url, service="worker") as client,
        Cache(client, options=CacheOptions(prefix="t")) as cache,
    ):
        while not cache._state.listening:
            cache.exists("warm")
        client.call("INCR", "ready")
        client.call("BLPOP", gate, 30, limit_s=31)
        began = time.monotonic()
        with ThreadPoolExecutor(callers) as pool:
            answers = list(
                pool.map(lambda _: cache.get_or_set(KEY, factory.sync, 60), range(callers))
            )
        return _told(factory, answers, time.monotonic() - began)


async def with_tasks(url: str, callers: int, gate: str) -> dict[str, Any]:
    factory = Factory()
    async with (
        AsyncRedisClient(url, service="worker") as client,
        AsyncCache(client, options=CacheOptions(prefix="t")) as cache,
    ):
        while not cache._state.listening:
            await cache.exists("warm")
        await client.call("INCR", "ready")
        await client.call("BLPOP", gate, 30, limit_s=31)
        began = time.monotonic()
        asked = (cache.get_or_set(KEY, factory.coroutine, 60) for _ in range(callers))
        answers = await asyncio.gather(*asked)
        return _told(factory, list(answers), time.monotonic() - began)


def _told(factory: Factory, answers: list[Any], took_s: float) -> dict[str, Any]:
    right = sum(answer == {"answer": 42} for answer in answers)
    return {"calls": factory.calls, "right": right, "took_s": took_s}


if __name__ == "__main__":
    address, kind, number, opens = sys.argv[1:]
    if kind == "sync":
        told = with_threads(address, int(number), opens)
    else:
        told = asyncio.run(with_tasks(address, int(number), opens))
    sys.stdout.write(json.dumps(told))
