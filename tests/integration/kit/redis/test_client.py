"""What a client promises on a real server, and what it says when the server cannot."""

import asyncio
import logging
import multiprocessing
import os
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from opsctl.errors import (
    BusyError,
    OpsctlError,
    RefusedError,
    SettingsError,
    UnreachableError,
)
from opsctl.kit import AsyncRedisClient, RedisClient
from opsctl.systems.clock import SystemClock
from opsctl.systems.redis.client import RedisLimits
from opsctl.systems.redis.target import RedisScript
from tests.engines.redis import OwnRedis
from tests.integration.kit.conftest import QUICK, MakeClient
from tests.waiting import wait_for

ECHO = RedisScript("return {KEYS[1], ARGV[1]}")


def names_of(client: RedisClient) -> list[str]:
    lines = client.call("CLIENT", "LIST").decode().splitlines()
    fields = [dict(word.partition("=")[::2] for word in line.split()) for line in lines]
    return sorted(each["name"] for each in fields)


def test_a_connection_says_whose_it_is(client_of: MakeClient, redis_url: str) -> None:
    client = client_of(redis_url, service="archiver")
    client.listen(print, channels=["market_ticker"], patterns=["ticker.*"])

    wait_for(
        lambda: "opsctl:archiver:sub=market_ticker,psub=ticker.*" in names_of(client),
        30,
        "the listener's name",
    )

    assert "opsctl:archiver:cmd" in names_of(client)


def test_a_pipeline_answers_in_order_and_a_refusal_stands_in_its_place(
    client_of: MakeClient, redis_url: str
) -> None:
    client = client_of(redis_url)

    said = client.calls([("SET", "a", 1), ("LPUSH", "a", "x"), ("GET", "a")])

    assert (said[0], said[2]) == (b"OK", b"1")
    assert isinstance(said[1], OpsctlError)


def test_an_atomic_pipeline_is_one_transaction(client_of: MakeClient, redis_url: str) -> None:
    client = client_of(redis_url)

    said = client.calls([("INCR", "n"), ("LPUSH", "n", "x"), ("INCR", "n")], atomic=True)

    assert (said[0], said[2]) == (1, 2)
    assert isinstance(said[1], OpsctlError)
    with pytest.raises(OpsctlError, match="refused a command"):
        client.calls([("INCR", "n"), ("NOSUCH",)], atomic=True)
    assert client.call("GET", "n") == b"2"


def test_a_script_runs_also_on_a_server_that_forgot_it(
    client_of: MakeClient, redis_url: str
) -> None:
    client = client_of(redis_url)
    client.run(ECHO, ["k"], ["v"])
    client.call("SCRIPT", "FLUSH")

    assert client.run(ECHO, ["k"], ["v"]) == [b"k", b"v"]


def test_threads_share_a_client(client_of: MakeClient, redis_url: str) -> None:
    client = client_of(redis_url, limits=RedisLimits(60.0, 2))

    with ThreadPoolExecutor(8) as pool:
        said = list(pool.map(lambda n: client.call("ECHO", str(n)), range(400)))

    assert said == [str(n).encode() for n in range(400)]


def test_a_pool_in_use_is_busy_and_redis_stays_available(
    client_of: MakeClient, redis_url: str
) -> None:
    client = client_of(redis_url, limits=RedisLimits(1.0, 1))
    client.call("PING", limit_s=20)
    holder = threading.Thread(target=client.call, args=("BLPOP", "q", 60), kwargs={"limit_s": 90})
    holder.start()
    wait_for(lambda: b"blpop" in other_list(redis_url), 30, "the first call to hold the connection")

    with pytest.raises(BusyError, match="in use"):
        client.call("PING")

    assert client.available
    client_of(redis_url).call("LPUSH", "q", "x", limit_s=20)
    holder.join()


