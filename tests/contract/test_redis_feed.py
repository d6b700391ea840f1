from collections.abc import Iterator

import pytest

from opsctl.errors import OpsctlError, UnreachableError
from opsctl.systems.clock import SystemClock
from opsctl.systems.redis import RedisLimits, RedisPy, RedisTarget
from opsctl.systems.redis_feed import Heard, RedisFeed
from tests.engines.addresses import Address
from tests.engines.redis import OwnRedis


def feed_of(url: str) -> RedisFeed:
    limits = RedisLimits(answer_s=1.0)
    return RedisFeed(RedisTarget.parse(url), purpose="test", clock=SystemClock(), limits=limits)


@pytest.fixture
def feed(redis_url: str) -> Iterator[RedisFeed]:
    opened = feed_of(redis_url)
    opened.open(["one"], ["two.*"])
    yield opened
    opened.close()


@pytest.fixture
def redis(redis_url: str) -> Iterator[RedisPy]:
    connected = RedisPy(RedisTarget.parse(redis_url), purpose="test", clock=SystemClock())
    yield connected
    connected.close()


def test_messages_come_with_their_channel_and_pattern(feed: RedisFeed, redis: RedisPy) -> None:
    assert redis.call("PUBLISH", "one", b"\xff1") == 1
    redis.call("PUBLISH", "two.kr", "2")

    assert feed.read(5) == Heard("one", "", b"\xff1")
    assert feed.read(5) == Heard("two.kr", "two.*", b"2")


def test_silence_is_none_and_the_next_message_still_arrives(
    feed: RedisFeed, redis: RedisPy
) -> None:
    silence = feed.read(0.01)
    redis.call("PUBLISH", "one", "late")

    assert silence is None
    assert feed.read(5) == Heard("one", "", b"late")


def test_a_killed_server_is_an_error_and_no_silence(own_redis: OwnRedis) -> None:
    server = own_redis()
    feed = feed_of(server.url())
    feed.open(["one"], [])

    server.kill()

    with pytest.raises(UnreachableError):
        feed.read(5)


def test_a_server_that_hangs_ends_the_opening(black_hole: Address) -> None:
    feed = feed_of(f"redis://{black_hole.host}:{black_hole.port}/0")

    with pytest.raises(UnreachableError):
        feed.open(["one"], [])


def test_a_channel_that_is_not_allowed_is_said(own_redis: OwnRedis) -> None:
    server = own_redis()
    server.cli("ACL", "SETUSER", "some", "on", ">pw", "+@all", "resetchannels", "&mine.*")
    feed = feed_of(server.url().replace("redis://", "redis://some:pw@"))

    with pytest.raises(OpsctlError, match="does not allow"):
        feed.open(["other"], [])
