"""`opsctl check` on real repositories: what it finds, who answers for it, what it never does."""

import json
import os
import xml.etree.ElementTree as ET
from collections.abc import Callable

import pytest

from tests.scenarios.conftest import Program

Git = Callable[..., str]
# Put together here: in this file it would answer for something.
ALLOW = "opsctl-" + "check: allow"
DDL = 'db.execute("CREATE TABLE a (x int)")\n'


@pytest.fixture
def repository(project: Program, git: Git) -> Program:
    """What `opsctl init` leaves, committed on main; the compose files are left out."""
    for name in ("docker-compose.prod.yml", "docker-compose.dev.yml"):
        (project.directory / name).unlink()
    project.write(".gitignore", ".env\n")
    git(project.directory, "init", "-q", "-b", "main")
    commit(project, git)
    return project


def commit(project: Program, git: Git) -> None:
    git(project.directory, "add", "-A")
    git(project.directory, "commit", "-q", "-m", "Change something")


def troubles(project: Program, *words: str) -> list[tuple[str, str, int | None]]:
    found = project("check", "--json", *words).json["findings"]
    return [(f["check"], f["file"], f["line"]) for f in found if f["level"] != "ok"]


@pytest.mark.engine("docker")
def test_what_init_writes_passes(project: Program, git: Git) -> None:
    project.write(".gitignore", ".env\n")
    git(project.directory, "init", "-q", "-b", "main")
    commit(project, git)

    answer = project("check")

    assert (answer.code, answer.err) == (0, "")
    assert "0 errors, 0 warnings, 0 unknown, 0 advice" in answer.out


def test_a_finding_names_its_place_rule_and_fix(repository: Program) -> None:
    repository.write("app/feed.py", f"\n{DDL}")

    answer = repository("check")

    assert answer.code == 3
    assert "app/feed.py:2: error: CREATE TABLE in Python [ddl-in-python]" in answer.out
    assert "ddl-in-python: Move the statement into a new file" in answer.out


def test_github_shows_it_beside_the_line(repository: Program) -> None:
    repository.write("app/feed.py", DDL)

    answer = repository("check", "-o", "github")

    start = "::error file=app/feed.py,line=1,title=check ddl-in-python::CREATE TABLE in Python"
    assert answer.code == 3
    assert answer.out.startswith(start)


def test_sarif_names_rules_results_and_fingerprints(repository: Program) -> None:
    repository.write("app/feed.py", DDL)

    answer = repository("check", "-o", "sarif")

    (run,) = json.loads(answer.out)["runs"]
    (result,) = run["results"]
    rule = run["tool"]["driver"]["rules"][result["ruleIndex"]]
    place = result["locations"][0]["physicalLocation"]
    assert (answer.code, result["level"], rule["id"]) == (3, "error", "ddl-in-python")
    assert rule["shortDescription"]["text"]
    assert place == {"artifactLocation": {"uri": "app/feed.py"}, "region": {"startLine": 1}}
    assert result["partialFingerprints"]["opsctl/1"]


def test_junit_has_a_case_for_each_rule(repository: Program) -> None:
    repository.write("app/feed.py", DDL)

    suite = ET.fromstring(repository("check", "-o", "junit").out)[0]  # noqa: S314 - ours

    assert suite.get("failures") == "1"
    assert {"ddl-in-python", "merge-marker"} <= {case.get("name") for case in suite}


def test_advice_is_shown_and_fails_only_when_strict(repository: Program) -> None:
    repository.write("app/feed.py", "READ_TIMEOUT = 3\n")

    assert repository("check").code == 0
    assert "advice: READ_TIMEOUT" in repository("check").out
    assert repository("check", "--strict").code == 3


@pytest.mark.parametrize(
    "text",
    [
        f"{DDL.strip()}  # {ALLOW} ddl-in-python: a throw-away table\n",
        f"# {ALLOW} ddl-in-python: a throw-away table\n# and more\n{DDL}",
        f"# {ALLOW}-file number-in-code, ddl-in-python: generated\n\n\n{DDL}",
    ],
)
def test_a_comment_with_a_reason_suppresses_a_finding(repository: Program, text: str) -> None:
    repository.write("app/feed.py", text)

    answer = repository("check", "--json")

    (suppressed,) = answer.json["suppressed"]
    assert answer.code == 0
    assert suppressed["by"] == "app/feed.py:1"
    assert suppressed["reason"]


def test_a_comment_without_a_reason_suppresses_nothing(repository: Program) -> None:
    repository.write("app/feed.py", f"# {ALLOW} ddl-in-python\n{DDL}")

    found = [check for check, _, _ in troubles(repository)]

    assert sorted(found) == ["ddl-in-python", "suppression-reason"]


def test_a_comment_that_suppresses_nothing_any_more_is_reported(repository: Program) -> None:
    repository.write("app/feed.py", f"# {ALLOW} ddl-in-python: it was\nx = 1\n")

    assert troubles(repository) == [("suppression-unused", "app/feed.py", 1)]


def test_a_misspelt_rule_in_a_comment_is_reported(repository: Program) -> None:
    repository.write("app/feed.py", f"x = 1  # {ALLOW} dll-in-python: why not\n")

    assert ("suppression-unknown", "app/feed.py", 1) in troubles(repository)


