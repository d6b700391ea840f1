"""Rules: the planned use of a broker stays within its limits."""

import re
from collections.abc import Iterator, Mapping

from opsctl.errors import SettingsError
from opsctl.policy.model import Rule, Severity, Violation, rule
from opsctl.policy.project import CheckedProject
from opsctl.settings.reading.yaml_document import (
    MappingNode,
    Node,
    ScalarNode,
    SequenceNode,
    parse_document,
)
from opsctl.settings.sections.policy import BROKER

_RATE = re.compile(
    r"(?P<count>\d+(?:\.\d+)?)\s*/\s*(?:(?P<every>\d+(?:\.\d+)?)?(?P<unit>ms|s|m|h))\Z"
)
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
# Names under which `limits` knows the brokers.
_LIMITS = {"kis_rest": "kis", "kis": "kis", "kiwoom": "kiwoom"}


def allowed(project: CheckedProject) -> Mapping[str, Mapping[str, float]]:
    found: dict[str, dict[str, float]] = {}
    for limit in project.policy.broker_limits:
        match = re.match(BROKER, limit)
        if match:
            pairs = (word.split("=") for word in match["limits"].split())
            found[match["name"]] = {name: float(value) for name, value in pairs}
    return found


@rule(
    "broker-plan",
    Severity.ERROR,
    reason="Beyond its limits a broker cuts the key off, and with it every tick.",
    fix="Spread symbols over accounts or brokers; policy.broker_limits has the limits.",
)
def plan(project: CheckedProject) -> Iterator[Violation]:
    source = project.by_path.get(project.policy.broker_plan)
    if source is None:
        return
    try:
        document = parse_document(source.text, source.path)
    except SettingsError as error:
        yield Violation(f"the plan cannot be read: {error.why or error.what}", source.path, 1)
        return
    brokers = document.children.get("brokers", document)
    if isinstance(brokers, MappingNode):
        for name, node in brokers.children.items():
            line = brokers.keys[name].line
            for what in _over(name, node, allowed(project).get(name)):
                yield Violation(what, source.path, line)


def _over(name: str, node: Node, limits: Mapping[str, float] | None) -> Iterator[str]:
    if limits is None:
        yield f"{name}: no limits are known for this broker"
        return
    accounts = max(1.0, _figure(node, "accounts") or 1.0)
    sockets, symbols = _figure(node, "sockets") or 1.0, _figure(node, "symbols") or 0.0
    rest = _figure(node, "rest_per_s") or 0.0
    if "sockets" in limits and sockets > limits["sockets"] * accounts:
        yield f"{name}: {sockets:g} sockets on {accounts:g} accounts; {limits['sockets']:g} each"
    if "symbols" in limits and symbols > limits["symbols"] * sockets:
        yield f"{name}: {symbols:g} symbols on {sockets:g} sockets; {limits['symbols']:g} each"
    if "total_symbols" in limits and symbols > limits["total_symbols"] * accounts:
        yield f"{name}: {symbols:g} symbols; {limits['total_symbols']:g} per account"
    if "rest_per_s" in limits and rest > limits["rest_per_s"] * accounts:
        yield f"{name}: {rest:g} REST calls per second; {limits['rest_per_s']:g} per account"


def _figure(node: Node, key: str) -> float | None:
    """Read a number, a rate such as 20/s, or count a list of symbols."""
    value = node.children.get(key) if isinstance(node, MappingNode) else None
    if isinstance(value, SequenceNode):
        return float(len(value.items))
    if not isinstance(value, ScalarNode):
        return None
    if isinstance(value.value, int | float) and not isinstance(value.value, bool):
        return float(value.value)
    return rate(str(value.value))


def rate(text: str) -> float | None:
    """Read 20/s, 100/m or 3/500ms as calls a second."""
    found = _RATE.match(text.strip())
    if found is None:
        return None
    return float(found["count"]) / (float(found["every"] or 1) * _SECONDS[found["unit"]])


@rule(
    "broker-rate",
    Severity.ERROR,
    reason="A limiter that is set above the broker's own limit limits nothing.",
    fix="Set limits.<broker> to at most what policy.broker_limits says.",
)
def limiter_rate(project: CheckedProject) -> Iterator[Violation]:
    known = allowed(project)
    for source in project.ending(".yml", ".yaml"):
        if (
            not source.path.startswith(f"{project.policy.parameter_dir}/")
            or "limits" not in source.text
        ):
            continue
        try:
            section = parse_document(source.text, source.path).children.get("limits")
        except SettingsError:
            continue
        for name, node in section.children.items() if isinstance(section, MappingNode) else ():
            most = known.get(_LIMITS.get(name, ""), {}).get("rest_per_s")
            given = rate(str(node.value)) if isinstance(node, ScalarNode) else None
            if most is not None and given is not None and given > most:
                yield Violation(
                    f"limits.{name} is {given:g}/s; {most:g}/s is allowed",
                    source.path,
                    node.place.line,
                )


RULES: tuple[Rule[CheckedProject], ...] = (plan, limiter_rate)
