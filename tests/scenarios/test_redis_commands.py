"""`health redis`, `debug pubsub` and `debug redis` on the installed program, faults included."""

import json
import signal
import subprocess
from collections.abc import Callable

import pytest

from tests.engines.addresses import Address
from tests.engines.redis import OwnRedis, RedisServer
from tests.scenarios.conftest import Answer, Program
from tests.waiting import wait_for

HEALTH, PUBSUB, DEBUG = ("health", "redis"), ("debug", "pubsub"), ("debug", "redis")


@pytest.fixture
def server(own_redis: OwnRedis) -> RedisServer:
    return own_redis()


@pytest.fixture
def ask(project: Program) -> Callable[..., Answer]:
    """Run a command against a Redis; each fault must end within its deadline."""

    def run(server: RedisServer, *words: str, password: str = "", user: str = "") -> Answer:
        return project(*words, environ=environ_of(server, password=password, user=user))

    return run


def environ_of(server: RedisServer, *, password: str = "", user: str = "") -> dict[str, str]:
    return {
        "REDIS_ENABLED": "true",
        "REDIS_HOST": server.address.host,
        "REDIS_PORT": str(server.address.port),
        "REDIS_PASSWORD": password,
        "OPSCTL_REDIS_USERNAME": user,
        # The machine of the tests does other things as well.
        "OPSCTL_PROBE_PING_WARN_MS": "2000",
        "OPSCTL_PROBE_PING_CRITICAL_MS": "5000",
    }


def levels(answer: Answer) -> dict[str, str]:
    return {finding["check"]: finding["level"] for finding in answer.json["findings"]}


def test_a_healthy_redis_is_healthy_in_every_format(
    server: RedisServer, ask: Callable[..., Answer]
) -> None:
    answers = {
        form: ask(server, *HEALTH, "-o", form) for form in ("text", "json", "nagios", "prom")
    }

    assert {answer.code for answer in answers.values()} == {0}
    assert set(levels(answers["json"]).values()) == {"ok"}
    assert answers["json"].json["schema"] == "opsctl.health.redis/1"
    assert answers["nagios"].out.startswith("HEALTH REDIS OK - ")
    assert 'opsctl_health_redis_level{check="reachable"} 0' in answers["prom"].out
    assert "reachable" in answers["text"].out


def test_a_redis_that_is_off_is_not_asked(project: Program) -> None:
    for words in (HEALTH, PUBSUB, DEBUG):
        answer = project(*words)

        assert (answer.code, answer.err) == (0, "")
        assert "turned off" in answer.out


@pytest.mark.parametrize("words", [HEALTH, PUBSUB, DEBUG])
def test_a_wrong_password_is_said_and_not_shown(
    own_redis: OwnRedis, ask: Callable[..., Answer], words: tuple[str, ...]
) -> None:
    server = own_redis(password="right")

    answer = ask(server, *words, password="wr0ng-canary")

    assert answer.code == (3 if words == HEALTH else 6)
    assert "does not accept the login" in answer.out + answer.err
    assert "wr0ng-canary" not in answer.out + answer.err


@pytest.mark.parametrize("words", [HEALTH, PUBSUB, DEBUG])
def test_a_user_without_rights_learns_nothing_and_is_told_so(
    server: RedisServer, ask: Callable[..., Answer], words: tuple[str, ...]
) -> None:
    server.cli("ACL", "SETUSER", "some", "on", ">pw", "allkeys", "+ping", "+client|id")

    answer = ask(server, *words, "--json", user="some", password="pw")

    assert answer.code == (0 if words == DEBUG else 3)
    if words == HEALTH:
        assert levels(answer) == {"latency": "ok", "info": "unknown", **_unknown(answer)}
    elif words == PUBSUB:
        assert {one["verdict"] for one in answer.json["coverage"]} == {"UNKNOWN"}
    else:
        assert len(answer.json["denied"]) == 4


def _unknown(answer: Answer) -> dict[str, str]:
    names = ("info", "slow log", "clients", "snapshots", "keys")
    return {name: "unknown" for name in names if name in levels(answer)}


def test_a_full_redis_is_critical(own_redis: OwnRedis, ask: Callable[..., Answer]) -> None:
    server = own_redis(config=["maxmemory 3mb", "maxmemory-policy noeviction"])
    server.cli("EVAL", "for i=1,99 do redis.pcall('SET', 'k'..i, string.rep('x', 50000)) end", "0")

    answer = ask(server, *HEALTH, "--json")

    assert answer.code == 3
    assert levels(answer)["memory"] == "critical"


