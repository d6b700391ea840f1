from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any, Protocol

import pytest
import redis as driver

from opsctl.systems.clock import SystemClock
from opsctl.systems.redis.client import RedisLimits, RedisPy, RedisTarget
from tests.engines.redis import OwnRedis, RedisServer


class Open(Protocol):
    def __call__(self, url: str, answer_s: float = 20.0) -> RedisPy: ...


class Listen(Protocol):
    def __call__(
        self, url: str, *topics: str, protocol: int = 2, name: str | None = None
    ) -> driver.client.PubSub: ...


@pytest.fixture
def server(own_redis: OwnRedis) -> RedisServer:
    return own_redis()


@pytest.fixture
def open_redis() -> Iterator[Open]:
    opened: list[RedisPy] = []

    def open_(url: str, answer_s: float = 20.0) -> RedisPy:
        target = RedisTarget.parse(url)
        limits = RedisLimits(answer_s=answer_s)
        made = RedisPy(target, purpose="opsctl", clock=SystemClock(), limits=limits)
        opened.append(made)
        return made

    yield open_
    for made in opened:
        made.close()


@pytest.fixture
def listen() -> Iterator[Listen]:
    """Subscribe as a service would, with the driver itself; signs make it a pattern."""
    with ExitStack() as exits:

        def start(url: str, *topics: str, protocol: int = 2, name: str | None = None) -> Any:
            client: Any = driver.Redis.from_url(url, protocol=protocol, client_name=name)
            exits.callback(client.close)
            pubsub = client.pubsub()
            exits.callback(pubsub.close)
            for topic in topics:
                (pubsub.psubscribe if set(topic) & set("*?[") else pubsub.subscribe)(topic)
                assert pubsub.get_message(timeout=60) is not None
            return pubsub

        yield start
