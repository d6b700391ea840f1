"""Judges who hears what: heard, proven unheard, or unknown. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from opsctl.findings import Figure, Finding, Level
from opsctl.health_rules.measurements import Client, Expected, Node
from opsctl.settings.sections.probe import Probe
from opsctl.systems.redis.glob import matches

_MIB = 1024 * 1024
# The client name with which `opsctl debug` subscribes.
OBSERVER = "opsctl:debug"


@dataclass(frozen=True, slots=True)
class Coverage:
    """One channel or pattern, who hears it, and how that is known."""

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
    "FAIL": "Start what listens, or look why it does not: `opsctl logs archiver`.",
    "UNKNOWN": "Name the clients (SETNAME opsctl:NAME:psub=PATTERN), or add the pattern to "
    "probe.patterns; a user needs +pubsub +psubscribe +client|list and the channels.",
}


def heard_by(channel: str, patterns: Iterable[str]) -> tuple[str, ...]:
    return tuple(pattern for pattern in patterns if matches(pattern, channel))


def judge_coverage(nodes: Sequence[Node], wanted: Expected) -> tuple[Coverage, ...]:
    channels = tuple(_channel(name, nodes) for name in wanted.channels)
    patterns = tuple(_pattern(name, nodes, channels) for name in wanted.patterns)
    return channels + patterns


def findings_of(
    nodes: Sequence[Node], coverage: Sequence[Coverage], rules: Probe
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
    return (*covered, *_slow_readers(nodes, rules))


def _channel(name: str, nodes: Sequence[Node]) -> Coverage:
    literal = sum(node.literal.get(name, 0) for node in nodes)
    patterns = tuple(dict.fromkeys(p for node in nodes for p in heard_by(name, node.held)))
    if literal or patterns:
        return Coverage(name, "channel", "OK", literal, patterns, _heard(literal, patterns))
    return Coverage(name, "channel", *_unheard(name, nodes))


def _unheard(name: str, nodes: Sequence[Node]) -> tuple[str, int, tuple[str, ...], str]:
    doubts = tuple(_doubts(nodes))
    if doubts:
        return "UNKNOWN", 0, (), "; ".join(doubts)
    others = sorted({pattern for node in nodes for pattern in node.held})
    held = f"the only patterns held are {', '.join(others)}" if others else "no pattern is held"
    where = f" on {len(nodes)} nodes" if len(nodes) > 1 else ""
    proof = f"nobody hears {name}: 0 literal subscribers and {held}{where}"
    return "FAIL", 0, (), proof


def _doubts(nodes: Iterable[Node]) -> Iterator[str]:
    """Say what keeps us from proving that nobody listens."""
    for node in nodes:
        if node.hidden:
            yield f"{node.address} hides its listeners ({node.hidden})"
        elif node.unexplained > 0:
            who = _holders(node)
            yield f"{node.unexplained} unknown patterns are held on {node.address}{who}"


def _holders(node: Node) -> str:
    if node.clients is None:
        return ", and CLIENT LIST is denied"
    holders = [client.spoken for client in _at_work(node)]
    return f" by {', '.join(holders)}" if holders else ""


def _at_work(node: Node) -> Iterator[Client]:
    for client in node.clients or ():
        if client.patterns and not client.name.startswith(OBSERVER):
            yield client


def _heard(literal: int, patterns: Sequence[str]) -> str:
    by_name = [f"{literal} literal"] if literal else []
    by_pattern = [f"pattern {pattern}" for pattern in patterns]
    return f"heard by {', '.join(by_name + by_pattern)}"


def _pattern(name: str, nodes: Sequence[Node], channels: Sequence[Coverage]) -> Coverage:
    holders = tuple(node for node in nodes if name in node.held)
    if holders:
        clients = (client.spoken for node in holders for client in _at_work(node))
        who = ", ".join(dict.fromkeys(clients))
        proof = "held" + (f"; clients with patterns: {who}" if who else "")
        return Coverage(name, "pattern", "OK", 0, (name,), proof)
    mine = [channel for channel in channels if heard_by(channel.name, (name,))]
    if mine and all(channel.verdict == "OK" for channel in mine):
        names = ", ".join(channel.name for channel in mine)
        return Coverage(name, "pattern", "OK", 0, (), f"nobody holds it, but {names} are heard")
    doubts = [
        f"{node.address} hides its listeners ({node.hidden})" for node in nodes if node.hidden
    ]
    if doubts or any(channel.verdict == "UNKNOWN" for channel in mine):
        proof = "; ".join(doubts) or "nobody holds it, but unknown patterns may do its work"
        return Coverage(name, "pattern", "UNKNOWN", 0, (), proof)
    return Coverage(name, "pattern", "FAIL", 0, (), f"proven: nobody holds {name}")


def _slow_readers(nodes: Iterable[Node], rules: Probe) -> Iterator[Finding]:
    for node in nodes:
        for client in node.clients or ():
            waiting = client.waiting_bytes / _MIB
            if waiting >= rules.output_warn_mb:
                critical = waiting >= rules.output_critical_mb
                yield Finding(
                    f"reader {client.address}",
                    Level.CRITICAL if critical else Level.WARNING,
                    f"{client.spoken} has {waiting:.1f} MiB waiting on {node.address}",
                    fix="It reads too slowly and will be cut off at 32 MiB, losing messages.",
                    figures=(Figure("waiting", client.waiting_bytes, "B"),),
                )
