"""Every promise of the pages is held against the program."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from opsctl import errors
from opsctl.cli.command_table import ROOT_COMMANDS
from opsctl.cli.flags import COMMON_FLAGS
from opsctl.cli.root import root
from opsctl.settings.renamed import RENAMED

TOP = Path(__file__).parents[2]
DOCS = TOP / "docs"


def commands(command: click.Command, path: str = "opsctl") -> Iterator[tuple[str, click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner is not None
            yield from commands(inner, f"{path} {name}")


ALL = dict(commands(root))


@pytest.mark.parametrize("name", ROOT_COMMANDS)
def test_the_static_table_says_what_click_would(name: str) -> None:
    command = root.get_command(click.Context(root), name)

    assert command is not None
    assert command.name == name
    assert ROOT_COMMANDS[name].help == (command.help or "").partition("\n")[0]


@pytest.mark.parametrize("path", ALL)
def test_every_command_and_flag_is_documented(path: str) -> None:
    page = (DOCS / "cli.md").read_text()
    section = page[page.index(f"\n## {path}\n") :].split("\n## ")[1]

    for param in ALL[path].params:
        if isinstance(param, click.Option) and param not in COMMON_FLAGS and not param.hidden:
            assert param.help, f"{path} {param.name} has no help"
            assert f"`{', '.join(param.opts)}" in section


@pytest.mark.parametrize("path", ALL)
def test_every_command_takes_the_common_flags(path: str) -> None:
    assert set(COMMON_FLAGS) <= set(ALL[path].params)


def test_the_generated_pages_are_fresh() -> None:
    done = subprocess.run(
        [sys.executable, TOP / "scripts/docs", "--check"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr


def test_a_stale_page_would_be_seen(tmp_path: Path) -> None:
    (tmp_path / "scripts").mkdir()
    (tmp_path / "scripts/docs").write_text((TOP / "scripts/docs").read_text())

    done = subprocess.run(
        [sys.executable, tmp_path / "scripts/docs", "--check"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert "docs/cli.md is stale" in done.stderr


def test_the_page_of_exit_codes_is_the_error_tree() -> None:
    page = (DOCS / "exit-codes.md").read_text()
    told = {
        int(code): name for code, name in re.findall(r"^\| (\d+) \| `?(\w*)", page, re.MULTILINE)
    }

    classes = [
        kind
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, errors.OpsctlError)
    ]
    assert {kind.exit_code: kind.code for kind in classes}.items() <= told.items()
    assert set(told) == {kind.exit_code for kind in classes} | {0, 3, 4}


def test_links_between_pages_lead_somewhere() -> None:
    pages = [*DOCS.glob("*.md"), TOP / "README.md", TOP / "CONTRIBUTING.md"]

    for page in pages:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


ARCHITECTURE = (DOCS / "architecture.md").read_text()
COMMAND_ROW = re.compile(
    r"^\| (?P<commands>`.+?) \| (?P<packages>.+?) \| (?P<files>.+?) \|", re.MULTILINE
)


def test_the_table_from_command_to_package_has_every_command() -> None:
    told = {
        word
        for row in COMMAND_ROW.finditer(ARCHITECTURE)
        for words in re.findall(r"`([a-z -]+)`", row["commands"])
        for word in words.split()[:1]
    }

    assert set(ROOT_COMMANDS) - {"completion"} <= told


@pytest.mark.parametrize("row", COMMAND_ROW.findall(ARCHITECTURE))
def test_the_files_of_that_table_exist(row: tuple[str, str, str]) -> None:
    _, packages, files = row

    for name in (*re.findall(r"`([\w/]+)`", packages), *re.findall(r"`([\w/.]+)`", files)):
        assert (TOP / "opsctl" / name).exists() or (TOP / name).exists(), name


def test_the_files_of_the_flows_exist() -> None:
    flows = re.findall(r"^  +([a-z_/]+\.py|[a-z_]+/[a-z_/]*)", ARCHITECTURE, re.MULTILINE)

    assert len(flows) > 10
    assert [name for name in flows if not (TOP / "opsctl" / name).exists()] == []


def test_no_page_names_a_setting_that_was_renamed() -> None:
    """The changelog may: it says what a key is called now."""
    pages = [*DOCS.glob("*.md"), TOP / "README.md", *(TOP / "opsctl/init/templates").iterdir()]
    old = re.compile("|".join(rf"(?<![\w.]){re.escape(key)}(?!\w)" for key in RENAMED))

    assert old.search("Set limits.when_away to open.")
    assert [
        f"{page.name}: {key}"
        for page in pages
        for key in old.findall(page.read_text(encoding="utf-8"))
    ] == []
