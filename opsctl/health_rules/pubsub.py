"""Whether each expected channel and pattern has a subscriber: yes, provably none, or unknown."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from opsctl.findings import Figure, Finding, Level
from opsctl.health_rules.measurements import ClientConnection, ExpectedSubscriptions, PubsubNode
from opsctl.settings.sections.probe import Probe
from opsctl.systems.redis.glob import matches
from opsctl.units import format_bytes

_MIB = 1024 * 1024
# The client name with which `opsctl debug` subscribes.
OBSERVER_CLIENT = "opsctl:debug"


@dataclass(frozen=True, slots=True)
class SubscriptionCoverage:
    """One channel or pattern, its subscribers, and how that is known."""

    name: str
    kind: str
    """channel or pattern."""
    verdict: str
    """OK, FAIL or UNKNOWN."""
    literal: int
    patterns: tuple[str, ...]
    proof: str


_LEVELS = {"OK": Level.OK, "FAIL": Level.CRITICAL, "UNKNOWN": Level.UNKNOWN}
_FIX = {
    "FAIL": "Start the subscriber, or see why it does not subscribe: `opsctl logs archiver`.",
    "UNKNOWN": "Name the clients (SETNAME opsctl:NAME:psub=PATTERN), or add the pattern to "
    "probe.patterns; a user needs +pubsub +psubscribe +client|list and the channels.",
}


def matching_patterns(channel: str, patterns: Iterable[str]) -> tuple[str, ...]:
    return tuple(pattern for pattern in patterns if matches(pattern, channel))


def judge_coverage(
    nodes: Sequence[PubsubNode], wanted: ExpectedSubscriptions
) -> tuple[SubscriptionCoverage, ...]:
    channels = tuple(_judge_channel(name, nodes) for name in wanted.channels)
    patterns = tuple(_judge_pattern(name, nodes, channels) for name in wanted.patterns)
    return channels + patterns


def coverage_findings(
    nodes: Sequence[PubsubNode], coverage: Sequence[SubscriptionCoverage], rules: Probe
) -> tuple[Finding, ...]:
    covered = (
        Finding(
            f"{one.kind} {one.name}",
            _LEVELS[one.verdict],
            f"{one.verdict}: {one.proof}",
            fix=_FIX.get(one.verdict, ""),
            figures=(Figure("literal", one.literal), Figure("patterns", len(one.patterns))),
        )
        for one in coverage
    )
    return (*covered, *_judge_slow_readers(nodes, rules))


def _judge_channel(name: str, nodes: Sequence[PubsubNode]) -> SubscriptionCoverage:
    literal = sum(node.literal.get(name, 0) for node in nodes)
    patterns = tuple(dict.fromkeys(p for node in nodes for p in matching_patterns(name, node.held)))
    if literal or patterns:
        return SubscriptionCoverage(
            name, "channel", "OK", literal, patterns, _describe_subscribers(literal, patterns)
        )
    return SubscriptionCoverage(name, "channel", *_judge_unsubscribed(name, nodes))


def _judge_unsubscribed(
    name: str, nodes: Sequence[PubsubNode]
) -> tuple[str, int, tuple[str, ...], str]:
    doubts = tuple(_find_doubts(nodes))
    if doubts:
        return "UNKNOWN", 0, (), "; ".join(doubts)
    others = sorted({pattern for node in nodes for pattern in node.held})
    held = (
        f"the only subscribed patterns are {', '.join(others)}"
        if others
        else "no pattern is subscribed"
    )
    where = f" on {len(nodes)} nodes" if len(nodes) > 1 else ""
    proof = f"{name} has no subscriber: 0 literal ones, and {held}{where}"
    return "FAIL", 0, (), proof


def _find_doubts(nodes: Iterable[PubsubNode]) -> Iterator[str]:
    """Name what keeps us from proving that nobody subscribes."""
    for node in nodes:
        if node.hidden:
            yield f"{node.address} hides its subscribers ({node.hidden})"
        elif node.unexplained > 0:
            who = _name_holders(node)
            yield f"{node.unexplained} unknown patterns are subscribed on {node.address}{who}"


def _name_holders(node: PubsubNode) -> str:
    if node.clients is None:
        return ", and CLIENT LIST is denied"
    holders = [client.described for client in _pattern_clients(node)]
    return f" by {', '.join(holders)}" if holders else ""


def _pattern_clients(node: PubsubNode) -> Iterator[ClientConnection]:
    for client in node.clients or ():
        if client.patterns and not client.name.startswith(OBSERVER_CLIENT):
            yield client


def _describe_subscribers(literal: int, patterns: Sequence[str]) -> str:
    by_name = [f"{literal} literal"] if literal else []
    by_pattern = [f"pattern {pattern}" for pattern in patterns]
    return f"subscribed by {', '.join(by_name + by_pattern)}"


def _judge_pattern(
    name: str, nodes: Sequence[PubsubNode], channels: Sequence[SubscriptionCoverage]
) -> SubscriptionCoverage:
    holders = tuple(node for node in nodes if name in node.held)
    if holders:
        clients = (client.described for node in holders for client in _pattern_clients(node))
        who = ", ".join(dict.fromkeys(clients))
        proof = "subscribed" + (f"; clients with patterns: {who}" if who else "")
        return SubscriptionCoverage(name, "pattern", "OK", 0, (name,), proof)
    mine = [channel for channel in channels if matching_patterns(channel.name, (name,))]
    if mine and all(channel.verdict == "OK" for channel in mine):
        names = ", ".join(channel.name for channel in mine)
        return SubscriptionCoverage(
            name, "pattern", "OK", 0, (), f"not subscribed itself, but {names} have subscribers"
        )
    doubts = [
        f"{node.address} hides its subscribers ({node.hidden})" for node in nodes if node.hidden
    ]
    if doubts or any(channel.verdict == "UNKNOWN" for channel in mine):
        proof = "; ".join(doubts) or "not subscribed itself, but an unknown pattern may cover it"
        return SubscriptionCoverage(name, "pattern", "UNKNOWN", 0, (), proof)
    return SubscriptionCoverage(
        name, "pattern", "FAIL", 0, (), f"proven: nobody subscribes to {name}"
    )


def _judge_slow_readers(nodes: Iterable[PubsubNode], rules: Probe) -> Iterator[Finding]:
    for node in nodes:
        for client in node.clients or ():
            waiting = client.waiting_bytes / _MIB
            if waiting >= rules.output_warn_mb:
                critical = waiting >= rules.output_critical_mb
                yield Finding(
                    f"reader {client.address}",
                    Level.CRITICAL if critical else Level.WARNING,
                    f"{client.described} has {format_bytes(client.waiting_bytes)} waiting"
                    f" on {node.address}",
                    fix="It reads too slowly: at 32 MiB Redis disconnects it.",
                    figures=(Figure("waiting", client.waiting_bytes, "B"),),
                )
