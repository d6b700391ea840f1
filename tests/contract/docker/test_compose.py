"""docker compose itself, on a real engine."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from opsctl.errors import OpsctlError, UnreachableError
from opsctl.settings.reading.parse_dotenv import read_dotenv
from opsctl.systems.clock import SystemClock
from opsctl.systems.docker.compose import OLDEST, DockerCompose
from opsctl.systems.docker.plugins import find_plugin
from opsctl.systems.engine.compose import (
    Compose,
    ComposeProject,
    DryRunEnd,
    LogOptions,
    UpOptions,
)
from opsctl.systems.engine.compose_model import Caps, Port
from opsctl.systems.engine.compose_secrets import DeclaredSecret
from opsctl.systems.engine.compose_variables import UnsetVariable
from opsctl.systems.process.output import Line
from opsctl.systems.process.run import LocalProcesses
from tests.engines.compose import TempComposeProject
from tests.engines.docker import BUSYBOX
from tests.fakes.processes import ScriptedProcesses
from tests.waiting import wait_for

CANARY = "s3cret-canary"
STACK = f"""
services:
  web:
    image: {BUSYBOX}
    command: ["sh", "-c", "echo $$GREETING; trap 'exit 0' TERM; while :; do sleep 0.1; done"]
    environment: ["GREETING=hello $${{you}}", "DB_PASSWORD=${{DB_PASSWORD:-none}}"]
    ports: ["127.0.0.1::80"]
    volumes: ["data:/data"]
    mem_limit: 32m
    healthcheck: {{test: ["CMD", "true"], interval: 1s}}
  job:
    image: {BUSYBOX}
    profiles: [tools]
    deploy: {{resources: {{limits: {{memory: 16M, cpus: "0.25", pids: 10}}}}}}
volumes:
  data: {{}}
"""


@pytest.fixture(params=["through docker", "the plugin itself"])
def compose(request: pytest.FixtureRequest) -> Compose:
    """Both ways say the same."""
    plugin = find_plugin("compose", os.environ)
    assert plugin is not None
    is_direct = request.param == "the plugin itself"
    return DockerCompose(LocalProcesses(SystemClock()), plugin if is_direct else None)


@pytest.fixture
def project(compose_project: TempComposeProject) -> ComposeProject:
    compose_project.write(STACK)
    return ComposeProject(
        compose_project.name,
        compose_project.directory,
        (Path("docker-compose.yml"),),
        compose_project.engine.host,
        environment={"DB_PASSWORD": CANARY},
        secrets=(CANARY,),
    )


class Ear:
    def __init__(self) -> None:
        self.heard: list[str] = []

    def __call__(self, line: Line) -> None:
        self.heard.append(line.text)


def logs_of(compose: Compose, project: ComposeProject) -> str:
    ear = Ear()
    assert compose.logs(project, LogOptions(("web",)), ear).exit_code == 0
    assert not [line for line in ear.heard if CANARY in line]
    return "\n".join(ear.heard)


def test_the_plugin_is_new_enough(compose: Compose, project: ComposeProject) -> None:
    assert project.name
    major, minor = compose.version().split(".")[:2]
    assert (int(major), int(minor)) >= OLDEST


def test_a_project_is_rendered_with_every_profile(
    compose: Compose, project: ComposeProject
) -> None:
    rendered = compose.config(project)

    web, job = rendered.services["web"], rendered.services["job"]
    assert web.environment == {"GREETING": "hello ${you}", "DB_PASSWORD": CANARY}
    assert web.command[2].startswith("echo $GREETING;")
    assert web.ports == (Port(80, None, "127.0.0.1"),)
    assert web.caps == Caps(memory_bytes=32 * 1024**2)
    assert web.has_healthcheck
    assert job.caps == Caps(memory_bytes=16 * 1024**2, cpus=0.25, pids=10)
    assert job.profiles == ("tools",)
    assert rendered.volumes == (f"{project.name}_data",)
    assert rendered.secrets == (CANARY,)


def test_what_nobody_set_is_known_with_the_services_that_use_it(
    compose: Compose, project: ComposeProject, compose_project: TempComposeProject
) -> None:
    compose_project.write("FROM_FILE=a$TYPO_B", "one.env")
    compose_project.write(f"""
services:
  web:
    image: {BUSYBOX}
    environment: ["A=$TYPO_A", "B=${{EMPTY:-}}", "C=${{EMPTY-}}"]
    env_file: one.env
    ports: ["$TYPO_C:80"]
  job: {{image: {BUSYBOX}, profiles: [tools], command: "$TYPO_A"}}
