"""Makes a project out of a few texts, as the rules see it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from opsctl.findings import Finding
from opsctl.policy.apply_rules import apply_rules
from opsctl.policy.project import CheckedProject, GitState, SourceFile
from opsctl.policy.rules import RULES
from opsctl.settings.sections.policy import Policy

BY_ID = {rule.id: rule for rule in RULES}


@dataclass(frozen=True)
class Case:
    """What breaks a rule, and the nearest thing that does not."""

    bad: Mapping[str, str]
    good: Mapping[str, str]
    bad_facts: Mapping[str, Any] = field(default_factory=dict)
    good_facts: Mapping[str, Any] = field(default_factory=dict)


def world(files: Mapping[str, str], **facts: Any) -> CheckedProject:
    tracked = frozenset(files)
    given: dict[str, Any] = {
        "branch": GitState(is_repository=True, rewrites=(), changed=(), tracked=tracked),
        "on_disk": tuple(p.removeprefix("migrations/") for p in files if "migrations/" in p),
        **facts,
    }
    sources = tuple(SourceFile(path, text) for path, text in files.items())
    return CheckedProject(sources, Policy(), **given)


def found(rule: str, files: Mapping[str, str], **facts: Any) -> list[Finding]:
    return list(apply_rules([BY_ID[rule]], world(files, **facts), within=lambda _: True))


def migration(text: str, name: str = "001_a.sql") -> dict[str, str]:
    return {f"migrations/{name}": text}
