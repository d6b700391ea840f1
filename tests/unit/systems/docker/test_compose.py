from pathlib import Path

import pytest

from opsctl.systems.docker import compose
from opsctl.systems.docker.compose import DockerCompose, read_hashes, read_instances
from opsctl.systems.engine.compose import ComposeProject, LogOptions, ServiceContainer, UpOptions
from tests.fakes.processes import ScriptedProcesses

PROJECT = ComposeProject(
    "shop-prod", Path("/srv/shop"), (Path("a.yml"), Path("/etc/b.yml")), "ssh://far"
)
START = [
    *("docker", "-H", "ssh://far", "compose", "--ansi", "never", "--progress", "plain"),
    *("-p", "shop-prod", "--project-directory", "/srv/shop"),
    *("-f", "/srv/shop/a.yml", "-f", "/etc/b.yml"),
]


@pytest.mark.parametrize(
    ("argv", "rest"),
    [
        (compose.config(PROJECT), "--profile * config --format json"),
        (compose.hashes(PROJECT), "--profile * config --hash *"),
        (compose.ps(PROJECT), "ps --all --no-trunc --format json"),
        (
            compose.up(PROJECT, UpOptions()),
            "up -d --no-build --pull never --wait --wait-timeout 120 --",
        ),
        (
            compose.up(PROJECT, UpOptions(services=("web",), wait_timeout_s=None)),
            "up -d --no-build --pull never -- web",
        ),
        (
            compose.up(
                PROJECT,
                UpOptions(
                    wait_timeout_s=5,
                    remove_orphans=True,
                    force_recreate=True,
                    with_dependencies=False,
                ),
            ),
            "up -d --no-build --pull never --wait --wait-timeout 5 "
            "--remove-orphans --force-recreate --no-deps --",
        ),
        (compose.build(PROJECT, ("web",)), "build -- web"),
        (compose.pull(PROJECT), "pull --ignore-buildable --"),
        (
            compose.logs(PROJECT, LogOptions(("web",), lines=5, follow=True, with_times=True)),
            "logs --no-color --tail 5 --follow --timestamps -- web",
        ),
    ],
)
def test_every_call_names_the_whole_project(argv: tuple[str, ...], rest: str) -> None:
    assert list(argv) == [*START, *rest.split()]


@pytest.mark.parametrize(
    ("stop_timeout_s", "rest"),
    [(None, "down --remove-orphans"), (7, "down --remove-orphans --timeout 7")],
)
def test_a_project_is_taken_down_by_its_name_whatever_its_files_say(
    stop_timeout_s: int | None, rest: str
) -> None:
    argv = compose.down(PROJECT, stop_timeout_s=stop_timeout_s)

    assert list(argv) == [*START[: START.index("-f")], *rest.split()]


def test_the_code_that_erases_a_line_is_no_part_of_a_log() -> None:
    processes = ScriptedProcesses()
    processes.script("docker", stdout="\x1b[2Kweb-1  | one\nweb-1  | \x1b[2Ktwo\n")
    lines: list[str] = []

    DockerCompose(processes).logs(PROJECT, LogOptions(), lambda line: lines.append(line.text))

    assert lines == ["web-1  | one", "web-1  | \x1b[2Ktwo"]


def test_env_files_and_profiles_are_passed() -> None:
    project = ComposeProject(
        "x", Path("/srv"), (), "unix:///s", env_files=(Path(".env"),), profiles=("a", "b")
    )

    said = " ".join(compose.compose(project, "ps"))

    assert said.endswith("/srv --env-file /srv/.env --profile a --profile b ps")


def test_no_call_could_drop_data() -> None:
    words = {
        word
        for argv in (
            compose.up(PROJECT, UpOptions(remove_orphans=True)),
            compose.down(PROJECT, stop_timeout_s=1),
        )
        for word in argv
    }

    assert words.isdisjoint({"-v", "--volumes", "-y", "--yes", "-V", "--renew-anon-volumes"})


def test_a_project_shows_no_secret() -> None:
    project = ComposeProject("x", Path(), (), "", environment={"PW": "canary"}, secrets=("canary",))

    assert "canary" not in repr(project)


def test_hashes_are_read() -> None:
    assert read_hashes("web abc\njob def\n") == {"web": "abc", "job": "def"}


def test_containers_are_read_one_per_line() -> None:
    line = (
        '{"ID":"1","Name":"x-web-1","Service":"web","Image":"b","State":"exited",'
        '"Health":"","ExitCode":3}\n'
    )

    assert read_instances(f"{line}\n") == (
        ServiceContainer("1", "x-web-1", "web", "b", "exited", None, exit_code=3),
    )


@pytest.mark.parametrize(
    "said",
    [
        'failed to read /srv/.env: line 2: unexpected character "$" in variable name "canary$$x"',
        'failed to read /srv/.env: line 3: unterminated quoted value "canary',
        'line 3: unexpected character "+" in variable name near "canary=\\"x\\"\\ncanary"',
        "invalid interpolation format for services.a.environment.PW.\n"
        "You may need to escape any $ with another $.\n${canary",
        'time="x" level=warning msg="The \\"canary\\" variable is not set."',
        "cannot unmarshal !!str `canary` into int",
    ],
)
def test_what_compose_quotes_of_a_file_is_blanked(said: str) -> None:
    assert "canary" not in compose.without_content(said)


@pytest.mark.parametrize(
    "said",
    [
        'service "a" depends on undefined service "zz": invalid compose project',
        "no such service: zz",
        "open /srv/a.yml: no such file or directory",
    ],
)
def test_what_names_the_mistake_is_kept(said: str) -> None:
    assert compose.without_content(said) == said
