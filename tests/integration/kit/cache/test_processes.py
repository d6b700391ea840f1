"""The cache among several processes, and what a fork leaves of it."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import redis as driver

from opsctl.kit import AsyncCache, AsyncRedisClient, Cache, CacheOptions, RedisClient
from tests.waiting import wait_for

WORKER = Path(__file__).with_name("cache_worker.py")
CALLERS, PROCESSES = 200, 4


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_cold_key_is_computed_once_by_200_callers_in_4_processes(
    redis_url: str, kind: str
) -> None:
    watch: Any = driver.Redis.from_url(redis_url)
    words = [sys.executable, str(WORKER), redis_url, kind, str(CALLERS), "gate"]
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    workers = [
        subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=environ)
        for _ in range(PROCESSES)
    ]
    try:
        wait_for(lambda: int(watch.get("ready") or 0) == PROCESSES, 60, "all processes")
        before = sum(watch.info("commandstats").get(n, {}).get("calls", 0) for n in COUNTED)
        watch.rpush("gate", *range(PROCESSES))
        told = [json.loads(worker.communicate(timeout=60)[0]) for worker in workers]
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()
    after = sum(watch.info("commandstats").get(n, {}).get("calls", 0) for n in COUNTED)
    watch.close()

    assert sum(one["calls"] for one in told) == 1
    assert [one["right"] for one in told] == [CALLERS] * PROCESSES
    assert after - before <= 40
    assert max(one["took_s"] for one in told) < 5


# What the stampede can ask; joining, leaving and reporting of the workers stay out.
COUNTED = [
    f"cmdstat_{name}" for name in ("evalsha", "eval", "get", "set", "del", "pttl", "publish")
]


def test_a_forked_child_does_not_mistake_changes_by_others_for_its_own() -> None:
    cache = AsyncCache(AsyncRedisClient("redis://192.0.2.1"))
    parent = cache._state.origin
    child = os.fork()
    if child == 0:
        os._exit(0 if cache._state.origin != parent else 1)

    assert os.waitpid(child, 0)[1] == 0


def test_a_forked_child_starts_empty_and_receives_changes(redis_url: str) -> None:
    with RedisClient(redis_url) as client, Cache(client, options=CacheOptions(prefix="t")) as cache:
        cache.set("k", "old")
        wait_for(lambda: cache.get("k") and cache._state.listening, 5, "the cache to listen")
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                wait_for(lambda: cache.get("k") == "new", 10, "the change in the child")
                wait_for(lambda: cache._state.listening, 10, "the child to listen")
                os.write(writing, b"well")
            finally:
                os._exit(0)
        os.close(writing)
        cache.set("k", "new")
        with os.fdopen(reading, "rb") as told:
            said = told.read()
        os.waitpid(child, 0)

    assert said == b"well"
