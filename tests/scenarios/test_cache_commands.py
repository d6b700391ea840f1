"""`opsctl cache` over the caches of other processes."""

from collections.abc import Iterator

import pytest

from opsctl.kit import Backend, Cache, CacheOptions, RedisClient
from opsctl.systems.redis.client import RedisLimits
from tests.engines.redis import OwnRedis
from tests.scenarios.conftest import Answer, Program
from tests.waiting import wait_for


@pytest.fixture
def service(redis_url: str) -> Iterator[Cache]:
    with (
        RedisClient(redis_url, service="collector", limits=RedisLimits(20.0, 8)) as client,
        Cache(client, options=CacheOptions()) as cache,
    ):
        cache.exists("warm")
        wait_for(lambda: cache._state.listening, 30, "the cache to listen")
        yield cache


@pytest.fixture
def ask(project: Program, redis_url: str) -> Program:
    environ = {
        "REDIS_ENABLED": "true",
        "REDIS_URL": redis_url,
        "CACHE_BACKEND": "layered",
    }
    return Program(project.directory, project.environ | environ)


def test_figures_of_every_process_are_shown_as_they_are_now(service: Cache, ask: Program) -> None:
    service.set("k", 1)
    for key in ("k", "k", "k", "no"):
        service.get(key)

    answer = ask("cache", "stats", "--json")

    totals = answer.json["totals"]
    assert (totals["processes"], totals["hits"], totals["misses"]) == (1, 3, 1)
    assert (totals["hit_rate_percent"], totals["goal_percent"]) == (75.0, 70.0)
    assert answer.json["processes"][0]["service"] == "collector"
    assert "hit rate 75.0 % (goal 70 %)" in ask("cache", "stats").out


def test_a_rate_below_the_goal_exits_3(service: Cache, ask: Program) -> None:
    well = ask("cache", "health")
    for number in range(200):
        service.get(f"no {number}")

    low = ask("cache", "health", "--json")

    assert well.code == 0
    assert low.code == 3
    levels = {finding["check"]: finding["level"] for finding in low.json["findings"]}
    assert levels == {"hit rate": "warning", "redis": "ok", "processes": "ok", "errors": "ok"}


def test_a_user_who_may_not_see_whether_redis_keeps_anything_is_told_so(
    own_redis: OwnRedis, project: Program
) -> None:
    server = own_redis()
    server.cli("ACL", "SETUSER", "some", "on", ">pw", "~*", "&*", "+@all", "-info")
    url = server.url().replace("redis://", "redis://some:pw@")

    answer = project(
        "cache", "health", "--json", environ={"REDIS_ENABLED": "true", "REDIS_URL": url}
    )

    levels = {finding["check"]: finding["level"] for finding in answer.json["findings"]}
    assert (answer.code, levels["redis"]) == (3, "unknown")


def test_keys_are_listed_with_their_lives(service: Cache, ask: Program) -> None:
    service.set_many({"news_1": 1, "news_2": "two", "other": 3}, "news")

    answer = ask("cache", "keys", "news_*", "--json")
    short = ask("cache", "keys", "--limit", "2", "--json")

    assert [key["key"] for key in answer.json["keys"]] == ["news_1", "news_2"]
    assert 800 < answer.json["keys"][0]["ttl_s"] <= 900
    assert (len(short.json["keys"]), short.json["whole"]) == (2, False)


def test_deleting_reaches_the_memory_of_every_process(service: Cache, ask: Program) -> None:
    service.set_many({"news_1": 1, "news_2": 2, "other": 3})
    assert service.get("news_1") == 1

    planned = ask("cache", "delete", "news_*", "-n", "--json")
    done = ask("cache", "delete", "news_*", "-y", "--json")

    assert (planned.json["matching"], planned.json["removed"]) == (2, None)
    assert done.json["removed"] == 2
    wait_for(lambda: service.get("news_1") is None, 30, "the process to forget")
    assert service.get("other") == 3
    assert ask("cache", "clear", "-y", "--json").json["removed"] == 1
    wait_for(lambda: service.get("other") is None, 30, "the process to forget")


def test_production_asks_for_its_name(service: Cache, ask: Program) -> None:
    service.set("k", 1)

    refused = ask("-e", "prod", "cache", "clear", "-y")
    done = ask("-e", "prod", "cache", "clear", "--confirm", "prod")

    assert refused.code == 2
    assert "--confirm prod" in refused.err
    assert (done.code, service.exists("k")) == (0, False)


def test_other_keys_of_redis_stay(service: Cache, ask: Program, redis_url: str) -> None:
    service.set("k", 1)
    with RedisClient(redis_url) as client:
        client.call("SET", "opsctl:session:1", "x")
        client.call("SET", "cache:of-others", "x")

        ask("cache", "clear", "-y")

        assert client.call("EXISTS", "opsctl:session:1", "cache:of-others") == 2


def test_lives_are_those_of_the_settings(ask: Program) -> None:
    answer: Answer = ask("cache", "ttl", "--json")

    lives = dict(answer.json["ttls"])
    assert (lives["news"], lives["hot_stocks"], lives["price"]) == (900.0, 300.0, 0.1)


def test_without_redis_nothing_is_shared(project: Program) -> None:
    assert project("cache", "stats").code == 7
    assert project("cache", "clear", "-y").code == 7
    assert project("cache", "health").code == 0
    assert project("cache", "ttl").code == 0


def test_processes_of_a_memory_backend_report_nothing(ask: Program) -> None:
    with Cache(options=CacheOptions(backend=Backend.MEMORY)) as cache:
        cache.set("k", 1)

        assert ask("cache", "stats", "--json").json["totals"]["processes"] == 0
