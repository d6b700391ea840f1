"""Who subscribes to what, over all nodes: the report of `opsctl debug pubsub`."""

from dataclasses import dataclass

from opsctl.findings import Finding
from opsctl.health_rules.measurements import ExpectedSubscriptions, PubsubNode
from opsctl.health_rules.pubsub import SubscriptionCoverage, coverage_findings, judge_coverage
from opsctl.probe.pubsub.inspect_node import require_answer
from opsctl.probe.pubsub.replication_nodes import Open, inspect_all_nodes
from opsctl.settings.sections.probe import Probe
from opsctl.systems.redis.client import Redis
from opsctl.systems.redis.glob import is_literal


@dataclass(frozen=True, slots=True)
class PubsubReport:
    coverage: tuple[SubscriptionCoverage, ...]
    nodes: tuple[PubsubNode, ...]
    findings: tuple[Finding, ...]


def expected_subscriptions(rules: Probe, asked: tuple[str, ...]) -> ExpectedSubscriptions:
    """Take the channels and patterns that were asked for, or those of the settings."""
    if not asked:
        return ExpectedSubscriptions(rules.channels, rules.patterns)
    channels = tuple(name for name in asked if is_literal(name))
    return ExpectedSubscriptions(channels, tuple(name for name in asked if not is_literal(name)))


def report_subscribers(
    redis: Redis, wanted: ExpectedSubscriptions, open_node: Open, rules: Probe
) -> PubsubReport:
    # Without an answer there is nothing to report: that is an error of its own.
    require_answer(redis)
    nodes = inspect_all_nodes(redis, wanted, open_node)
    coverage = judge_coverage(nodes, wanted)
    return PubsubReport(coverage, nodes, coverage_findings(nodes, coverage, rules))
