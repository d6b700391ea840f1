"""Hashes, sessions and queues: one suite over both forms, on a real Redis."""

from collections.abc import Iterator
from typing import Any

import pytest

from opsctl.errors import UsageError
from opsctl.kit import (
    AsyncHashes,
    AsyncQueue,
    AsyncRedisClient,
    AsyncSessions,
    Hashes,
    Queue,
    QueueRules,
    RedisClient,
    Sessions,
)
from opsctl.systems.redis.client import RedisLimits
from tests.contract.kit.forms import Form, loop, make
from tests.engines.redis import OwnRedis
from tests.waiting import wait_for


@pytest.fixture(params=["sync", "async"])
def forms(request: pytest.FixtureRequest, redis_url: str) -> Iterator[Any]:
    """Open a part in its sync or async kind, whichever the test runs with."""
    with loop(request.param) as runner:
        kind: Any = RedisClient if runner is None else AsyncRedisClient
        client = make(runner, lambda: kind(redis_url, limits=RedisLimits(20.0, 16)))

        def open_(sync: Any, asynchronous: Any, *args: Any, **kwargs: Any) -> Form:
            kind = sync if runner is None else asynchronous
            return Form(make(runner, lambda: kind(client, *args, **kwargs)), runner)

        yield open_
        Form(client, runner).close()


@pytest.fixture
def sessions(forms: Any) -> Form:
    form: Form = forms(Sessions, AsyncSessions)
    return form


def queue_of(forms: Any, **rules: Any) -> Form:
    form: Form = forms(Queue, AsyncQueue, "work", rules=QueueRules(**rules))
    return form


def test_an_entry_has_fields_and_a_ttl_below_a_second(forms: Any) -> None:
    hashes = forms(Hashes, AsyncHashes)

    assert hashes.set("price", "005930", {"price": "71000", "bid": "70900"}, 60) is True
    assert hashes.get("price", "005930") == {"price": "71000", "bid": "70900"}
    assert hashes.set("price", "005930", {"price": "71000", "bid": "70900"}) is True
    wait_for(lambda: hashes.get("price", "005930") is None, 20, "the end of 100 ms")
    counts = hashes.part.counts["price"]
    assert (counts.l2_hits >= 1, counts.misses >= 1, counts.errors) == (True, True, 0)


def test_an_entry_is_replaced_whole(forms: Any) -> None:
    hashes = forms(Hashes, AsyncHashes)
    hashes.set("position", "a", {"old": "1", "both": "1"})

    hashes.set("position", "a", {"both": "2"}, 60)

    assert hashes.get("position", "a") == {"both": "2"}
    assert hashes.get_many("position", ["a", "b"]) == {"a": {"both": "2"}, "b": None}
    assert hashes.delete("position", "a", "b") == 1


def test_kinds_are_those_that_have_a_ttl(forms: Any) -> None:
    hashes = forms(Hashes, AsyncHashes)

    with pytest.raises(UsageError, match="cannot find the kind of data"):
        hashes.get("prise", "a")
    with pytest.raises(UsageError, match="without fields"):
        hashes.set("price", "a", {})


def test_health_is_that_of_redis(forms: Any) -> None:
    health = forms(Hashes, AsyncHashes).health()

    assert health.healthy
    assert 0 < health.latency_ms < 60_000


def test_a_session_lives_until_it_is_expired(sessions: Form) -> None:
    token = sessions.create({"user": 7})

    assert sessions.read(token) == {"user": 7}
    assert sessions.update(token, {"user": 8}) is True
    assert sessions.read(token) == {"user": 8}
    assert sessions.expire(token) is True
    assert (sessions.read(token), sessions.update(token, {}), sessions.expire(token)) == (
        None,
        False,
        False,
    )


def test_rotating_kills_the_old_token_and_keeps_the_session(sessions: Form) -> None:
    old = sessions.create({"user": 7})

    new = sessions.rotate(old)

    assert new not in (None, old)
    assert (sessions.read(old), sessions.read(new)) == (None, {"user": 7})
    assert sessions.rotate("no such token") is None


