import contextlib
import logging
import socket
import threading
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from opsctl.errors import BusyError, OpsctlError, RefusedError, SettingsError, UnreachableError
from opsctl.systems.clock import SystemClock
from opsctl.systems.redis.access import Access
from opsctl.systems.redis.client import Redis, RedisLimits, RedisPy, RedisTarget
from tests.engines.redis import OwnRedis, RedisServer
from tests.fakes.redis import MemoryRedis

CANARY = "c4n4ry-of-redis"
SOON = RedisLimits(answer_s=0.5)
AMPLE = RedisLimits(answer_s=20.0)
# None of these would end by itself; the machine does other things as well.
IN_TIME_S = 20.0


def opened(url: str, access: Access = Access.FULL, limits: RedisLimits = AMPLE) -> RedisPy:
    target = RedisTarget.parse(url)
    return RedisPy(target, purpose="test", clock=SystemClock(), limits=limits, access=access)


@pytest.fixture(params=["fake", "real"])
def store(request: pytest.FixtureRequest) -> Iterator[Redis]:
    if request.param == "fake":
        yield MemoryRedis(SystemClock())
        return
    real = opened(request.getfixturevalue("redis_url"))
    yield real
    real.close()


@pytest.fixture(params=["fake", "real"])
def read_only(request: pytest.FixtureRequest) -> Iterator[Redis]:
    if request.param == "fake":
        yield MemoryRedis(SystemClock(), access=Access.READ)
        return
    real = opened(request.getfixturevalue("redis_url"), Access.READ)
    yield real
    real.close()


@pytest.fixture
def real(redis_url: str) -> Iterator[RedisPy]:
    connected = opened(redis_url)
    yield connected
    connected.close()


def test_what_is_set_can_be_read_until_deleted(store: Redis) -> None:
    store.ping()
    store.set("a", b"1")

    assert (store.get("a"), store.get("b")) == (b"1", None)
    assert (store.delete("a", "b"), store.get("a")) == (1, None)


def test_a_value_with_a_long_life_is_there_now(store: Redis) -> None:
    store.set("a", b"1", ttl_s=60)

    assert store.get("a") == b"1"


def test_a_refused_command_of_a_batch_stands_in_its_place(real: RedisPy) -> None:
    said = real.batch([("SET", "a", 1), ("LPUSH", "a", 1), ("INCR", "a")])

    assert (said[0], said[2]) == (b"OK", 2)
    assert "wrong kind" in said[1].why
    assert real.batch([]) == []


def test_an_atomic_batch_does_all_or_raises(real: RedisPy) -> None:
    assert real.batch([("SET", "a", 1), ("INCR", "a")], atomic=True) == [b"OK", 2]

    with pytest.raises(OpsctlError, match="refused a command"):
        real.batch([("SET", "a", 9), ("NO-SUCH", "a")], atomic=True)

    assert real.get("a") == b"2"


def test_facts_name_version_role_and_the_servers_clock(store: Redis) -> None:
    facts = store.facts()

    assert int(facts.version.partition(".")[0]) >= 6
    assert facts.role == "master"
    assert abs(facts.now - datetime.now(UTC)) < timedelta(seconds=5)


def test_a_read_only_connection_reads_and_refuses_to_write(read_only: Redis) -> None:
    with pytest.raises(RefusedError, match="SET is not allowed") as caught:
        read_only.set("a", b"1")

    assert caught.value.exit_code == 5
    assert read_only.get("a") is None
    with pytest.raises(RefusedError):
        read_only.delete("a")


def test_a_life_is_kept_by_the_server(real: RedisPy) -> None:
    real.set("a", b"1", ttl_s=60)

    assert 59_000 < real.call("PTTL", "a") <= 60_000


def test_a_connection_says_what_it_is_for(real: RedisPy) -> None:
    assert real.call("CLIENT", "GETNAME") == b"opsctl:test"


def test_an_open_connection_is_used_again(real: RedisPy) -> None:
    assert real.call("CLIENT", "ID") == real.call("CLIENT", "ID")


def test_a_refusal_leaves_the_connection_usable(redis_url: str) -> None:
    reading = opened(redis_url, Access.READ)
    first = reading.call("CLIENT", "ID")

    with pytest.raises(RefusedError):
        reading.call("SET", "a", "1")

    assert reading.call("CLIENT", "ID") == first
    reading.close()


def test_a_connection_that_the_server_closed_is_made_again(real: RedisPy) -> None:
    first = real.call("CLIENT", "ID")
    other = opened(f"redis://{real.address}")
    other.call("CLIENT", "KILL", "ID", first)
    other.close()

    assert real.call("CLIENT", "ID") != first


def test_a_restarted_server_is_found_again(own_redis: OwnRedis) -> None:
    server = own_redis()
    store = opened(server.url())
    store.ping()
    server.kill()
    with pytest.raises(UnreachableError):
        store.ping()

    server.start()

    store.ping()
    store.close()


@pytest.mark.parametrize("kind", ["dead_address", "black_hole", "full_backlog"])
@pytest.mark.parametrize("scheme", ["redis", "rediss"])
def test_an_address_that_does_not_answer_fails_in_time(
    request: pytest.FixtureRequest, kind: str, scheme: str
) -> None:
    address = request.getfixturevalue(kind)
    store = opened(f"{scheme}://:{CANARY}@{address.host}:{address.port}/0", limits=SOON)

    error, took_s = failure_of(store)

    assert isinstance(error, UnreachableError)
    assert error.exit_code == 7
    assert f"{address.host}:{address.port}/0" in error.what
    assert CANARY not in told(error)
    assert took_s < SOON.answer_s + IN_TIME_S


