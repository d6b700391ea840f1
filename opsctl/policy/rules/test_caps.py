"""Rules: tests never take from production: half a processor, 512 MiB, swap included."""

import re
from collections.abc import Iterator

from opsctl.policy.model import Rule, Severity, Violation, rule
from opsctl.policy.project import CheckedProject, SourceFile
from opsctl.policy.rules.services import each_service, is_test, service_violation
from opsctl.settings.sections.policy import Policy
from opsctl.systems.engine.compose_model import Service

MIB = 1024 * 1024
_RUN = re.compile(r"\bdocker[ \t]+(?:container[ \t]+)?run\b(?:[^\n\\]|\\\r?\n)*")
_FLAG = re.compile(
    r"--(?P<name>cpus|memory|memory-swap)[ =](?P<value>[^\s\\]+)|(?<!\S)-m[ =]?(?P<m>[0-9][^\s\\]*)"
)
_SIZE = re.compile(r"(?P<number>\d+(?:\.\d+)?)(?P<unit>[bkmg]?)b?\Z", re.IGNORECASE)
_UNITS = {"": 1, "b": 1, "k": 1024, "m": MIB, "g": 1024 * MIB}
_TESTING = re.compile(r"\b(?:py)?tests?\b|\btox\b|\bnox\b|\bjest\b|\bci\b", re.IGNORECASE)


@rule(
    "test-caps",
    Severity.ERROR,
    reason="Tests and CI share the server: never more than 0.5 CPU and 512 MB, swap included.",
    fix="cpus: 0.5, mem_limit: 512m, memswap_limit: 512m; or run them with `opsctl test`.",
)
def caps(project: CheckedProject) -> Iterator[Violation]:
    for file, service in each_service(project):
        if is_test(file, service):
            for what, key in _over(service, project.policy):
                yield service_violation(file, service, what, key)


def _over(service: Service, policy: Policy) -> Iterator[tuple[str, str]]:
    caps, most = service.caps, policy.test_memory_mb * MIB
    if caps.cpus is None or caps.cpus > policy.test_cpus:
        given = "no limit" if caps.cpus is None else f"{caps.cpus:g}"
        yield f"a test may use {policy.test_cpus:g} CPU, and has {given}", "cpus"
    if caps.memory_bytes is None or caps.memory_bytes > most:
        given = "no limit" if caps.memory_bytes is None else f"{caps.memory_bytes // MIB} MiB"
        yield f"a test may use {policy.test_memory_mb} MiB, and has {given}", "mem_limit"
    elif caps.swap_bytes is None or not 0 < caps.swap_bytes <= most:
        yield "without memswap_limit it may use as much swap again", "mem_limit"


@rule(
    "test-run-caps",
    Severity.ERROR,
    reason="Makefile and CI hold tests to 0.5 CPU and 512 MB by --cpus and --memory.",
    fix="docker run --cpus 0.5 --memory 512m --memory-swap 512m ..., or `opsctl test`.",
)
def run_caps(project: CheckedProject) -> Iterator[Violation]:
    for source in _scripts(project):
        if "docker" in source.text:
            yield from _runs(source, project.policy)


def _scripts(project: CheckedProject) -> Iterator[SourceFile]:
    yield from project.named("Makefile", "*.mk", "justfile", "*.sh", "*.bash", "Jenkinsfile", "run")
    ours = (".github/workflows/", ".gitlab-ci", ".ci/", ".circleci/")
    for source in project.ending(".yml", ".yaml"):
        if source.path.startswith(ours):
            yield source


def _runs(source: SourceFile, policy: Policy) -> Iterator[Violation]:
    for match in source.find(_RUN):
        line = source.line_of(match.start())
        if source.line_at(match.start()).lstrip().startswith("#"):
            continue
        if not (
            _TESTING.search(match[0]) or source.path.startswith((".github/", ".gitlab", ".ci/"))
        ):
            continue
        given = {
            found["name"] or "memory": found["value"] or found["m"]
            for found in _FLAG.finditer(match[0])
        }
        for name, most in (("cpus", policy.test_cpus), ("memory", policy.test_memory_mb * MIB)):
            if name not in given:
                yield Violation(f"docker run of a test without --{name}", source.path, line)
            elif (value := _number(given[name])) is not None and not 0 < value <= most:
                yield Violation(
                    f"docker run of a test with --{name} {given[name]}", source.path, line
                )


def _number(text: str) -> float | None:
    found = _SIZE.match(text.strip("\"'"))
    return float(found["number"]) * _UNITS[found["unit"].lower()] if found else None


RULES: tuple[Rule[CheckedProject], ...] = (caps, run_caps)