def other_list(url: str) -> bytes:
    with RedisClient(url, limits=RedisLimits(20.0, 1)) as other:
        listed: bytes = other.call("CLIENT", "LIST")
        return listed


def test_a_forked_child_has_connections_of_its_own(client_of: MakeClient, redis_url: str) -> None:
    client = client_of(redis_url)
    parent = client.call("CLIENT", "ID")
    context = multiprocessing.get_context("fork")
    receiving, sending = context.Pipe()
    child = context.Process(target=lambda: sending.send(client.call("CLIENT", "ID")))
    child.start()

    assert receiving.poll(60)
    assert receiving.recv() != parent
    assert client.call("CLIENT", "ID") == parent
    child.join()


def test_a_server_that_restarts_is_found_again_and_both_are_logged_once(
    client_of: MakeClient, own_redis: OwnRedis, caplog: pytest.LogCaptureFixture
) -> None:
    server = own_redis()
    client = client_of(server)
    client.call("PING")
    server.kill()

    with caplog.at_level(logging.INFO, "opsctl.kit"):
        for _ in range(20):
            with pytest.raises(UnreachableError):
                client.call("PING")
        server.start()
        wait_for(lambda: client.available, 60, "the prober to find it")

    assert client.call("PING") == b"PONG"
    assert [record.message for record in caplog.records] == [
        "redis is unavailable",
        "redis is available again",
    ]


def test_a_child_that_is_forked_while_redis_is_down_finds_it_again(
    client_of: MakeClient, own_redis: OwnRedis
) -> None:
    server = own_redis()
    client = client_of(server)
    server.kill()
    with pytest.raises(UnreachableError):
        client.call("PING")
    ready, started = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.read(ready, 1)
            wait_for(lambda: client.available, 10, "the prober of the child to find it")
            os._exit(0)
        finally:
            os._exit(1)

    server.start()
    os.write(started, b"x")

    assert os.waitpid(child, 0)[1] == 0


def test_a_closed_client_no_longer_looks_for_redis(own_redis: OwnRedis) -> None:
    server = own_redis()
    client = RedisClient(server.url(), limits=QUICK)
    server.kill()
    with pytest.raises(UnreachableError):
        client.call("PING")

    client.close()

    assert (client.available, client._prober.running) == (False, False)


def test_a_hung_server_costs_one_deadline_and_then_nothing(
    client_of: MakeClient, own_redis: OwnRedis
) -> None:
    server = own_redis()
    client = client_of(server)
    client.call("PING")
    server.freeze()
    clock, took = SystemClock(), []

    for _ in range(100):
        began = clock.steady()
        with pytest.raises(UnreachableError):
            client.call("PING")
        took.append(clock.steady() - began)

    assert took[0] < QUICK.answer_s + 20
    # All that come later together wait for less than a single deadline each would be.
    assert sum(took[1:]) < 99 * QUICK.answer_s / 4
    server.thaw()
    wait_for(lambda: client.available, 60, "the prober to find it")


def test_a_dead_connection_is_replaced_without_an_error(
    client_of: MakeClient, redis_url: str
) -> None:
    client, other = client_of(redis_url), client_of(redis_url)
    other.call("CLIENT", "KILL", "ID", client.call("CLIENT", "ID"))

    assert client.call("PING") == b"PONG"


def test_a_disabled_client_fails_at_once_and_connects_to_nobody() -> None:
    with RedisClient("redis://192.0.2.1", enabled=False) as client:
        with pytest.raises(UnreachableError, match="cannot use Redis"):
            client.call("PING")

        assert not client.available


def test_a_wrong_password_counts_as_unavailable_and_is_not_shown(
    client_of: MakeClient, own_redis: OwnRedis, caplog: pytest.LogCaptureFixture
) -> None:
    server = own_redis(password="r1ght")
    client = client_of(server.url().replace("r1ght", "c4n4ry"))

    with pytest.raises(SettingsError, match="does not accept the login"):
        client.call("PING")

    assert not client.available
    assert "c4n4ry" not in caplog.text + repr(client)


