"""Who hears what, over all nodes: the report of `opsctl debug pubsub`."""

from dataclasses import dataclass

from opsctl.findings import Finding
from opsctl.health_rules.measurements import Expected, Node
from opsctl.health_rules.pubsub import Coverage, findings_of, judge_coverage
from opsctl.probe.pubsub.inspect_node import reach
from opsctl.probe.pubsub.replication_nodes import Open, look_everywhere
from opsctl.settings.sections.probe import Probe
from opsctl.systems.redis.client import Redis
from opsctl.systems.redis.glob import is_literal


@dataclass(frozen=True, slots=True)
class PubsubReport:
    coverage: tuple[Coverage, ...]
    nodes: tuple[Node, ...]
    findings: tuple[Finding, ...]


def expected(rules: Probe, asked: tuple[str, ...]) -> Expected:
    """Take the channels and patterns that were asked for, or those of the settings."""
    if not asked:
        return Expected(rules.channels, rules.patterns)
    channels = tuple(name for name in asked if is_literal(name))
    return Expected(channels, tuple(name for name in asked if not is_literal(name)))


def who_listens(redis: Redis, wanted: Expected, open_node: Open, rules: Probe) -> PubsubReport:
    # Nothing listens where nothing answers: that is an error of its own.
    reach(redis)
    nodes = look_everywhere(redis, wanted, open_node)
    coverage = judge_coverage(nodes, wanted)
    return PubsubReport(coverage, nodes, findings_of(nodes, coverage, rules))
