"""Readers, writers and deleters at once: nobody is left with what is over."""

import threading
from collections.abc import Iterator

import pytest

from opsctl.kit import Cache, CacheOptions, RedisClient
from tests.waiting import wait_for

TURNS = 300


@pytest.fixture
def caches(redis_url: str) -> Iterator[tuple[Cache, Cache]]:
    with (
        RedisClient(redis_url) as one,
        RedisClient(redis_url) as other,
        Cache(one, options=CacheOptions(prefix="t")) as first,
        Cache(other, options=CacheOptions(prefix="t")) as second,
    ):
        for cache in (first, second):
            cache.exists("warm")
        wait_for(lambda: first.listening and second.listening, 5, "both to listen")
        yield first, second


def reading(caches: tuple[Cache, ...], stop: threading.Event) -> list[threading.Thread]:
    def read(cache: Cache) -> None:
        while not stop.is_set():
            cache.get("k")

    threads = [threading.Thread(target=read, args=(cache,)) for cache in caches for _ in range(2)]
    for thread in threads:
        thread.start()
    return threads


def test_after_a_change_no_reader_keeps_the_old_value(caches: tuple[Cache, Cache]) -> None:
    first, second = caches
    stop = threading.Event()
    threads = reading(caches, stop)
    try:
        for turn in range(TURNS):
            writer = caches[turn % 2]
            if turn % 3 == 2:
                writer.delete("k")
                expected = None
            else:
                writer.set("k", turn)
                expected = turn
            assert writer.get("k") == expected
            wait_for(lambda: {first.get("k"), second.get("k")} == {expected}, 5, f"turn {turn}")  # noqa: B023 - asked at once
    finally:
        stop.set()
        for thread in threads:
            thread.join()