def test_what_a_user_may_not_do_is_refused_and_redis_is_there(
    client_of: MakeClient, own_redis: OwnRedis
) -> None:
    server = own_redis()
    server.cli("ACL", "SETUSER", "poor", "on", "nopass", "~*", "+ping", "+client")
    client = client_of(server.url().replace("redis://", "redis://poor:x@"))

    with pytest.raises(OpsctlError, match="does not allow this user"):
        client.call("SET", "a", "1")

    assert client.call("PING") == b"PONG"


def test_a_full_server_and_a_replica_say_so(client_of: MakeClient, own_redis: OwnRedis) -> None:
    full = own_redis(config=["maxmemory 1mb", "maxmemory-policy noeviction"])
    master = full.address
    replica = own_redis(config=[f"replicaof {master.host} {master.port}"])
    wait_for(lambda: "link_status:up" in replica.cli("INFO", "replication"), 60, "the replica")

    with pytest.raises(OpsctlError, match="is full"):
        client_of(full).call("SET", "a", "x" * 2_000_000)
    with pytest.raises(RefusedError, match="is a replica"):
        client_of(replica).call("SET", "a", "1")


def test_awaited_clients_keep_the_same_promises(own_redis: OwnRedis) -> None:
    server, limits = own_redis(), RedisLimits(answer_s=3.0, connections=4)

    async def run() -> list[object]:
        async with AsyncRedisClient(server.url(1), service="test", limits=limits) as client:
            together = await asyncio.gather(*[client.call("ECHO", str(n)) for n in range(50)])
            atomic = await client.calls([("INCR", "n"), ("INCR", "n")], atomic=True)
            script = await client.run(ECHO, ["k"], ["v"])
            server.freeze()
            began = SystemClock().steady()
            lost = await asyncio.gather(
                *[client.call("PING") for _ in range(20)], return_exceptions=True
            )
            took = SystemClock().steady() - began
            known = client.available
            server.thaw()
            back = asyncio.Event()
            client.on_change(lambda there: back.set() if there else None)
            await asyncio.wait_for(back.wait(), 60)
            pong = await client.call("PING")
            kinds = {type(error) for error in lost}
            # One after the other they would take twenty deadlines.
            at_once = took < 10 * limits.answer_s
            return [len(set(together)), atomic, script, kinds, at_once, known, pong]

    said = asyncio.run(run())

    assert said == [50, [1, 2], [b"k", b"v"], {UnreachableError, BusyError}, True, False, b"PONG"]


def test_a_cancelled_call_leaves_no_answer_for_the_next(redis_url: str) -> None:
    async def run() -> bytes:
        async with AsyncRedisClient(redis_url, limits=RedisLimits(60.0, 1)) as client:
            waiting = asyncio.create_task(client.call("BLPOP", "q", 50))
            while b"blpop" not in await asyncio.to_thread(other_list, redis_url):
                assert not waiting.done()
            waiting.cancel()
            await asyncio.wait({waiting})
            said: bytes = await client.call("ECHO", "mine")
            return said

    assert asyncio.run(run()) == b"mine"


def test_a_second_loop_may_have_the_client_once_the_first_is_closed(redis_url: str) -> None:
    client = AsyncRedisClient(redis_url)

    async def ping() -> bytes:
        said: bytes = await client.call("PING")
        await client.close()
        return said

    assert [asyncio.run(ping()), asyncio.run(ping())] == [b"PONG", b"PONG"]


def test_settings_in_the_environment_make_a_client(
    redis_url: str, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path_factory.mktemp("empty"))

    with RedisClient.from_env(service="collector", environ={"REDIS_URL": redis_url}) as client:
        assert client.call("PING") == b"PONG"
    with RedisClient.from_env(service="collector", environ={"REDIS_ENABLED": "false"}) as client:
        assert not client.enabled
