"""Rules: no Kafka client among the dependencies, in whatever file they are named."""

import json
import re
import tomllib
from collections.abc import Iterator

from opsctl.policy.model import Rule, Severity, Violation, rule
from opsctl.policy.project import CheckedProject, SourceFile

_REQUIREMENT = re.compile(
    r"^[ \t]*-?[ \t]*[\"']?(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)", re.MULTILINE
)
_INSTALLED = re.compile(
    r"\b(?:pip3?|uv|pipx|poetry|npm|yarn|pnpm)[ \t]+(?:install|add|i|pip[ "
    r"\t]+install)\b(?P<words>[^\n&|;]*)"
)
_IMPORTED = re.compile(
    r"^[ \t]*(?:from|import)[ \t]+(?P<name>kafka|confluent_kafka|aiokafka"
    r"|pykafka|faust|quixstreams)\b",
    re.MULTILINE,
)
_GO = re.compile(
    r"^\s*(?:require\s+)?(?P<name>github\.com/(?:IBM/sarama|Shopify/sarama"
    r"|segmentio/kafka-go|confluentinc/confluent-kafka-go|twmb/franz-go)\S*)",
    re.MULTILINE,
)


@rule(
    "kafka-client",
    Severity.ERROR,
    reason="This project's message queue is Redis Pub/Sub; Kafka is ruled out.",
    fix="Remove it; `from opsctl.kit import ...` uses the stack's Redis.",
)
def kafka_client(project: CheckedProject) -> Iterator[Violation]:
    clients = frozenset(normal(name) for name in project.policy.kafka_clients)
    for source in project.sources:
        if "kafka" in source.lowered or "faust" in source.lowered or "sarama" in source.lowered:
            for name, line in _named(source):
                if normal(name) in clients or name.startswith(("import ", "github.com/")):
                    yield Violation(f"{name} is a Kafka client", source.path, line)


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _named(source: SourceFile) -> Iterator[tuple[str, int]]:
    if source.name in {"pyproject.toml", "Pipfile"}:
        yield from _from_toml(source)
    elif source.name == "package.json":
        yield from _from_json(source)
    elif re.match(
        r"(?:.*requirements|constraints).*\.(?:txt|in|lock)\Z", source.name
    ) or source.name in {"setup.cfg", "environment.yml", "environment.yaml"}:
        yield from _matched(source, _REQUIREMENT)
    elif source.name == "go.mod":
        yield from _matched(source, _GO)
    elif source.suffix == ".py":
        yield from ((f"import {name}", line) for name, line in _matched(source, _IMPORTED))
    else:
        yield from _installed(source)


def _matched(source: SourceFile, pattern: re.Pattern[str]) -> Iterator[tuple[str, int]]:
    for match in source.find(pattern):
        yield match["name"], source.line_of(match.start("name"))


def _installed(source: SourceFile) -> Iterator[tuple[str, int]]:
    for match in source.find(_INSTALLED):
        for word in match["words"].split():
            name = re.split(r"[\[=<>~!;]", word.strip("\"'"), maxsplit=1)[0]
            yield name, source.line_of(match.start())


def _from_toml(source: SourceFile) -> Iterator[tuple[str, int]]:
    try:
        document = tomllib.loads(source.text)
    except (tomllib.TOMLDecodeError, RecursionError):
        return
    for word in _words(document):
        found = _REQUIREMENT.match(word)
        if found:
            yield found["name"], _line(source, word)


def _from_json(source: SourceFile) -> Iterator[tuple[str, int]]:
    try:
        document = json.loads(source.text)
    except (ValueError, RecursionError):
        return
    for key in ("dependencies", "devDependencies", "optionalDependencies", "peerDependencies"):
        section = document.get(key) if isinstance(document, dict) else None
        for name in section if isinstance(section, dict) else ():
            yield str(name), _line(source, str(name))


def _line(source: SourceFile, word: str) -> int:
    return source.line_of(max(0, source.text.find(word)))


def _words(value: object) -> Iterator[str]:
    """List every text in lists, and every key: requirements stand in either."""
    waiting: list[object] = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, str):
            yield one
        elif isinstance(one, dict):
            yield from (str(key) for key in one)
            waiting += [inner for inner in one.values() if isinstance(inner, dict | list)]
        elif isinstance(one, list):
            waiting += one


RULES: tuple[Rule[CheckedProject], ...] = (kafka_client,)
