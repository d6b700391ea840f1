from dataclasses import replace

from opsctl.findings import Level
from opsctl.probe.pubsub.candidates import (
    MOST,
    candidates,
    heard_by,
    is_observing,
    observing,
    said_patterns,
)
from opsctl.probe.pubsub.judge import findings_of, judge_coverage
from opsctl.probe.pubsub.listeners import Expected, Node
from opsctl.probe.redis.clients import parse_clients
from opsctl.settings.sections.probe import Probe

WANTED = Expected(("ticker.kr",), ("ticker.*",))
SILENT = Node("r:1/0", "master", {"ticker.kr": 0})


def verdicts(*nodes: Node) -> dict[str, str]:
    return {one.name: one.verdict for one in judge_coverage(nodes, WANTED)}


def test_nobody_is_proven_when_no_pattern_is_left_unexplained() -> None:
    others = replace(SILENT, pattern_count=1, held=("market_*",))

    assert verdicts(SILENT) == {"ticker.kr": "FAIL", "ticker.*": "FAIL"}
    assert verdicts(others) == {"ticker.kr": "FAIL", "ticker.*": "FAIL"}


def test_a_literal_subscriber_or_a_matching_pattern_is_enough() -> None:
    literal = replace(SILENT, literal={"ticker.kr": 1})
    by_pattern = replace(SILENT, pattern_count=1, held=("tick*",))

    assert verdicts(literal) == {"ticker.kr": "OK", "ticker.*": "OK"}
    assert verdicts(by_pattern) == {"ticker.kr": "OK", "ticker.*": "OK"}


def test_an_unknown_pattern_leaves_it_open_and_names_who_holds_one() -> None:
    clients = parse_clients("id=1 addr=h:1 name=someone psub=1 flags=P\n")
    node = replace(SILENT, pattern_count=1, clients=clients)

    coverage = judge_coverage((node,), WANTED)

    assert [one.verdict for one in coverage] == ["UNKNOWN", "UNKNOWN"]
    assert "someone (h:1)" in coverage[0].proof


def test_a_node_that_hides_never_fails_and_never_calms() -> None:
    hidden = Node("replica:1", "unknown", hidden="refused")

    assert verdicts(SILENT, hidden) == {"ticker.kr": "UNKNOWN", "ticker.*": "UNKNOWN"}


def test_a_listener_on_a_replica_counts() -> None:
    replica = replace(SILENT, address="r:2/0", pattern_count=1, held=("ticker.*",))

    assert verdicts(SILENT, replica) == {"ticker.kr": "OK", "ticker.*": "OK"}


def test_one_who_only_watches_explains_a_pattern_and_hears_nothing() -> None:
    watched = replace(SILENT, pattern_count=1, observed=1)

    assert verdicts(watched) == {"ticker.kr": "FAIL", "ticker.*": "FAIL"}


def test_verdicts_become_levels_with_a_way_out() -> None:
    findings = findings_of((SILENT,), judge_coverage((SILENT,), WANTED), Probe())

    assert [finding.level for finding in findings] == [Level.CRITICAL, Level.CRITICAL]
    assert all(finding.fix for finding in findings)


def test_a_slow_reader_is_a_finding() -> None:
    clients = parse_clients(f"id=1 addr=h:1 name=a flags=P psub=1 omem={20 * 1024 * 1024}\n")

    findings = findings_of((replace(SILENT, clients=clients),), (), Probe())

    assert findings[0].level is Level.CRITICAL


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