def test_a_name_that_no_one_knows_fails_in_time() -> None:
    error, took_s = failure_of(opened("redis://nowhere.invalid/0", limits=SOON))

    assert isinstance(error, UnreachableError)
    assert took_s < SOON.answer_s + IN_TIME_S


def test_a_socket_that_is_not_there_is_unreachable(tmp_path: Path) -> None:
    error, _ = failure_of(opened(f"unix://{tmp_path}/none.sock"))

    assert isinstance(error, UnreachableError)
    assert error.why == "no such file or directory"


def test_a_frozen_server_fails_in_time(own_redis: OwnRedis) -> None:
    server = own_redis()
    store = opened(server.url(), limits=SOON)
    store.ping()
    server.freeze()

    error, took_s = failure_of(store)
    server.thaw()

    assert isinstance(error, UnreachableError)
    assert error.why == "no answer within 0.5 s"
    assert took_s < SOON.answer_s + IN_TIME_S
    store.close()


@pytest.fixture
def sluggish() -> Iterator[str]:
    """Answer each command OK, but only after a while."""
    done = threading.Event()
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with contextlib.suppress(OSError), listener.accept()[0] as client:
            client.settimeout(60)
            while client.recv(4096) and not done.wait(0.35):
                client.sendall(b"+OK\r\n")

    thread = threading.Thread(target=serve)
    thread.start()
    yield f"redis://:x@127.0.0.1:{listener.getsockname()[1]}/1"
    done.set()
    thread.join()
    listener.close()


def test_slow_steps_share_one_deadline(sluggish: str) -> None:
    # Each step is in time, and all of them are not: the reason says that it was one deadline.
    error, took_s = failure_of(opened(sluggish, limits=SOON))

    assert error.why == "no answer within 0.5 s"
    assert took_s < SOON.answer_s + IN_TIME_S


def test_a_password_lets_us_in_and_a_wrong_one_is_a_setting(
    own_redis: OwnRedis, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server = own_redis(password=CANARY)
    right, wrong = opened(server.url(1)), opened(f"redis://:{CANARY}x@{right_end(server)}/1")
    right.ping()

    error, _ = failure_of(wrong)

    assert isinstance(error, SettingsError)
    seen = [repr(right), repr(right._pool), repr(RedisTarget.parse(server.url())), told(error)]
    seen += [caplog.text, Path("/proc/self/cmdline").read_text()]
    assert not any(CANARY in text for text in seen)
    right.close()


def test_a_password_that_is_missing_is_a_setting(own_redis: OwnRedis) -> None:
    error, _ = failure_of(opened(f"redis://{right_end(own_redis(password=CANARY))}/0"))

    assert isinstance(error, SettingsError)


def test_a_server_that_repeats_the_password_does_not_give_it_away(own_redis: OwnRedis) -> None:
    server = own_redis(config=["rename-command AUTH NOAUTHHERE"])

    error, _ = failure_of(opened(f"redis://:{CANARY}@{right_end(server)}/0"))

    assert "***" in error.why
    assert CANARY not in told(error)


def test_an_index_that_is_not_there_is_a_setting(redis_server: RedisServer) -> None:
    error, _ = failure_of(opened(redis_server.url(99)))

    assert isinstance(error, SettingsError)
    assert "/99" in error.what


def test_a_user_without_rights_gets_an_error_that_says_so(own_redis: OwnRedis) -> None:
    server = own_redis(config=["user reader on nopass +ping +client"])

    store = opened(f"redis://reader:any@{right_end(server)}/0")

    with pytest.raises(OpsctlError, match="does not allow"):
        store.get("a")
    store.close()


def test_a_replica_refuses_writes(own_redis: OwnRedis) -> None:
    master = own_redis()
    replica = own_redis(config=[f"replicaof {master.address.host} {master.address.port}"])
    store = opened(replica.url())

    with pytest.raises(RefusedError, match="is a replica"):
        store.set("a", b"1")
    assert store.facts().role == "slave"
    store.close()


def test_a_full_server_says_so(own_redis: OwnRedis) -> None:
    store = opened(own_redis(config=["maxmemory 1", "maxmemory-policy noeviction"]).url())

    with pytest.raises(OpsctlError, match="is full"):
        store.set("a", b"1")
    store.close()


def test_no_free_connection_is_busy(redis_url: str) -> None:
    store = opened(redis_url, limits=RedisLimits(answer_s=0.2, connections=1))

    with store._connection(), pytest.raises(BusyError):
        store.ping()
    store.close()


@pytest.mark.parametrize("url", [f"http://:{CANARY}@h", f"redis://:{CANARY}/@h:p/0", CANARY, ""])
def test_an_address_that_cannot_be_read_is_not_shown(url: str) -> None:
    with pytest.raises(SettingsError) as caught:
        opened(url)

    assert CANARY not in told(caught.value)


def failure_of(store: RedisPy) -> tuple[OpsctlError, float]:
    clock = SystemClock()
    began = clock.steady()
    with pytest.raises(OpsctlError) as caught:
        store.ping()
    return caught.value, clock.steady() - began


def right_end(server: RedisServer) -> str:
    return f"{server.address.host}:{server.address.port}"


def told(error: BaseException) -> str:
    """Show all that `-v` twice would show, and more."""
    return "".join([repr(vars(error)), *traceback.format_exception(error)])
