"""The project's own rules and exemptions: data in configs/policy, read and never run."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from opsctl.errors import SettingsError
from opsctl.policy.model import Rule, Severity, Violation
from opsctl.policy.project import CheckedProject, SourceFile, line_in_compose
from opsctl.policy.suppressions import PolicyException, matches
from opsctl.settings.reading.yaml_document import parse_document, to_plain_value

_ID = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)+\Z")
_LONGEST_LINE = 2_000
_RULE_KEYS = frozenset(
    {"id", "severity", "reason", "fix", "files", "except", "forbid", "require", "service"}
)
_SERVICE_KEYS = frozenset({"key", "matches", "absent"})
_EXEMPT_KEYS = frozenset({"files", "rules", "reason"})


@dataclass(frozen=True, slots=True)
class ProjectRules:
    rules: tuple[Rule[CheckedProject], ...] = ()
    exemptions: tuple[PolicyException, ...] = ()


@dataclass(frozen=True, slots=True)
class _Requirement:
    """What a rule of the project asks for."""

    files: tuple[str, ...] = ("*",)
    spared: tuple[str, ...] = ()
    forbid: re.Pattern[str] | None = None
    require: re.Pattern[str] | None = None
    key: str = ""
    wanted: re.Pattern[str] | None = None
    is_absent: bool = False


@dataclass(slots=True)
class _Entry:
    """One entry of a file, told apart from the others by its place."""

    raw: Mapping[str, Any]
    place: str
    known: frozenset[str]

    def check(self) -> None:
        for name in self.raw:
            if name not in self.known:
                self.fail(
                    f"{name} is not a known key", f"Known are {', '.join(sorted(self.known))}."
                )

    def text(self, name: str, default: str | None = None) -> str:
        value = self.raw.get(name, default)
        if not isinstance(value, str) or (default is None and not value.strip()):
            self.fail(f"{name} is missing, or is not a text")
        return str(value)

    def texts(self, name: str, default: tuple[str, ...] = ()) -> tuple[str, ...]:
        value = self.raw.get(name, list(default))
        items = value if isinstance(value, list) else [value]
        if not all(isinstance(item, str) for item in items):
            self.fail(f"{name} should be a list of texts")
        return tuple(items)

    def pattern(self, name: str) -> re.Pattern[str] | None:
        if name not in self.raw:
            return None
        try:
            return re.compile(self.text(name))
        except re.error as error:
            self.fail(f"{name} is not a regular expression: {error}")
            return None

    def fail(self, why: str, hint: str = "docs/check.md shows one.") -> None:
        raise SettingsError(f"cannot use {self.place}", why=why, hint=hint)


def read_project_rules(files: Iterable[tuple[str, str]], names: frozenset[str]) -> ProjectRules:
    """Read every file of the folder; `names` are the rules that are taken."""
    rules: list[Rule[CheckedProject]] = []
    exemptions: list[PolicyException] = []
    for source, text in files:
        document = to_plain_value(parse_document(text, source))
        unknown = set(document) - {"rules", "except"}
        if unknown:
            why = f"{', '.join(sorted(unknown))} is not known"
            raise SettingsError(f"cannot use {source}", why=why, hint="Known are rules and except.")
        for entry in _entries(document, source, "rules", known=_RULE_KEYS):
            taken = names | {one.id for one in rules}
            rules.append(_rule(entry, taken))
        exemptions += (
            _exemption(e) for e in _entries(document, source, "except", known=_EXEMPT_KEYS)
        )
    return ProjectRules(tuple(rules), tuple(exemptions))


def _entries(
    document: Mapping[str, Any], source: str, name: str, *, known: frozenset[str]
) -> Iterator[_Entry]:
    listed = document.get(name) or []
    if not isinstance(listed, list):
        raise SettingsError(f"cannot use {source}", why=f"{name} should be a list")
    for number, raw in enumerate(listed, start=1):
        entry = _Entry(raw if isinstance(raw, dict) else {}, f"{source}: {name} {number}", known)
        entry.check()
        yield entry


def _exemption(entry: _Entry) -> PolicyException:
    if not entry.texts("files"):
        entry.fail("files is missing")
    return PolicyException(
        entry.texts("files"), entry.texts("rules"), entry.text("reason"), entry.place
    )


def _rule(entry: _Entry, taken: frozenset[str]) -> Rule[CheckedProject]:
    name = entry.text("id")
    if not _ID.match(name):
        entry.fail(f"id {name!r} should be small words with dashes, such as no-print")
    if name in taken:
        entry.fail(f"there is a rule {name} already")
    severity = entry.text("severity", "warning")
    if severity not in set(Severity):
        entry.fail(f"severity should be one of {', '.join(Severity)}")
    test = _test(entry)
    return Rule(
        name,
        Severity(severity),
        entry.text("reason"),
        entry.text("fix"),
        lambda project: _find_violations(test, name, project),
    )


def _test(entry: _Entry) -> _Requirement:
    kinds = [kind for kind in ("forbid", "require", "service") if kind in entry.raw]
    if len(kinds) != 1:
        entry.fail("a rule has one of forbid, require and service")
    if kinds == ["service"]:
        raw = entry.raw["service"]
        inner = _Entry(
            raw if isinstance(raw, dict) else {}, f"{entry.place} service", _SERVICE_KEYS
        )
        inner.check()
        absent = bool(inner.raw.get("absent"))
        return _Requirement(
            key=inner.text("key"), wanted=inner.pattern("matches"), is_absent=absent
        )
    return _Requirement(
        entry.texts("files", ("*",)),
        entry.texts("except"),
        entry.pattern("forbid"),
        entry.pattern("require"),
    )


def _find_violations(test: _Requirement, name: str, project: CheckedProject) -> Iterator[Violation]:
    if test.key:
        yield from _in_services(test, name, project)
        return
    for source in project.sources:
        wanted = any(matches(source.path, pattern) for pattern in test.files)
        if wanted and not any(matches(source.path, pattern) for pattern in test.spared):
            yield from _in_source(test, name, source)


def _in_source(test: _Requirement, name: str, source: SourceFile) -> Iterator[Violation]:
    lines = [line[:_LONGEST_LINE] for line in source.text.splitlines()]
    if test.forbid is not None:
        for number, line in enumerate(lines, start=1):
            if test.forbid.search(line):
                yield Violation(f"{name}: forbidden text", source.path, number)
    elif test.require is not None and not any(test.require.search(line) for line in lines):
        yield Violation(f"{name}: required text is missing", source.path, 1)


def _in_services(test: _Requirement, name: str, project: CheckedProject) -> Iterator[Violation]:
    for file in project.composes:
        raw = json.loads(file.rendered.text).get("services", {}) if file.rendered else {}
        for service in file.services():
            value = _at(raw.get(service.name), test.key)
            wrong = _judged(test, value)
            if wrong:
                line = line_in_compose(file.source, service.name, test.key.partition(".")[0])
                what = f"{service.name}: {name}: {test.key} {wrong}"
                yield Violation(what, file.source.path, line)


def _judged(test: _Requirement, value: object) -> str:
    if test.is_absent:
        return "" if value is None else "is set"
    if value is None:
        return "is not set"
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return "" if test.wanted is None or test.wanted.search(text) else "does not match"


def _at(value: object, path: str) -> object:
    """Walk `labels.team` down; a name with dots in it counts as a whole, too."""
    if not isinstance(value, dict):
        return None
    if path in value:
        return value[path]
    head, _, rest = path.partition(".")
    return _at(value.get(head), rest) if rest else None
