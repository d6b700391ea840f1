"""The truth table of `opsctl debug pubsub`: no false alarm, no false calm."""

import pytest

from opsctl.errors import UnreachableError
from opsctl.findings import Level, worst_level
from opsctl.health_rules.measurements import ExpectedSubscriptions
from opsctl.probe.pubsub.candidate_patterns import as_observer_pattern
from opsctl.probe.pubsub.report import PubsubReport, expected_subscriptions, report_subscribers
from opsctl.settings.sections.probe import Probe
from opsctl.systems.redis.client import RedisPy, parse_info
from tests.engines.redis import OwnRedis, RedisServer
from tests.integration.probe.conftest import Listen, Open
from tests.waiting import wait_for

KR = ExpectedSubscriptions(("ticker.kr",), ())


def asked(
    open_redis: Open, url: str, wanted: ExpectedSubscriptions = KR, *, answer_s: float = 20.0
) -> PubsubReport:
    def node(host: str, port: int) -> RedisPy:
        return open_redis(f"redis://{host}:{port}/0", answer_s)

    return report_subscribers(open_redis(url), wanted, node, Probe())


def verdicts(open_redis: Open, url: str, wanted: ExpectedSubscriptions = KR) -> list[str]:
    return [one.verdict for one in asked(open_redis, url, wanted).coverage]


def test_nobody_is_a_proven_failure(server: RedisServer, open_redis: Open) -> None:
    report = asked(open_redis, server.url(), expected_subscriptions(Probe(), ()))

    assert [one.verdict for one in report.coverage] == ["FAIL"] * 4
    assert worst_level(report.findings) is Level.CRITICAL


@pytest.mark.parametrize("protocol", [2, 3])
@pytest.mark.parametrize(
    ("topics", "verdict"),
    [
        (("ticker.kr",), "OK"),
        (("ticker.*",), "OK"),
        (("*",), "OK"),
        (("ticker.*", "tick*", "t*r.kr"), "OK"),
        (("ticker.us",), "FAIL"),
        (("tick.*",), "UNKNOWN"),
        (("t[h-j]cker.k?",), "UNKNOWN"),
    ],
)
def test_one_client(
    server: RedisServer,
    open_redis: Open,
    listen: Listen,
    topics: tuple[str, ...],
    verdict: str,
    protocol: int,
) -> None:
    listen(server.url(), *topics, protocol=protocol)

    assert verdicts(open_redis, server.url()) == [verdict]


def test_a_pattern_of_the_settings_that_misses_is_a_proven_failure(
    server: RedisServer, open_redis: Open, listen: Listen
) -> None:
    listen(server.url(), "tick.*")

    report = asked(open_redis, server.url(), ExpectedSubscriptions(("ticker.kr",), ("tick.*",)))

    assert [one.verdict for one in report.coverage] == ["FAIL", "OK"]


def test_two_clients_on_one_pattern_are_one_and_enough(
    server: RedisServer, open_redis: Open, listen: Listen
) -> None:
    listen(server.url(), "ticker.*")
    listen(server.url(3), "ticker.*")

    report = asked(open_redis, server.url(7))

    assert report.coverage[0].verdict == "OK"
    assert (report.nodes[0].pattern_count, report.nodes[0].unexplained) == (1, 0)


def test_a_client_that_names_its_pattern_is_explained(
    server: RedisServer, open_redis: Open, listen: Listen
) -> None:
    listen(server.url(), "t[h-j]ck*", name="opsctl:archiver:psub=t[h-j]ck*")
    listen(server.url(), "other.[a]", name="opsctl:else:psub=other.[a]")

    assert verdicts(open_redis, server.url()) == ["OK"]


def test_a_name_that_lies_proves_nothing(
    server: RedisServer, open_redis: Open, listen: Listen
) -> None:
    listen(server.url(), "market_ticker", name="opsctl:archiver:psub=ticker.*")

    assert verdicts(open_redis, server.url()) == ["FAIL"]


def test_one_who_only_watches_is_no_listener(
    server: RedisServer, open_redis: Open, listen: Listen
) -> None:
    watched = as_observer_pattern("ticker.kr")
    listen(server.url(), watched, name=f"opsctl:debug:psub={watched}")

    assert verdicts(open_redis, server.url()) == ["FAIL"]


