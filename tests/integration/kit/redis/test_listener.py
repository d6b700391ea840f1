"""Listening: nothing is missed without being said."""

import asyncio
import queue

import pytest

from opsctl.errors import UnreachableError
from opsctl.kit import AsyncRedisClient, RedisClient
from opsctl.systems.clock import SystemClock
from opsctl.systems.redis.pool import RedisPyPooled
from opsctl.systems.redis.pubsub import PubSubMessage, Subscription, Topics
from opsctl.systems.redis.target import RedisLimits, RedisTarget
from tests.engines.redis import OwnRedis
from tests.integration.kit.conftest import MakeClient
from tests.slow_line import slow_line
from tests.waiting import wait_for


def test_messages_arrive_from_channels_and_patterns(client_of: MakeClient, redis_url: str) -> None:
    client, heard = client_of(redis_url), queue.SimpleQueue[object]()
    client.listen(
        heard.put, channels=["market"], patterns=["ticker.*"], on_gap=lambda: heard.put("gap")
    )
    assert heard.get(timeout=5) == "gap"

    client.call("PUBLISH", "ticker.kr", b"\xff1")
    client.call("PUBLISH", "market", "2")

    assert heard.get(timeout=5) == PubSubMessage("ticker.kr", b"\xff1", "ticker.*")
    assert heard.get(timeout=5) == PubSubMessage("market", b"2")


def test_a_loss_is_reported_and_so_is_the_new_subscription(
    client_of: MakeClient, own_redis: OwnRedis
) -> None:
    server = own_redis()
    client, told = client_of(server), queue.SimpleQueue[str]()
    listener = client.listen(
        print, channels=["x"], on_gap=lambda: told.put("gap"), on_lost=lambda: told.put("lost")
    )
    assert told.get(timeout=5) == "gap"

    server.kill()
    assert told.get(timeout=5) == "lost"
    assert not listener.live
    server.start()

    assert told.get(timeout=10) == "gap"
    assert listener.live


def test_a_callback_that_fails_on_a_message_does_not_end_the_listening(
    client_of: MakeClient, redis_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    client, heard = client_of(redis_url), queue.SimpleQueue[str]()

    def take(message: PubSubMessage) -> None:
        heard.put(str(int(message.data)))

    client.listen(take, channels=["x"], on_gap=lambda: heard.put("gap"))
    assert heard.get(timeout=5) == "gap"

    client.calls([("PUBLISH", "x", "no number"), ("PUBLISH", "x", "7")])

    assert heard.get(timeout=5) == "7"
    assert "listener callback failed" in caplog.text


def test_a_callback_that_fails_does_not_end_the_listening(
    client_of: MakeClient, redis_url: str
) -> None:
    client, heard = client_of(redis_url), queue.SimpleQueue[bytes]()

    def fail() -> None:
        heard.put(b"gap")
        raise ValueError("the user's own mistake")

    client.listen(lambda message: heard.put(message.data), channels=["x"], on_gap=fail)
    assert heard.get(timeout=5) == b"gap"
    client.call("PUBLISH", "x", "1")

    assert heard.get(timeout=5) == b"1"


def test_closing_ends_the_listening(client_of: MakeClient, redis_url: str) -> None:
    client, watcher = client_of(redis_url), client_of(redis_url)
    client.listen(print, patterns=["mine.*"])
    wait_for(lambda: watcher.call("PUBSUB", "NUMPAT") == 1, 5, "the subscription")

    client.close()

    wait_for(lambda: watcher.call("PUBSUB", "NUMPAT") == 0, 5, "the end of the subscription")


def test_awaited_listening_survives_a_restart(own_redis: OwnRedis) -> None:
    server = own_redis()

    async def run() -> list[object]:
        told: asyncio.Queue[object] = asyncio.Queue()
        async with AsyncRedisClient(server.url(), service="test") as client:
            client.listen(
                lambda message: told.put_nowait(message.data),
                patterns=["t*"],
                on_gap=lambda: told.put_nowait("gap"),
                on_lost=lambda: told.put_nowait("lost"),
            )
            said = [await asyncio.wait_for(told.get(), 5)]
            server.kill()
            said.append(await asyncio.wait_for(told.get(), 5))
            await asyncio.to_thread(server.start)
            said.append(await asyncio.wait_for(told.get(), 10))
            with RedisClient(server.url()) as other:
                other.call("PUBLISH", "tick", "1")
            said.append(await asyncio.wait_for(told.get(), 5))
        return said

    assert asyncio.run(run()) == ["gap", "lost", "gap", b"1"]


def test_a_disabled_client_receives_nothing() -> None:
    with RedisClient(enabled=False) as client:
        listener = client.listen(print, channels=["x"])

        assert not listener.live


def subscribed(url: str, *, answer_s: float) -> Subscription:
    target, limits = RedisTarget.parse(url), RedisLimits(answer_s, connections=1)
    pool = RedisPyPooled(target, name="test", clock=SystemClock(), limits=limits)
    return pool.subscribe(Topics(("x",)))


def test_an_answer_that_takes_longer_than_one_wait_is_no_dead_line(redis_url: str) -> None:
    with slow_line(redis_url, 0.3) as line:
        subscription = subscribed(line.url, answer_s=5.0)

        heard = [subscription.receive(0.05) for _ in range(20)]

        assert heard == [None] * 20
        subscription.close()


def test_a_line_on_which_nothing_is_answered_is_dead_after_the_deadline(
    own_redis: OwnRedis,
) -> None:
    server, clock = own_redis(), SystemClock()
    subscription = subscribed(server.url(), answer_s=0.5)
    server.freeze()
    began = clock.steady()

    def ended() -> bool:
        try:
            subscription.receive(0.05)
        except UnreachableError as error:
            return "is dead" in error.what
        return False

    wait_for(ended, 10, "the end of the line")

    assert 0.5 <= clock.steady() - began < 2.0
    subscription.close()