def test_a_baseline_accepts_what_was_there_and_nothing_new(repository: Program) -> None:
    repository.write("app/old.py", DDL)

    written = repository("check", "--write-baseline")
    again = repository("check")
    repository.write("app/old.py", f"\n\n\n{DDL}")
    moved = repository("check")
    repository.write("app/old.py", f"{DDL}{DDL}")
    grown = repository("check")

    assert (written.code, again.code, moved.code, grown.code) == (0, 0, 0, 3)


def test_a_baseline_of_a_part_is_refused(repository: Program) -> None:
    assert repository("check", "migrations", "--write-baseline").code == 2


def test_what_was_worked_off_is_told_until_the_baseline_is_written_again(
    repository: Program,
) -> None:
    path = repository.write("app/old.py", DDL)
    repository("check", "--write-baseline")
    path.unlink()

    before = troubles(repository)
    repository("check", "--write-baseline")

    assert [check for check, _, _ in before] == ["baseline-stale"]
    assert troubles(repository) == []


def test_a_reason_in_the_baseline_is_kept_and_shown(repository: Program) -> None:
    repository.write("app/old.py", DDL)
    repository("check", "--write-baseline")
    path = repository.directory / "configs/policy/baseline.json"
    path.write_text(path.read_text().replace('"reason": ""', '"reason": "until spring"'))
    repository.write("app/other.py", DDL)

    repository("check", "--write-baseline")

    reasons = [s["reason"] for s in repository("check", "--json").json["suppressed"]]
    assert sorted(reasons) == ["", "until spring"]


def test_a_broken_baseline_is_an_error_and_not_an_empty_one(repository: Program) -> None:
    repository.write("configs/policy/baseline.json", "{}")

    answer = repository("check")

    assert answer.code == 6
    assert "cannot read the baseline" in answer.err


OWN = """
rules:
  - id: no-print
    severity: error
    reason: Logs go through logging.
    fix: Use log.info.
    files: ["app/**/*.py"]
    forbid: '^\\s*print\\('
except:
  - files: "app/generated/*"
    rules: [ddl-in-python]
    reason: Made by a tool.
"""


def test_a_project_has_rules_and_exceptions_of_its_own(repository: Program) -> None:
    repository.write("configs/policy/house.yaml", OWN)
    repository.write("app/feed/a.py", "print(1)\n")
    repository.write("app/generated/b.py", DDL)

    assert troubles(repository) == [("no-print", "app/feed/a.py", 1)]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("rules:\n  - {id: a-b, fix: y, forbid: z}\n", "reason is missing"),
        ("rules:\n  - {id: a-b, reason: x, fix: y, forbid: '('}\n", "is not a regular expression"),
        ("rules:\n  - {id: ddl-in-python, reason: x, fix: y, forbid: z}\n", "already"),
        ("rules:\n  - {id: a-b, reason: x, fix: y, run: z}\n", "run is not a known key"),
        ("except:\n  - {files: a}\n", "reason is missing"),
        ("other: 1\n", "other is not known"),
    ],
)
def test_a_wrong_rule_of_the_project_is_refused(repository: Program, text: str, why: str) -> None:
    repository.write("configs/policy/house.yaml", text)

    answer = repository("check")

    assert answer.code == 6
    assert why in answer.err


def test_a_path_narrows_the_check(repository: Program) -> None:
    repository.write("app/a.py", DDL)
    repository.write("lib/b.py", DDL)

    assert troubles(repository, "lib") == [("ddl-in-python", "lib/b.py", 1)]
    assert repository("check", "nowhere").code == 2


def test_one_rule_can_be_asked_alone(repository: Program) -> None:
    repository.write("app/a.py", f"A_TIMEOUT = 1\n{DDL}")

    assert troubles(repository, "--rule", "number-in-code") == [("number-in-code", "app/a.py", 1)]
    assert repository("check", "--rule", "nonsense").code == 2


def test_a_migration_that_git_ignores_is_found(repository: Program) -> None:
    repository.write(".gitignore", ".env\n*.sql\n")
    repository.write("migrations/002_b.sql", "SELECT 1;\n")

    assert ("migration-untracked", "migrations/002_b.sql", 1) in troubles(repository)


def test_a_migration_edited_on_a_branch_is_found(repository: Program, git: Git) -> None:
    git(repository.directory, "switch", "-q", "-c", "feature")
    repository.write("migrations/001_initial.sql", "SELECT 1;\n")
    commit(repository, git)

    assert troubles(repository) == [("migration-rewritten", "migrations/001_initial.sql", 1)]


def test_a_migration_edited_on_the_trunk_is_found(repository: Program, git: Git) -> None:
    repository.write("migrations/001_initial.sql", "SELECT 1;\n")
    commit(repository, git)

    assert troubles(repository) == [("migration-rewritten", "migrations/001_initial.sql", 1)]


