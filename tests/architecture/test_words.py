"""scripts/words sees the words that are always wrong, wherever a user would read them."""

import subprocess
import sys
from pathlib import Path

import pytest

TOP = Path(__file__).parents[2]


def words_in(folder: Path, file: str, text: str) -> subprocess.CompletedProcess[str]:
    """Run scripts/words on a repository that holds just this file."""
    path = folder / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
    return subprocess.run(
        [sys.executable, TOP / "scripts/words"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("file", "text", "problem"),
    [
        ("README.md", "To mend it: restart.", "README.md:1: 'mend': write fix"),
        ("docs/deploy.md", "\nThe web service is unwell.", "docs/deploy.md:2: 'unwell'"),
        ("docs/deploy.md", "Redis was away.", "docs/deploy.md:1: 'was away'"),
        ("docs/debug.md", "Nobody hears it.", "docs/debug.md:1: 'hears'"),
        ("configs/opsctl.yaml", "# Whether the door is Shut.", "'Shut': write closed"),
        ("opsctl/init/templates/env.example", "# the rules of the house", "'house'"),
        ("Makefile", "check: ## The floors", "'floors': write layer"),
        ("opsctl/a.py", "def mend():\n    raise Error('put back')", "opsctl/a.py:2: 'put back'"),
        ("opsctl/a.py", 'x = f"{name} stands on {other}"', "opsctl/a.py:1: 'stands on'"),
        ("opsctl/cli/a.py", '"""One line.\n\nIs a deed.\n"""', "opsctl/cli/a.py:3: 'deed'"),
    ],
)
def test_a_wrong_word_is_reported_with_its_place(
    tmp_path: Path, file: str, text: str, problem: str
) -> None:
    answer = words_in(tmp_path, file, text)

    assert answer.returncode == 1
    assert problem in answer.stderr


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("opsctl/a.py", "def mend(twin):  # shut\n    return twin.floor"),
        ("opsctl/a.py", "x = 'commend, backdoor, penthouse, well-known, a key is well known'"),
        (
            "README.md",
            "Keep the mark, take the file, hold the lock; it says so, and you try again.",
        ),
        ("CHANGELOG.md", "The key `deed` is called `action` now."),
        ("tests/unit/test_a.py", "x = 'mend'"),
    ],
)
def test_everyday_words_and_names_are_left_to_the_reader(
    tmp_path: Path, file: str, text: str
) -> None:
    answer = words_in(tmp_path, file, text)

    assert answer.stderr == ""
    assert answer.returncode == 0
