from opsctl.health_rules.pubsub import matching_patterns
from opsctl.probe.pubsub.candidate_patterns import (
    MAX_CANDIDATES,
    as_observer_pattern,
    is_observer_pattern,
    list_candidates,
    patterns_in_name,
)
from opsctl.probe.redis.parse_clients import parse_clients


def test_patterns_are_read_from_the_names_of_clients() -> None:
    assert patterns_in_name("opsctl:archiver:psub=ticker.*,market_*") == ("ticker.*", "market_*")
    assert patterns_in_name("opsctl:a:sub=x,psub=b:*,psub=c") == ("b:*", "c")
    assert patterns_in_name("opsctl:a:sub=x,y") == ()
    assert patterns_in_name("redis-py") == ()


def test_candidates_begin_with_what_is_known_and_end_somewhere() -> None:
    clients = parse_clients("id=1 name=x:psub=odd?[a] psub=1\n")

    found = list_candidates(("ticker.*",), ("ticker.kr",), clients)
    many = list_candidates((), tuple(f"channel.number.{index}" for index in range(99)), ())

    assert found[:2] == ("ticker.*", "odd?[a]")
    assert {"t*", "*", "ticker.??", "*.kr", "ticker.kr"} <= set(found)
    assert len(many) == MAX_CANDIDATES


def test_what_only_watches_matches_the_same_and_is_told_apart() -> None:
    for name in ("ticker.kr", "ticker.*", "*", "*.kr"):
        assert is_observer_pattern(as_observer_pattern(name))
    assert not is_observer_pattern("ticker.*")
    assert [
        bool(matching_patterns("ticker.kr", (as_observer_pattern(n),))) for n in ("*", "t*", "m*")
    ] == [
        True,
        True,
        False,
    ]
