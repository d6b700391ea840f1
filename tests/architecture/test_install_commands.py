"""Nothing of ours is installed by a bare name: it would come from whoever holds it on PyPI."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from opsctl.init.install_source import DISTRIBUTION
from opsctl.init.model import InstallSource, SourceKind
from opsctl.init.project_files import list_project_files

TOP = Path(__file__).parents[2]
OUR_NAMES = {"opsctl", DISTRIBUTION}
_OPTIONS = r"(?:\s+-\S+(?:\s+(?!install|download|wheel|run)[^-\s]\S*)?)*"
_INSTALLER = re.compile(
    rf"\b(?:pip[0-9.]*{_OPTIONS}\s+(?:install|download|wheel)"
    rf"|pipx{_OPTIONS}\s+(?:install|run|install-all)|easy_install"
    r"|uv\s+(?:tool\s+(?:install|run)|pip\s+install|add|run\s+--with)|uvx"
    r"|(?:poetry|pdm|rye|pixi)\s+add|(?:conda|mamba)\s+install)\s+(?P<words>[^\n;&|`]*)"
)
_REQUIREMENT = re.compile(r"(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)(?:[\[=<>!~;@].*)?\Z")


def bare_installs(text: str) -> Iterator[str]:
    """Find every command that installs one of our names, however it is quoted or broken."""
    joined = re.sub(r"\\\n", " ", text)
    plain = re.sub(r"""["',]|\[(?=["'])""", " ", joined)
    for match in _INSTALLER.finditer(plain):
        command = re.split(r"\s#", match["words"])[0].split()
        following = [*command[1:], ""]
        for word, after in zip(command, following, strict=True):
            if is_our_name(word) and after != "@":
                yield " ".join(match.group().split())


def is_our_name(word: str) -> bool:
    match = _REQUIREMENT.match(word.rstrip(".:)]}"))
    return match is not None and re.sub(r"[-_.]+", "-", match["name"]).lower() in OUR_NAMES


def pages() -> list[Path]:
    """List all that we publish; the tests themselves hold examples of what is wrong."""
    words = ("git", "ls-files", "--cached", "--others", "--exclude-standard", "-z")
    listed = subprocess.run(words, cwd=TOP, capture_output=True, text=True, check=True).stdout
    paths = [TOP / name for name in listed.split("\0") if name and not name.startswith("tests/")]
    return [path for path in paths if path.is_file()]


def test_no_page_template_or_script_installs_us_by_a_bare_name() -> None:
    wrong = {
        str(path.relative_to(TOP)): found
        for path in pages()
        if (found := [*bare_installs(path.read_text("utf-8", errors="replace"))])
    }

    assert wrong == {}


def test_the_pages_that_install_something_are_among_those_that_are_read() -> None:
    names = {str(path.relative_to(TOP)) for path in pages()}

    assert {"README.md", "Makefile", "Dockerfile", "docs/getting-started.md"} <= names
    assert {name for name in names if name.endswith("templates/workflow.yml")}
    assert {name for name in names if name.endswith("templates/Dockerfile")}


@pytest.mark.parametrize(
    "source",
    [
        None,
        InstallSource(SourceKind.CHECKOUT, "./opsctl"),
        InstallSource(SourceKind.CHECKOUT, "/opt/opsctl", "it lies outside"),
        InstallSource(SourceKind.WHEEL, "./opsctl_stack-0.1.0-py3-none-any.whl"),
        InstallSource(SourceKind.GIT, "git+https://host/o/opsctl@v1.2.3"),
    ],
)
def test_nothing_that_init_writes_does(source: InstallSource | None) -> None:
    for draft in list_project_files("ticks", source):
        assert [*bare_installs(draft.text)] == [], draft.path


@pytest.mark.parametrize(
    "text",
    [
        "pip install opsctl",
        "pip install opsctl.",
        "      - run: pipx install opsctl\n",
        "RUN pip install --no-cache-dir opsctl==0.1.0",
        "pip install 'opsctl[duckdb]'",
        "`pip install opsctl[fastapi]`. A call",
        "pip install \\\n  --upgrade \\\n  OpsCtl",
        "python3 -m pip --quiet install click opsctl",
        "pip3 --python /opt/bin/python install opsctl-stack",
        "pip install opsctl_stack>=0.1",
        "uv tool install opsctl-stack",
        "uvx opsctl check",
        "uvx --from opsctl-stack opsctl",
        "uv pip install --system opsctl",
        "uv add opsctl",
        "pipx run opsctl doctor",
        "poetry add opsctl",
        'RUN ["pip", "install", "opsctl"]',
        'argv = ["pip", "install", "--quiet", "opsctl-stack"]',
        'hint="pip install opsctl"',
        "true && pip install -U opsctl; opsctl check",
    ],
)
def test_a_planted_bare_name_is_found(text: str) -> None:
    assert [*bare_installs(f"# A page\n\n{text}\n")]


def test_a_planted_bare_name_in_a_real_page_is_found() -> None:
    for name in ("README.md", "Makefile", "Dockerfile", "docs/migrate.md"):
        text = (TOP / name).read_text("utf-8") + "\npipx install opsctl\n"
        assert [*bare_installs(text)] == ["pipx install opsctl"]


@pytest.mark.parametrize(
    "text",
    [
        "pip install .",
        "pip install '.[duckdb]' # in a checkout of opsctl",
        "pipx install ./vendor/opsctl",
        "pipx install ../opsctl",
        "pip install /src/opsctl",
        "pip install ./wheels/opsctl_stack-0.1.0-py3-none-any.whl",
        "pipx install 'git+https://host/owner/opsctl@0123456'",
        "pip install 'opsctl-stack[duckdb] @ git+https://host/owner/opsctl@0123456'",
        "pip install --require-hashes -r requirements.lock\nopsctl check",
        "pip install click; opsctl check",
        "pip install click && opsctl check",
        "`pip install '.[duckdb]'` in a checkout of opsctl",
        "the pipeline installs opsctl",
    ],
)
def test_a_checkout_a_wheel_and_an_address_are_no_bare_names(text: str) -> None:
    assert [*bare_installs(text)] == []
