"""The cache and its breaker: a Redis that is there and too slow is left alone for a while."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from opsctl.errors import UnreachableError
from opsctl.kit import Backend, Breaker, Cache, CacheOptions
from opsctl.kit.testing import FakeClock


class SlowClient:
    """Thinks that Redis is there; every answer comes too late while `slow`."""

    address = "twin:6379/0"
    service = "test"
    enabled = available = True

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.slow = False
        self.asked = 0
        self.values: dict[Any, Any] = {}

    def call(self, *words: Any) -> Any:
        return self.calls([words])[0]

    def calls(self, commands: Sequence[Any]) -> list[Any]:
        self.asked += 1
        if self.slow:
            raise UnreachableError("no answer", why="no answer within 1 s")
        return [self._answer(*words) for words in commands]

    def _answer(self, verb: str, *words: Any) -> Any:
        if verb == "SET":
            self.values[words[0]] = words[1]
        return self.values.get(words[0]) if verb == "GET" else 0

    def on_change(self, _: Callable[[bool], None]) -> None:
        pass


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def client(clock: FakeClock) -> SlowClient:
    return SlowClient(clock)


@pytest.fixture
def cache(client: SlowClient, clock: FakeClock) -> Cache:
    breaker = Breaker("cache", threshold=5, recovery_s=60, clock=clock)
    options = CacheOptions(backend=Backend.REDIS)
    twin: Any = client
    made = Cache(twin, options=options, breaker=breaker)
    # Reporting has a thread of its own, which this test does without.
    made._connection._started = True
    return made


def test_after_five_failures_memory_serves_and_redis_is_left_alone(
    cache: Cache, client: SlowClient
) -> None:
    client.slow = True
    for _ in range(5):
        cache.get("k")
    asked = client.asked

    cache.set("k", "kept")
    answers = [cache.get("k"), cache.get_or_set("f", lambda: 1), cache.get_or_set("f", lambda: 2)]

    assert answers == ["kept", 1, 1]
    assert client.asked == asked
    assert not cache.healthy


def test_after_the_recovery_one_call_tries_and_redis_serves_again(
    cache: Cache, client: SlowClient, clock: FakeClock
) -> None:
    cache.set("k", "redis")
    client.slow = True
    for _ in range(5):
        cache.get("k")
    cache.set("local", "memory")
    client.slow = False

    clock.advance(60)
    cache.exists("probe of nothing")
    cache.get("nothing")

    assert cache.healthy
    assert cache.get("k") == "redis"