def test_one_who_left_is_gone(server: RedisServer, open_redis: Open, listen: Listen) -> None:
    pubsub = listen(server.url(), "ticker.*")
    before = verdicts(open_redis, server.url())
    pubsub.close()

    assert before == ["OK"]
    wait_for(lambda: verdicts(open_redis, server.url()) == ["FAIL"], 60, "the pattern to be free")


@pytest.mark.parametrize(
    ("rules", "covered", "uncovered"),
    [
        (["+pubsub", "+info", "+client"], "OK", "UNKNOWN"),
        (["+pubsub", "+psubscribe", "+punsubscribe", "+client"], "OK", "UNKNOWN"),
        (["+@all", "resetchannels"], "OK", "UNKNOWN"),
        (["+@all", "-client|list"], "OK", "FAIL"),
        (["+@all"], "OK", "FAIL"),
        (["+ping", "+client|id"], "UNKNOWN", "UNKNOWN"),
    ],
)
def test_a_user_who_may_not_ask_gets_unknown_and_never_a_failure(
    server: RedisServer,
    open_redis: Open,
    listen: Listen,
    rules: list[str],
    covered: str,
    uncovered: str,
) -> None:
    channels = [] if "resetchannels" in rules else ["allchannels"]
    server.cli("ACL", "SETUSER", "some", "on", ">pw", "allkeys", *channels, *rules)
    listen(server.url(), "ticker.us", "*.us")

    url = server.url().replace("redis://", "redis://some:pw@")
    wanted = ExpectedSubscriptions(("ticker.us", "ticker.kr"), ())

    assert verdicts(open_redis, url, wanted) == [covered, uncovered]


@pytest.fixture
def replica(own_redis: OwnRedis, server: RedisServer) -> RedisServer:
    started = own_redis(config=[f"replicaof {server.address.host} {server.address.port}"])
    wait_for(
        lambda: (
            "master_link_status:up" in started.cli("INFO", "replication")
            and "state=online" in server.cli("INFO", "replication")
        ),
        60,
        "the replica to be in step",
    )
    return started


def test_a_listener_on_a_replica_is_found_from_either_side(
    server: RedisServer, replica: RedisServer, open_redis: Open, listen: Listen
) -> None:
    listen(replica.url(), "ticker.*")

    for url in (server.url(), replica.url()):
        report = asked(open_redis, url)

        assert report.coverage[0].verdict == "OK"
        assert len(report.nodes) == 2


def test_nobody_on_any_node_is_proven(
    server: RedisServer, replica: RedisServer, open_redis: Open
) -> None:
    for url in (server.url(), replica.url()):
        assert verdicts(open_redis, url) == ["FAIL"]


def test_a_replica_that_hangs_leaves_it_unknown(
    server: RedisServer, replica: RedisServer, open_redis: Open
) -> None:
    replica.freeze()

    report = asked(open_redis, server.url(), answer_s=1.0)

    assert report.coverage[0].verdict == "UNKNOWN"
    assert "no answer within" in report.coverage[0].proof


def test_the_probe_sends_nothing_and_leaves_nothing(
    server: RedisServer, open_redis: Open, listen: Listen
) -> None:
    pubsub = listen(server.url(), "*")

    asked(open_redis, server.url())

    assert pubsub.get_message(timeout=0.2) is None
    assert server.cli("PUBSUB", "NUMPAT") == "1"


def test_a_dead_server_is_an_error_of_its_own(server: RedisServer, open_redis: Open) -> None:
    server.kill()

    with pytest.raises(UnreachableError):
        asked(open_redis, server.url())


def test_the_whole_question_is_one_short_transaction(server: RedisServer, open_redis: Open) -> None:
    spent: list[tuple[int, int]] = []
    for _ in range(5):
        server.cli("CONFIG", "RESETSTAT")
        asked(open_redis, server.url(), expected_subscriptions(Probe(), ()))
        stats = parse_info(server.cli("INFO", "commandstats").replace("\r", ""))["cmdstat_exec"]
        said = dict(pair.split("=") for pair in stats.split(","))
        spent.append((int(said["calls"]), int(said["usec"])))

    assert [calls for calls, _ in spent] == [1] * 5
    # The shortest: on a machine that does other things as well a server may have to pause in it.
    assert min(usec for _, usec in spent) < 20_000
