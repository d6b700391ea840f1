"""The cache while its Redis is dead, hung, full, a replica, or does not let it in."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from opsctl.kit import (
    AsyncCache,
    Backend,
    Cache,
    CacheLimits,
    CacheOptions,
    Hashes,
    Queue,
    RedisClient,
    Sessions,
)
from opsctl.kit.testing import memory_cache
from opsctl.systems.clock import SystemClock
from opsctl.systems.redis.client import RedisLimits
from tests.engines.redis import OwnRedis
from tests.waiting import wait_for

SOON = RedisLimits(answer_s=0.3, connections=8)
# Where Redis is to be there all the time: a late answer would make it away, and memory empty.
IN_TIME = RedisLimits(answer_s=20.0, connections=8)
Open = Callable[..., Cache]


@pytest.fixture
def open_cache() -> Iterator[Open]:
    opened: list[Any] = []

    def open_(
        url: str, backend: str = "layered", *, redis: RedisLimits = IN_TIME, **limits: Any
    ) -> Cache:
        client = RedisClient(url, service="test", limits=redis)
        options = CacheOptions(prefix="t", backend=Backend(backend), limits=CacheLimits(**limits))
        opened.extend((client, Cache(client, options=options)))
        return opened[-1]  # type: ignore[no-any-return]  # made above

    yield open_
    for each in reversed(opened):
        each.close()


def listening(cache: Cache) -> Cache:
    cache.exists("warm")
    wait_for(lambda: cache._state.listening, 30, "the cache to listen")
    return cache


@pytest.mark.parametrize("backend", ["redis", "layered"])
@pytest.mark.parametrize("fault", ["kill", "freeze"])
def test_without_redis_memory_serves_alone(
    own_redis: OwnRedis, open_cache: Open, backend: str, fault: str
) -> None:
    server = own_redis()
    cache = open_cache(server.url(), backend, redis=SOON)
    cache.set("before", 1)

    getattr(server, fault)()
    began = SystemClock().steady()
    cache.get("gone")
    first_s = SystemClock().steady() - began
    stored = cache.set("k", "v")
    counted = [cache.incr("n"), cache.incr("n")]
    began = SystemClock().steady()
    answers = [cache.get("k"), cache.get_or_set("f", lambda: 3), cache.get_or_set("f", lambda: 4)]
    cache.get_many([f"{number}" for number in range(50)])
    for number in range(50):
        cache.get(f"{number}")
    later_s = SystemClock().steady() - began

    assert first_s < 10
    # Were each of them to wait for Redis, it would be at least fifty deadlines.
    assert later_s < 10 * SOON.answer_s
    assert (stored, counted, answers) == (False, [1, 2], ["v", 3, 3])
    assert cache.counts.errors >= 2
    assert not cache.healthy


def test_what_changed_meanwhile_does_not_come_back_to_life(
    own_redis: OwnRedis, open_cache: Open
) -> None:
    server = own_redis()
    cache = listening(open_cache(server.url(), redis=SOON))
    cache.set_many({"deleted": "old", "changed": "old", "kept": "old"})

    server.freeze()
    cache.get("nothing")
    cache.delete("deleted")
    cache.set("changed", "new")
    server.thaw()
    wait_for(lambda: cache.healthy, 60, "redis to be back")

    assert cache.get("deleted") is None
    assert cache.get("changed") is None
    assert cache.get("kept") == "old"


def test_a_flush_by_others_is_not_told_to_memory_and_a_clear_is(
    own_redis: OwnRedis, open_cache: Open
) -> None:
    server = own_redis()
    cache, other = listening(open_cache(server.url())), listening(open_cache(server.url()))
    cache.set_many({"read": 1, "not read": 1, "later": 1})
    assert other.get("later") == 1
    cache.set("later", 2)
    # Told in order: by then the other has heard of all that was written before.
    wait_for(lambda: other.get("later") == 2, 30, "the other to hear")
    wait_for(lambda: other.get("read") == 1 and in_memory(other, "read"), 30, "it in memory")

    server.cli("FLUSHALL")
    before = [other.get("read"), other.get("not read")]
    cache.clear()

    assert before == [1, None]
    wait_for(lambda: other.get("read") is None, 30, "the other to forget")


def in_memory(cache: Cache, key: str) -> bool:
    return cache._state.memory.left_s(key) is not None


def test_a_restarted_server_is_cold_and_everything_goes_on(
    own_redis: OwnRedis, open_cache: Open
) -> None:
    server = own_redis()
    cache = listening(open_cache(server.url()))
    cache.set("k", 1)

    server.kill()
    server.start()
    wait_for(lambda: cache.get("probe") is None and cache.healthy, 60, "redis to be back")

    wait_for(lambda: cache._state.listening, 60, "the cache to listen again")
    assert cache.get("k") is None
    assert cache.get_or_set("k", lambda: 2) == 2
    assert server.cli("EXISTS", "t:cache:k") == "1"


def test_memory_is_not_used_while_changes_do_not_arrive(
    own_redis: OwnRedis, open_cache: Open
) -> None:
    server = own_redis()
    cache, other = listening(open_cache(server.url())), listening(open_cache(server.url()))
    cache.set("k", "old")
    assert cache.get("k") == "old"

    # What is kept from listening again does not hear, however long the rest of this takes.
    server.cli("ACL", "SETUSER", "default", "-subscribe", "-psubscribe", "-ssubscribe")
    server.cli("CLIENT", "KILL", "TYPE", "pubsub")
    other.set("k", "new")

    # Far below the life of an entry in memory.
    wait_for(lambda: cache.get("k") == "new", 20, "the change, without a message")
    assert not cache._state.listening


def test_redis_switched_off_is_a_cache_in_memory() -> None:
    with RedisClient(enabled=False) as client, Cache(client) as cache:
        assert cache.set("k", 1) is False
        assert cache.get("k") == 1
        assert cache.get_or_set("f", lambda: 2) == 2
        assert cache.incr("n") == 1


def test_from_the_environment_without_a_server(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    for environ in (
        {"REDIS_ENABLED": "false", "CACHE_BACKEND": "layered"},
        {"CACHE_BACKEND": "memory"},
        {"CACHE_BACKEND": "layered", "CACHE_REDIS_URL": "redis://127.0.0.1:1/0"},
    ):
        with Cache.from_env(service="test", environ=environ) as cache:
            assert cache.get_or_set("k", lambda: 1) == 1
            assert cache.get("k") == 1


def test_a_process_that_died_while_computing_does_not_block_the_key(
    redis_url: str, open_cache: Open
) -> None:
    cache = open_cache(redis_url, lock_s=0.3)
    with RedisClient(redis_url) as client:
        client.call("SET", "t:cache-lock:k", "of the dead", "PX", 300)

    assert cache.get_or_set("k", lambda: 1, 60) == 1
    assert cache.get("k") == 1


def test_waiting_for_others_has_an_end(redis_url: str, open_cache: Open) -> None:
    cache = open_cache(redis_url, wait_s=0.2)
    with RedisClient(redis_url) as client:
        client.call("SET", "t:cache-lock:k", "of one who takes for ever", "PX", 60000)

    assert cache.get_or_set("k", lambda: 1, 60) == 1


def test_one_failing_factory_among_many_callers_harms_only_its_own() -> None:
    cache = memory_cache()
    first = threading.Event()
    go = threading.Event()

    def fail() -> None:
        first.set()
        go.wait(10)
        raise ZeroDivisionError

    answers: list[Any] = []

    def ask(factory: Callable[[], Any]) -> None:
        try:
            answers.append(cache.get_or_set("k", factory))
        except ZeroDivisionError:
            answers.append("failed")

    threads = [threading.Thread(target=ask, args=(fail,))]
    threads[0].start()
    first.wait(10)
    threads += [threading.Thread(target=ask, args=(lambda: 1,)) for _ in range(20)]
    for thread in threads[1:]:
        thread.start()
    go.set()
    for thread in threads:
        thread.join(10)

    assert sorted(map(str, answers)) == ["1"] * 20 + ["failed"]


def test_one_cancelled_caller_harms_no_other() -> None:
    async def scene() -> tuple[list[Any], int]:
        calls = 0
        go = asyncio.Event()

        async def factory() -> int:
            nonlocal calls
            calls += 1
            await go.wait()
            return 7

        cache = AsyncCache()
        tasks = [asyncio.create_task(cache.get_or_set("k", factory)) for _ in range(20)]
        await asyncio.sleep(0)
        tasks[0].cancel()
        await asyncio.sleep(0)
        go.set()
        answers = await asyncio.gather(*tasks, return_exceptions=True)
        return answers, calls

    answers, calls = asyncio.run(scene())

    assert isinstance(answers[0], asyncio.CancelledError)
    assert answers[1:] == [7] * 19
    assert calls == 1


def test_a_factory_that_cancels_itself_harms_no_other() -> None:
    async def scene() -> list[Any]:
        turns = 0

        async def factory() -> int:
            nonlocal turns
            turns += 1
            await asyncio.sleep(0)
            if turns == 1:
                raise asyncio.CancelledError
            return 7

        cache = AsyncCache()
        asked = (cache.get_or_set("k", factory) for _ in range(5))
        return list(await asyncio.gather(*asked, return_exceptions=True))

    answers = asyncio.run(scene())

    assert [answer for answer in answers if answer == 7] == [7] * 4


def test_no_map_grows_with_the_number_of_keys() -> None:
    cache = memory_cache()

    for index in range(100_000):
        cache.get_or_set(str(index), lambda: 1)

    state = cache._state
    assert len(state.memory) == 1000
    assert not state.computations
    assert not state._pending_deletes


def test_hashes_are_empty_and_sessions_and_queues_raise_without_redis(own_redis: OwnRedis) -> None:
    server = own_redis()
    with RedisClient(server.url(), limits=SOON) as client:
        hashes, sessions, queue = Hashes(client), Sessions(client), Queue(client, "q")
        hashes.set("position", "005930", {"qty": "3"})
        server.kill()

        assert hashes.get("position", "005930") is None
        assert hashes.set("price", "005930", {"p": "1"}) is False
        assert (hashes.counts["position"].errors, hashes.counts["position"].misses) == (1, 0)
        assert not hashes.health().healthy
        for call in (lambda: sessions.read("t"), lambda: queue.enqueue(1), queue.depth):
            with pytest.raises(Exception, match=r"Redis|redis"):
                call()