def test_redis_never_sees_a_token(sessions: Form, redis_url: str) -> None:
    token = sessions.create({"user": 7})
    with RedisClient(redis_url) as client:
        names = client.call("KEYS", "*")

    assert len(names) == 1
    assert token.encode() not in names[0]


def test_reading_prolongs_only_sessions_that_slide(forms: Any, redis_url: str) -> None:
    for sliding in (True, False):
        one = forms(Sessions, AsyncSessions, prefix=f"s{sliding}", sliding=sliding, ttl_s=100)
        token = one.create({})
        with RedisClient(redis_url) as client:
            (name,) = client.call("KEYS", f"s{sliding}:*")
            client.call("PEXPIRE", name, 50_000)
            one.read(token)

            assert (client.call("PTTL", name) > 50_000) is sliding


def test_jobs_come_in_their_order_and_once(forms: Any) -> None:
    queue = queue_of(forms)
    for number in range(5):
        queue.enqueue({"n": number})

    jobs = queue.reserve(3) + queue.reserve(9)

    assert [job.data["n"] for job in jobs] == [0, 1, 2, 3, 4]
    assert queue.reserve(9) == []
    assert [queue.ack(job) for job in jobs] == [True] * 5
    assert queue.ack(jobs[0]) is False
    depth = queue.depth()
    assert (depth.waiting, depth.reserved, depth.dead) == (0, 0, 0)


def test_waiting_ends_with_the_first_job_or_the_time(forms: Any) -> None:
    queue = queue_of(forms)

    assert queue.reserve(wait_s=0.05) == []
    queue.enqueue("x")
    assert [job.data for job in queue.reserve(wait_s=60)] == ["x"]


def test_a_job_of_a_worker_that_died_is_given_to_another(forms: Any) -> None:
    dying, other = queue_of(forms, visible_after_s=0.05), queue_of(forms, visible_after_s=0.05)
    dying.enqueue("x")
    (lost,) = dying.reserve()

    again = wait_for(other.reserve, 5, "the job to be reserved again")

    assert (again[0].id, again[0].data, again[0].attempt) == (lost.id, "x", 2)


def test_a_job_that_nobody_finishes_ends_among_the_dead(forms: Any) -> None:
    queue = queue_of(forms, visible_after_s=0.01, max_attempts=2)
    queue.enqueue("poison")

    def dead() -> Any:
        queue.reserve()
        return queue.dead()

    (one,) = wait_for(dead, 60, "the job to be dead")
    assert one.data == "poison"
    assert "reserved 2 times" in one.why
    assert queue.depth().dead == 1


def test_a_retry_goes_to_the_end_and_has_an_end(forms: Any) -> None:
    queue = queue_of(forms, max_attempts=2)
    queue.enqueue("bad")
    queue.enqueue("good")
    (bad,) = queue.reserve()

    assert queue.retry(bad, "timeout") is True
    assert queue.retry(bad, "twice") is False
    first, second = queue.reserve(2)
    queue.retry(second, "again")

    assert (first.data, second.data, second.attempt) == ("good", "bad", 2)
    assert [(one.data, one.why) for one in queue.dead()] == [("bad", "again")]


def test_a_wiped_server_is_an_empty_queue(forms: Any, redis_url: str) -> None:
    queue = queue_of(forms)
    queue.enqueue(1)
    queue.reserve()
    with RedisClient(redis_url) as client:
        client.call("FLUSHDB")

    assert queue.reserve() == []
    queue.enqueue(2)
    assert [job.data for job in queue.reserve()] == [2]


def test_a_user_who_may_not_name_a_connection_can_still_ask(own_redis: OwnRedis) -> None:
    server = own_redis()
    server.cli("ACL", "SETUSER", "some", "on", ">pw", "allkeys", "+get")
    url = server.url().replace("redis://", "redis://some:pw@")
    for kind in ("sync", "async"):
        with loop(kind) as runner:
            client = make(
                runner, lambda: (RedisClient if runner is None else AsyncRedisClient)(url)
            )
            form = Form(client, runner)

            assert form.call("GET", "nothing") is None
            form.close()
