"""Hostile compose files, rendered by the real compose: each is found, and harmless ones are not."""

from pathlib import Path

import pytest

from opsctl.findings import Finding
from opsctl.policy.apply_rules import apply_rules
from opsctl.policy.project import SourceFile
from opsctl.policy.render_compose import ComposeRenderer, environment_of
from opsctl.policy.rules import RULES
from opsctl.systems.clock import SystemClock
from opsctl.systems.docker.compose import DockerCompose
from opsctl.systems.process.run import LocalProcesses
from tests.integration.policy.corpus import BAD, GOOD, Compose
from tests.unit.policy.cases import CASES
from tests.unit.policy.projects import world

pytestmark = pytest.mark.engine("docker")
OF_COMPOSE = {one.rule for one in BAD}


def findings(case: Compose, folder: Path) -> list[Finding]:
    files = {case.name: case.written, **case.others}
    for name, text in files.items():
        (folder / name).write_text(text)
    sources = {name: SourceFile(name, text) for name, text in files.items()}
    compose = DockerCompose(LocalProcesses(SystemClock()))
    file = ComposeRenderer(folder, compose, sources).render(sources[case.name])
    project = world({case.name: case.written}, composes=(file,))
    rules = [rule for rule in RULES if rule.id in OF_COMPOSE]
    return list(apply_rules(rules, project, within=lambda _: True))


@pytest.mark.parametrize("number", range(len(BAD)), ids=lambda n: f"{n}-{BAD[n].rule}")
def test_a_hostile_file_is_found_and_its_place_is_shown(number: int, tmp_path: Path) -> None:
    found = findings(BAD[number], tmp_path)

    ours = [finding for finding in found if finding.check == BAD[number].rule]
    assert ours
    assert all(f.file == BAD[number].name and f.line and f.fix and f.why for f in ours)


@pytest.mark.parametrize("number", range(len(GOOD)))
def test_a_harmless_file_is_let_pass(number: int, tmp_path: Path) -> None:
    assert findings(GOOD[number], tmp_path) == []


def test_every_rule_has_one_that_breaks_it_and_one_that_does_not() -> None:
    assert {rule.id for rule in RULES} == set(CASES) | OF_COMPOSE


def test_no_finding_quotes_a_secret(tmp_path: Path) -> None:
    secrets = [case for case in BAD if case.rule == "secret-in-compose"]

    said = [str(findings(case, tmp_path)) for case in secrets]

    assert all("f9Kq2" not in text for text in said)


@pytest.mark.parametrize(
    ("name", "env"),
    [
        ("docker-compose.prod.yml", "prod"),
        ("compose.development.yaml", "dev"),
        ("docker-compose.ci.yml", "test"),
        ("compose.yaml", ""),
    ],
)
def test_a_name_tells_the_environment(name: str, env: str) -> None:
    assert environment_of(name) == env
