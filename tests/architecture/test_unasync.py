"""The sync form of the kit is generated from the async one; `make check` notices a stale one."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TOP = Path(__file__).parents[2]
KIT = "opsctl/kit"
SCRIPT = "scripts/unasync"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Copy what the script reads."""
    shutil.copytree(TOP / KIT, tmp_path / KIT, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / SCRIPT).parent.mkdir()
    shutil.copy(TOP / SCRIPT, tmp_path / SCRIPT)
    shutil.copy(TOP / "pyproject.toml", tmp_path)
    return tmp_path


def run_script(project: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, project / SCRIPT, *options],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_every_generated_file_is_up_to_date() -> None:
    checked = run_script(TOP, "--check")

    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")


def test_a_docstring_changed_on_the_async_side_alone_fails_the_check(project: Path) -> None:
    source = project / KIT / "cache/async_cache.py"
    source.write_text(source.read_text().replace("memory serves alone", "memory is used alone"))

    checked = run_script(project, "--check")

    assert checked.returncode == 1
    assert "opsctl/kit/cache/cache.py is stale; `make unasync` writes it again" in checked.stderr
    assert "+    " in checked.stdout
    assert "memory is used alone" in checked.stdout


def test_a_generated_file_changed_by_hand_is_written_again(project: Path) -> None:
    target = project / KIT / "redis/client.py"
    generated = target.read_text()
    target.write_text(generated + "\n# changed by hand\n")

    assert run_script(project, "--check").returncode == 1
    assert run_script(project).stdout == "wrote opsctl/kit/redis/client.py\n"
    assert target.read_text() == generated


def test_nothing_asynchronous_is_left_in_a_generated_file() -> None:
    sources = sorted((TOP / KIT).rglob("async_*.py"))
    generated = [path.with_name(path.name.removeprefix("async_")) for path in sources]

    assert len(sources) >= 10
    for source, target in zip(sources, generated, strict=True):
        first, _, code = target.read_text().partition("\n")
        name = source.relative_to(TOP)
        assert first == f"# Generated from {name} by `make unasync`: edit that file instead."
        assert [word for word in ("await ", "async ", "asyncio", "Async") if word in code] == []