""")

    rendered = compose.config(project)

    assert sorted(rendered.unset_variables, key=lambda unset: unset.name) == [
        UnsetVariable("TYPO_A", ("job", "web")),
        UnsetVariable("TYPO_B"),
        UnsetVariable("TYPO_C", ("web",)),
    ]


def test_declared_volumes_networks_and_secrets_are_read(
    compose: Compose, project: ComposeProject, compose_project: TempComposeProject
) -> None:
    compose_project.write(f"""
services:
  web:
    image: {BUSYBOX}
    volumes: ["run:/x", "fixed:/y", "other:/z"]
    networks: [shared]
    secrets: [one, two]
    device_cgroup_rules: ["b 8:* rwm"]
volumes:
  run: {{driver_opts: {{type: none, o: bind, device: /var/run}}}}
  fixed: {{name: pgdata}}
  other: {{external: true}}
networks:
  shared: {{name: shared, external: true}}
secrets:
  one: {{file: ./one.txt}}
  two: {{environment: TWO}}
""")

    rendered = compose.config(project)

    volumes = {volume.key: volume for volume in rendered.declared_volumes}
    assert volumes["run"].device == "/var/run"
    assert volumes["fixed"].has_fixed_name(rendered.name)
    assert not volumes["run"].has_fixed_name(rendered.name)
    assert volumes["other"].is_external
    assert [(one.name, one.is_external) for one in rendered.declared_networks] == [("shared", True)]
    assert set(rendered.declared_secrets) == {
        DeclaredSecret(str(project.directory / "one.txt")),
        DeclaredSecret("", "TWO"),
    }
    assert rendered.services["web"].device_cgroup_rules == ("b 8:* rwm",)


FORMS = r"""A="line 1
line 2"
BARE
B: yaml
x-y.z=1
C="q" trailing
G=$B-x
H="a\$b\n\t\\ \q"
I=a$$b
J=${NOPE:-other}
K='s$A
z\'y'
L="${B}"
1M=x
M=a#b
N="x"#c
Q = spaced  # c
export R=1
S='a\nb'
T=it's
V=${B:+alt}
W=
X=""
Z=back\slash
AA="octal \0101"
DD[0]=1
EE=http://x/#fragment
"""


def test_a_dotenv_is_read_as_compose_reads_it(
    compose: Compose, project: ComposeProject, compose_project: TempComposeProject
) -> None:
    compose_project.write(f"services: {{web: {{image: {BUSYBOX}, env_file: forms.env}}}}")
    text = FORMS.encode() + b"LATIN=caf\xe9 x\n"
    (project.directory / "forms.env").write_bytes(text)

    rendered = compose.config(project).services["web"].environment

    ours = read_dotenv(text.decode(errors="replace"), "forms.env")
    assert {variable.name: variable.value for variable in ours} == rendered


def test_a_stack_goes_up_is_seen_and_goes_down_without_its_data(
    compose: Compose, project: ComposeProject, compose_project: TempComposeProject
) -> None:
    ear = Ear()

    up = compose.up(project, UpOptions(wait_timeout_s=90), ear)

    assert up.exit_code == 0, up.complaint
    (web,) = compose.ps(project)
    assert (web.service, web.state, web.health) == ("web", "running", "healthy")
    wait_for(lambda: "hello ${you}" in logs_of(compose, project), 60, "the greeting in the log")
    labels = compose_project.engine.run(
        "inspect", web.id, "--format", '{{index .Config.Labels "com.docker.compose.config-hash"}}'
    )
    assert compose.hashes(project)["web"] == labels
    assert compose.down(project, ear, stop_timeout_s=1).exit_code == 0
    assert compose.ps(project) == ()
    assert f"{project.name}_data" in compose_project.engine.run("volume", "ls", "-q").split()
    assert not [line for line in ear.heard if CANARY in line]


def test_a_dry_run_names_what_would_be_created_and_creates_nothing(
    compose: Compose, project: ComposeProject, compose_project: TempComposeProject
) -> None:
    said = compose.dry_run(project, UpOptions(wait_timeout_s=None))

    assert said.end is DryRunEnd.COMPLETE, said.complaint
    events = {(event.kind, event.name) for event in said.events if event.word == "Creating"}
    name = project.name
    assert events == {
        ("Container", f"{name}-web-1"),
        ("Network", f"{name}_default"),
        ("Volume", f"{name}_data"),
    }
    assert compose.ps(project) == ()
    assert f"{name}_data" not in compose_project.engine.run("volume", "ls", "-q").split()


def test_a_dry_run_ends_where_it_would_wait_for_a_first_one_shot(
    compose: Compose, project: ComposeProject, compose_project: TempComposeProject
) -> None:
    job = f"job: {{image: '{BUSYBOX}'}}"
    needs = "depends_on: {job: {condition: service_completed_successfully}}"
    compose_project.write(f"services: {{{job}, web: {{image: '{BUSYBOX}', {needs}}}}}")

    said = compose.dry_run(project, UpOptions(wait_timeout_s=None))

    assert said.end in {DryRunEnd.COMPLETE, DryRunEnd.WAITING}
    created = {event.name for event in said.events if event.word == "Creating"}
    assert {f"{project.name}-job-1", f"{project.name}-web-1"} <= created


def test_a_dry_run_of_a_file_that_compose_refuses_has_failed(
    compose: Compose, project: ComposeProject, compose_project: TempComposeProject
) -> None:
    compose_project.write(f"services: {{web: {{image: '{BUSYBOX}', volumes: ['none:/d']}}}}")

    said = compose.dry_run(project, UpOptions())

    assert said.end is DryRunEnd.FAILED
    assert "none" in said.complaint


def test_an_unhealthy_service_fails_the_start(
    compose: Compose, project: ComposeProject, compose_project: TempComposeProject
) -> None:
    compose_project.write(STACK.replace('"CMD", "true"', '"CMD", "false"'))
    ear = Ear()

    finished = compose.up(project, UpOptions(wait_timeout_s=90), ear)

    assert finished.exit_code != 0
    assert "unhealthy" in finished.complaint
    assert ear.heard


def test_an_image_that_is_not_there_is_neither_built_nor_pulled(
    compose: Compose, project: ComposeProject, compose_project: TempComposeProject
) -> None:
    compose_project.write("services: {web: {image: 'no-such-image:1', build: .}}")

    finished = compose.up(project, UpOptions(wait_timeout_s=5), Ear())

    assert finished.exit_code != 0
    assert "no-such-image:1" in finished.complaint


def test_an_image_is_built(
    compose: Compose, project: ComposeProject, compose_project: TempComposeProject
) -> None:
    compose_project.write(f"FROM {BUSYBOX}\nRUN echo made > /made\n", "Dockerfile")
    compose_project.write("services: {web: {build: .}}")

    finished = compose.build(project, Ear(), services=("web",))

    assert finished.exit_code == 0, finished.complaint
    names = compose_project.engine.run("image", "ls", "--format", "{{.Repository}}").split()
    assert f"{project.name}-web" in names


def test_an_image_that_no_registry_has_fails_the_pull(
    compose: Compose, project: ComposeProject, compose_project: TempComposeProject
) -> None:
    compose_project.write("services: {web: {image: '127.0.0.1:9/no-such-image:1'}}")

    assert compose.pull(project, Ear(), services=()).exit_code != 0


def test_a_hostile_service_name_is_only_a_name(compose: Compose, project: ComposeProject) -> None:
    finished = compose.up(project, UpOptions(services=("--force-recreate", "$(touch f)")), Ear())

    assert finished.exit_code != 0
    assert not (project.directory / "f").exists()


@pytest.mark.parametrize(
    "text",
    [
        f"A=1\nB {CANARY}$x\n",
        f'A="{CANARY}\nB={CANARY}\n',
        f"{CANARY} x=1\n",
    ],
)
def test_a_broken_env_file_is_reported_without_its_content(
    compose: Compose, project: ComposeProject, compose_project: TempComposeProject, text: str
) -> None:
    compose_project.write(text, ".env")

    with pytest.raises(OpsctlError) as caught:
        compose.config(replace(project, environment={}, secrets=()))

    assert "line" in caught.value.why
    assert CANARY not in str(vars(caught.value))


def test_a_file_that_is_not_there_is_named(compose: Compose, project: ComposeProject) -> None:
    with pytest.raises(OpsctlError) as caught:
        compose.config(replace(project, files=(Path("other.yml"),)))

    assert "other.yml: no such file" in caught.value.why


def test_no_engine_is_unreachable(
    compose: Compose, project: ComposeProject, tmp_path: Path
) -> None:
    with pytest.raises(UnreachableError):
        compose.ps(replace(project, engine=f"unix://{tmp_path}/none.sock"))


@pytest.mark.parametrize(
    ("exit_code", "stdout", "why"),
    [
        (0, "2.20.3\n", "it is version 2.20.3; opsctl needs 2.21 or later"),
        (0, "v2.5.0\n", "it is version 2.5.0; opsctl needs 2.21 or later"),
        (1, "", "the docker program has no compose plugin"),
        (125, "unknown", "the docker program has no compose plugin"),
    ],
)
def test_an_unusable_plugin_is_reported(exit_code: int, stdout: str, why: str) -> None:
    processes = ScriptedProcesses()
    processes.script("docker", "compose", "version", exit_code=exit_code, stdout=stdout)

    with pytest.raises(OpsctlError) as caught:
        DockerCompose(processes).version()

    assert caught.value.why == why
    assert "docker-compose-plugin" in caught.value.hint
