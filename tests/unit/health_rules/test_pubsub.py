from dataclasses import replace

from opsctl.findings import Level
from opsctl.health_rules.measurements import ExpectedSubscriptions, PubsubNode
from opsctl.health_rules.pubsub import coverage_findings, judge_coverage
from opsctl.probe.redis.parse_clients import parse_clients
from opsctl.settings.sections.probe import Probe

WANTED = ExpectedSubscriptions(("ticker.kr",), ("ticker.*",))
SILENT = PubsubNode("r:1/0", "master", {"ticker.kr": 0})


def verdicts(*nodes: PubsubNode) -> dict[str, str]:
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
    hidden = PubsubNode("replica:1", "unknown", hidden="refused")

    assert verdicts(SILENT, hidden) == {"ticker.kr": "UNKNOWN", "ticker.*": "UNKNOWN"}


def test_a_listener_on_a_replica_counts() -> None:
    replica = replace(SILENT, address="r:2/0", pattern_count=1, held=("ticker.*",))

    assert verdicts(SILENT, replica) == {"ticker.kr": "OK", "ticker.*": "OK"}


def test_an_observer_explains_a_pattern_and_is_no_subscriber() -> None:
    watched = replace(SILENT, pattern_count=1, observed=1)

    assert verdicts(watched) == {"ticker.kr": "FAIL", "ticker.*": "FAIL"}


def test_verdicts_become_levels_with_a_fix() -> None:
    findings = coverage_findings((SILENT,), judge_coverage((SILENT,), WANTED), Probe())

    assert [finding.level for finding in findings] == [Level.CRITICAL, Level.CRITICAL]
    assert all(finding.fix for finding in findings)


def test_a_slow_reader_is_a_finding() -> None:
    clients = parse_clients(f"id=1 addr=h:1 name=a flags=P psub=1 omem={20 * 1024 * 1024}\n")

    findings = coverage_findings((replace(SILENT, clients=clients),), (), Probe())

    assert findings[0].level is Level.CRITICAL
