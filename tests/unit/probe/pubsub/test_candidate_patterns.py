from opsctl.health_rules.pubsub import heard_by
from opsctl.probe.pubsub.candidate_patterns import (
    MOST,
    candidates,
    is_observing,
    observing,
    said_patterns,
)
from opsctl.probe.redis.parse_clients import parse_clients


def test_patterns_are_read_from_the_names_of_clients() -> None:
    assert said_patterns("opsctl:archiver:psub=ticker.*,market_*") == ("ticker.*", "market_*")
    assert said_patterns("opsctl:a:sub=x,psub=b:*,psub=c") == ("b:*", "c")
    assert said_patterns("opsctl:a:sub=x,y") == ()
    assert said_patterns("redis-py") == ()


def test_candidates_begin_with_what_is_known_and_end_somewhere() -> None:
    clients = parse_clients("id=1 name=x:psub=odd?[a] psub=1\n")

    found = candidates(("ticker.*",), ("ticker.kr",), clients)
    many = candidates((), tuple(f"channel.number.{index}" for index in range(99)), ())

    assert found[:2] == ("ticker.*", "odd?[a]")
    assert {"t*", "*", "ticker.??", "*.kr", "ticker.kr"} <= set(found)
    assert len(many) == MOST


def test_what_only_watches_matches_the_same_and_is_told_apart() -> None:
    for name in ("ticker.kr", "ticker.*", "*", "*.kr"):
        assert is_observing(observing(name))
    assert not is_observing("ticker.*")
    assert [bool(heard_by("ticker.kr", (observing(n),))) for n in ("*", "t*", "m*")] == [
        True,
        True,
        False,
    ]