def test_a_migration_renamed_or_removed_is_found(repository: Program, git: Git) -> None:
    old, new = "migrations/001_initial.sql", "migrations/001_first.sql"
    git(repository.directory, "mv", old, new)

    renamed = repository("check", "--json").json["findings"]
    git(repository.directory, "rm", "-qf", new)
    removed = repository("check", "--json").json["findings"]

    assert f"it was on the trunk and was renamed to {new}" in {f["what"] for f in renamed}
    assert "it was on the trunk and was removed" in {f["what"] for f in removed}


def test_a_new_migration_may_be_edited_as_long_as_it_is_new(repository: Program, git: Git) -> None:
    git(repository.directory, "switch", "-q", "-c", "feature")
    repository.write("migrations/002_b.sql", "SELECT 1;\n")
    commit(repository, git)
    repository.write("migrations/002_b.sql", "SELECT 2;\n")
    commit(repository, git)

    assert troubles(repository) == []


def test_an_experiment_keeps_off_production(repository: Program, git: Git) -> None:
    git(repository.directory, "switch", "-q", "-c", "exp/a")
    repository.write("configs/prod.yaml", "logs:\n  level: debug\n")
    repository.write("app/a.py", 'redis = "redis://localhost:6379/1"\n')
    commit(repository, git)

    assert troubles(repository) == [
        ("experiment-redis-index", "app/a.py", 1),
        ("experiment-touches-production", "configs/prod.yaml", 1),
    ]


def test_wrong_settings_of_any_environment_are_found(repository: Program) -> None:
    repository.write("configs/prod.yaml", "\nredis:\n  prot: 1\n")

    assert troubles(repository) == [("settings-invalid", "configs/prod.yaml", 3)]


def test_a_project_inside_a_larger_repository_is_seen_as_itself(
    repository: Program, git: Git
) -> None:
    inner = repository.directory / "stack"
    inner.mkdir()
    for name in ("configs", "migrations"):
        git(repository.directory, "mv", name, "stack")
    commit(repository, git)
    repository.write("stack/app/a.py", DDL)
    repository.write("beside.py", DDL)

    found = repository("-C", "stack", "check", "--json").json["findings"]

    places = {(f["check"], f["file"]) for f in found if f["level"] == "critical"}
    assert ("ddl-in-python", "app/a.py") in places
    assert not [file for _, file in places if "beside" in file]


def test_without_git_the_files_are_checked_all_the_same(project: Program) -> None:
    for name in ("docker-compose.prod.yml", "docker-compose.dev.yml"):
        (project.directory / name).unlink()
    project.write("app/a.py", DDL)
    project.write("node_modules/x/a.py", DDL)

    assert troubles(project) == [("ddl-in-python", "app/a.py", 1)]


HOSTILE = "import pathlib\npathlib.Path({path!r}).touch()\nSQL = 'CREATE TABLE a (x int)'\n"


def test_nothing_that_is_checked_is_run(repository: Program, git: Git) -> None:
    trap = repository.directory / "ran"
    names = ("conftest.py", "setup.py", "sitecustomize.py", "opsctl.py", "configs/policy/rule.py")
    for name in names:
        repository.write(name, HOSTILE.format(path=str(trap)))
    script = repository.write("hook", f"#!/bin/sh\ntouch {trap}\n")
    script.chmod(0o755)
    for key in ("core.fsmonitor", "diff.external", "diff.x.textconv", "core.pager", "core.editor"):
        git(repository.directory, "config", key, str(script))
    repository.write(".gitattributes", "*.sql diff=x\n*.py diff=x\n")
    repository.write("migrations/001_initial.sql", "\\! touch ran\nSELECT 1;\n")

    answer = repository("check")

    assert answer.code == 3
    assert not trap.exists()


@pytest.mark.engine("docker")
def test_a_compose_file_cannot_fetch_or_run(repository: Program) -> None:
    text = "include:\n  - https://127.0.0.1:1/x.git\nservices:\n  a: {image: 'x:1'}\n"
    repository.write("docker-compose.prod.yml", text)

    found = repository("check", "--json").json["findings"]

    (unrendered,) = [
        f for f in found if f["check"] == "compose-unrendered" and f["what"] != "holds"
    ]
    assert unrendered["level"] == "unknown"


def test_pipes_links_and_large_files_hold_nothing_up(repository: Program) -> None:
    os.mkfifo(repository.directory / "pipe.py")
    (repository.directory / "loop.py").symlink_to("loop.py")
    (repository.directory / "out.py").symlink_to("/etc/passwd")
    repository.write("big.txt", "x" * 2_000_000)
    repository.write("latin.py", "").write_bytes(b"# caf\xe9\n" + DDL.encode())

    answer = repository("check", "--json")

    found = [(f["check"], f["file"]) for f in answer.json["findings"] if f["level"] != "ok"]
    assert found == [("file-unread", "big.txt"), ("ddl-in-python", "latin.py")]


def test_names_from_outside_stay_text(repository: Program) -> None:
    name = "a\x1b[31m\n::error::.py"
    repository.write(name, DDL)

    for form in ("text", "json", "github", "junit", "sarif"):
        answer = repository("check", "-o", form)

        assert answer.code == 3
        assert "\x1b" not in answer.out
        assert "\n::error::." not in answer.out
