import json
import subprocess
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from opsctl.init.install_steps import WORKFLOW, image_lines
from opsctl.init.model import InstallSource, SourceKind
from opsctl.init.project_files import list_project_files

COMMIT = "0123456789abcdef0123456789abcdef01234567"
GIT = InstallSource(SourceKind.GIT, f"git+https://host/o/opsctl@{COMMIT}")
CHECKOUT = InstallSource(SourceKind.CHECKOUT, "./vendor/opsctl")
WHEEL = InstallSource(SourceKind.WHEEL, "./wheel house/opsctl_stack-0.1.0-py3-none-any.whl")
PATHS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1)


def text_of(path: str, source: InstallSource | None) -> str:
    (text,) = [
        draft.text for draft in list_project_files("ticks", source) if str(draft.path) == path
    ]
    return text


def install_step(source: InstallSource | None) -> str:
    steps: list[dict[str, Any]] = yaml.safe_load(text_of(WORKFLOW, source))["jobs"]["check"][
        "steps"
    ]
    (step,) = [step for step in steps if step.get("name") == "Install opsctl"]
    command = step["run"]
    assert isinstance(command, str)
    return command


def words_of(script: str) -> list[str]:
    """Let a shell take the line apart, with a pipx that prints its words."""
    done = subprocess.run(
        ["bash", "-euc", f"pipx() {{ printf '%s\\0' \"$@\"; }}\n{script}"],
        capture_output=True,
        check=True,
    )
    assert done.stderr == b""
    return done.stdout.decode().split("\0")[:-1]


@pytest.mark.parametrize(
    "path",
    ["./a b", "./it's", '"', "$HOME", "$(exit 9)", "`exit 9`", "a\nb", "\\", "! x", "x: y", "a #b"],
)
def test_a_path_reaches_pipx_as_it_was_typed(path: str) -> None:
    assert words_of(install_step(InstallSource(SourceKind.CHECKOUT, path))) == ["install", path]


@given(PATHS)
@settings(max_examples=60, deadline=None)
def test_any_path_reaches_pipx_as_it_was_typed(path: str) -> None:
    assert words_of(install_step(InstallSource(SourceKind.CHECKOUT, path))) == ["install", path]


def test_without_a_source_the_step_fails_and_says_what_to_fill_in() -> None:
    done = subprocess.run(
        ["bash", "-c", install_step(None)], capture_output=True, text=True, check=False
    )

    assert done.returncode == 1
    assert f"{WORKFLOW} does not say from where" in done.stderr
    assert "pipx install SOURCE" in done.stderr


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        (
            CHECKOUT,
            [
                'COPY ["vendor/opsctl", "/src/opsctl/"]',
                "RUN /opt/opsctl/bin/pip install --no-cache-dir /src/opsctl",
            ],
        ),
        (
            WHEEL,
            [
                'COPY ["wheel house/opsctl_stack-0.1.0-py3-none-any.whl", "/src/"]',
                "RUN /opt/opsctl/bin/pip install --no-cache-dir"
                " /src/opsctl_stack-0.1.0-py3-none-any.whl",
            ],
        ),
        (GIT, [f"RUN /opt/opsctl/bin/pip install --no-cache-dir {GIT.location}"]),
    ],
)
def test_the_image_installs_from_the_same_source(source: InstallSource, lines: list[str]) -> None:
    assert image_lines(source).splitlines() == lines


def test_only_an_image_that_has_git_builds_from_a_repository() -> None:
    assert "FROM python:3.13 AS build" in text_of("Dockerfile", GIT)
    assert "FROM python:3.13-slim AS build" in text_of("Dockerfile", WHEEL)


def test_without_a_source_the_image_is_not_built_and_says_why() -> None:
    assert failure(image_lines(None)).startswith(
        "cannot install opsctl: the Dockerfile names no source"
    )


@given(PATHS)
@settings(max_examples=60, deadline=None)
def test_any_obstacle_is_one_instruction_that_fails_with_it(path: str) -> None:
    obstacle = f"{path} lies outside the project"

    lines = image_lines(InstallSource(SourceKind.CHECKOUT, path, obstacle))

    assert len(lines.splitlines()) == 1
    assert not {"\\", "<"} & set(lines), "Docker reads an escape or a here-document"
    assert "lies outside the project" in failure(lines)


def failure(instruction: str) -> str:
    script = instruction.removeprefix("RUN ")
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    return done.stderr


def test_a_template_has_nothing_left_to_replace() -> None:
    for source in (None, CHECKOUT, WHEEL, GIT):
        text = json.dumps([draft.text for draft in list_project_files("ticks", source)])
        assert "INSTALL_" not in text