def test_a_replica_says_that_it_refuses_writes(
    own_redis: OwnRedis, server: RedisServer, ask: Callable[..., Answer]
) -> None:
    replica = own_redis(config=[f"replicaof {server.address.host} {server.address.port}"])
    wait_for(
        lambda: "master_link_status:up" in replica.cli("INFO", "replication"), 60, "the replica"
    )

    well = ask(replica, *HEALTH, "--json")
    server.kill()
    wait_for(
        lambda: "master_link_status:down" in replica.cli("INFO", "replication"), 60, "the loss"
    )
    lost = ask(replica, *HEALTH, "--json")

    assert levels(well)["replication"] == "ok"
    assert (lost.code, levels(lost)["replication"]) == (3, "critical")


def test_keys_that_never_expire_are_found_by_example(
    server: RedisServer, ask: Callable[..., Answer]
) -> None:
    server.cli("SET", "cache:forever", "1")
    server.cli("SET", "cache:short", "1", "EX", "100")
    server.cli("SET", "config:enable_dual_socket", "false")

    answer = ask(server, *HEALTH)

    assert answer.code == 3
    assert "1 keys that should expire have no TTL (all 3 seen)" in answer.out


def test_waiting_ends_when_redis_is_back(server: RedisServer, project: Program) -> None:
    server.kill()
    waiting = project.start(*HEALTH, "--wait", "60s", environ=environ_of(server))
    with pytest.raises(subprocess.TimeoutExpired):
        waiting.wait(2)

    server.start()
    out, _ = waiting.communicate(timeout=90)

    assert waiting.returncode == 0
    assert "reachable" in out


def test_waiting_ends_at_its_deadline(dead_address: Address, project: Program) -> None:
    environ = {
        "REDIS_ENABLED": "true",
        "REDIS_HOST": dead_address.host,
        "REDIS_PORT": str(dead_address.port),
    }

    answer = project(*HEALTH, "--wait", "1s", environ=environ)

    assert answer.code == 3


def test_a_channel_without_a_listener_exits_3_and_says_which(
    server: RedisServer, ask: Callable[..., Answer]
) -> None:
    answer = ask(server, *PUBSUB, "--canary", "--json")

    assert answer.code == 3
    assert {one["name"] for one in answer.json["coverage"] if one["verdict"] == "FAIL"} == {
        "ticker.kr",
        "ticker.us",
        "market_ticker",
        "ticker.*",
    }
    assert levels(answer)["canary"] == "ok"


def test_what_flows_is_counted_and_followers_do_not_hide_a_failure(
    server: RedisServer, project: Program, ask: Callable[..., Answer]
) -> None:
    words = ("debug", "pubsub", "--follow", "--every", "200ms", "--payloads", "--json")
    following = project.start(*words, environ=environ_of(server))
    wait_for(lambda: server.cli("PUBLISH", "ticker.kr", "hello") == "1", 60, "the follower")

    beside = ask(server, *PUBSUB, "--json")
    following.send_signal(signal.SIGINT)
    out, _ = following.communicate(timeout=60)

    assert {one["verdict"] for one in beside.json["coverage"]} == {"FAIL"}
    assert following.returncode == 130
    *beats, _ = map(json.loads, out.splitlines())
    heard = [channel for channel in beats[-1]["channels"] if channel["channel"] == "ticker.kr"]
    assert (heard[0]["messages"], heard[0]["sample"]) == (1, "hello")


def test_costs_are_shown_without_values(server: RedisServer, ask: Callable[..., Answer]) -> None:
    server.cli("CONFIG", "SET", "slowlog-log-slower-than", "0")
    server.cli("SET", "session:1", "s3cret-value")
    server.cli("CONFIG", "SET", "slowlog-log-slower-than", "1000000")
    server.cli("EVAL", "for i=1,5000 do redis.call('RPUSH', 'big', i) end", "0")

    answer = ask(server, *DEBUG, "--json")

    seen = answer.json
    assert answer.code == 0
    assert (seen["big"][0]["key"], seen["big"][0]["length"]) == ("big", 5000)
    assert any(one["command"].startswith("SET session:1") for one in seen["slow"])
    assert "s3cret-value" not in answer.out
    assert {key["key"] for key in seen["hot"]} == {"big", "session:1"}


def test_hot_keys_are_counted_where_redis_counts(
    own_redis: OwnRedis, ask: Callable[..., Answer]
) -> None:
    server = own_redis(config=["maxmemory 50mb", "maxmemory-policy allkeys-lfu"])
    server.cli("SET", "cold", "1")
    server.cli("EVAL", "for i=1,5000 do redis.call('SET', 'hot', i) end", "0")

    answer = ask(server, *DEBUG, "--json")

    assert answer.json["hot"][0]["key"] == "hot"
    assert answer.json["hot"][0]["frequency"] > 5
