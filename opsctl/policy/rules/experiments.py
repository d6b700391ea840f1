"""Rules: an experiment touches nothing of production and writes to a Redis index of its own."""

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase

from opsctl.findings import Level
from opsctl.policy.model import Rule, Severity, Violation, rule
from opsctl.policy.project import CheckedProject, SourceFile, is_below
from opsctl.policy.rules.services import service_violation
from opsctl.settings.sections.experiment import LOWEST_EXPERIMENT_INDEX

_PRODUCTION = (
    "configs/prod.yaml",
    "configs/prod.yml",
    "configs/production.y*ml",
    "configs/prod/*",
    "*compose*prod*.y*ml",
    ".env.prod*",
)
_INDEX = re.compile(
    r"(?:\bREDIS_DB\b[\"']?\s*[:=]\s*[\"']?|rediss?://[^\s\"'/]*/|\bdb\s*=\s*)(?P<index>\d{1,4})\b"
)


@rule(
    "experiment-touches-production",
    Severity.ERROR,
    reason="An experiment is never deployed to production; its changes there are untested.",
    fix="Move the change to a branch of its own.",
)
def touches_production(project: CheckedProject) -> Iterator[Violation]:
    branch = project.branch
    if branch.experiment is None:
        return
    if branch.changed is None:
        what = "git has no trunk here, so that what the experiment changes is not known"
        fix = "Fetch it: in CI `fetch-depth: 0`, or name it in experiment.trunks."
        yield Violation(what, fix=fix, level=Level.UNKNOWN)
        return
    for path in branch.changed:
        if any(fnmatchcase(path, pattern) for pattern in _PRODUCTION):
            what = f"an experiment ({branch.experiment}) changes production's settings"
            yield Violation(what, path, 1)


@rule(
    "experiment-redis-index",
    Severity.ERROR,
    reason="Production's Redis is read-only for an experiment; results go to index 10 and above.",
    fix="REDIS_DB=10 or above, for reading too; opsctl.kit opens the right one by itself.",
)
def redis_index(project: CheckedProject) -> Iterator[Violation]:
    if project.branch.experiment is None:
        return
    for file in project.composes:
        for service in file.services():
            given = service.environment.get("REDIS_DB") or ""
            if file.env != "prod" and given.isdigit() and int(given) < LOWEST_EXPERIMENT_INDEX:
                yield service_violation(
                    file, service, f"an experiment on Redis index {given}", "REDIS_DB"
                )
    for path in project.branch.changed or ():
        source = project.by_path.get(path)
        if source and not is_below(path, "docs") and "redis" in source.lowered:
            yield from _indexes(source)


def _indexes(source: SourceFile) -> Iterator[Violation]:
    for match in source.find(_INDEX):
        index = int(match["index"])
        speaks = "redis" in source.line_at(match.start()).lower()
        if speaks and index < LOWEST_EXPERIMENT_INDEX:
            what = f"an experiment names Redis index {index}"
            yield Violation(what, source.path, source.line_of(match.start()))


RULES: tuple[Rule[CheckedProject], ...] = (touches_production, redis_index)
