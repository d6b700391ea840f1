"""Streams, colours, completion: what every command keeps."""

import os
import pty
import re
import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from tests.scenarios.conftest import OPSCTL, Program


def test_data_goes_to_stdout_and_nothing_else(project: Program) -> None:
    answer = project("config", "show")

    assert answer.err == ""
    assert answer.out.splitlines()[0].split() == ["setting", "value"]


def test_piped_output_is_plain_and_whole(project: Program) -> None:
    long = "x" * 300

    answer = project("config", "show", environ={"REDIS_HOST": long})

    assert long in answer.out
    assert "\x1b" not in answer.out


def test_piped_settings_are_padded_by_nothing(project: Program) -> None:
    answer = project("config", "show", "--origin", environ={"REDIS_HOST": "x" * 300})

    lines = answer.out.splitlines()
    assert lines[0] == "setting\tvalue\torigin"
    assert all(line == line.rstrip() and "  " not in line for line in lines)


@pytest.mark.parametrize("columns", ["60", "80", "120"])
@pytest.mark.parametrize("colour", [{}, {"NO_COLOR": "1"}])
def test_settings_fit_the_width_of_a_terminal(
    project: Program, columns: str, colour: dict[str, str]
) -> None:
    shown = on_a_terminal(project, "config", "show", "--origin", COLUMNS=columns, **colour)

    lines = re.sub(r"\x1b\[[\d;]*m", "", shown).splitlines()
    assert max(map(len, lines)) <= int(columns)
    assert len(lines) > 100


def test_the_help_of_a_command_names_the_global_options_in_one_line(opsctl: Program) -> None:
    own, root = opsctl("config", "show", "--help").out, opsctl("--help").out

    assert own.endswith("\n\nGlobal options: see `opsctl --help`\n")
    assert "--no-input" not in own
    assert root.count("--no-input") == 1


def on_a_terminal(program: Program, *words: str, **environ: str) -> str:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [OPSCTL, *words],
        cwd=program.directory,
        env={**program.environ, "TERM": "xterm-256color", **environ},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    said = b""
    # Linux ends a terminal whose last writer has left with EIO.
    try:
        while chunk := os.read(ours, 65536):
            said += chunk
    except OSError:
        pass
    process.wait(30)
    os.close(ours)
    return said.decode()


def test_a_terminal_gets_colour_unless_it_says_no(project: Program) -> None:
    assert "\x1b[" in on_a_terminal(project, "doctor")
    assert "\x1b[3" not in on_a_terminal(project, "config", "show", NO_COLOR="1")
    assert "\x1b[3" not in on_a_terminal(project, "config", "show", "--no-color")
    assert "\x1b[3" not in on_a_terminal(project, "config", "show", TERM="dumb")


@pytest.mark.parametrize(("form", "code"), [("text", 1), ("json", 1), ("nagios", 3)])
def test_an_answer_that_does_not_fit_on_the_disk_is_told_as_that(
    project: Program, form: str, code: int
) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [OPSCTL, "config", "check", "-o", form],
            cwd=project.directory,
            env=project.environ,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            timeout=60,
        )

    assert done.returncode == code
    assert "cannot write the answer" in done.stderr
    assert "No space left on device" in done.stderr
    assert "bug" not in done.stderr
    assert "Traceback" not in done.stderr


def in_shell(project: Program, words: str, redirect: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        ["sh", "-c", f'exec "$0" {words} {redirect}', OPSCTL],
        cwd=project.directory,
        env=project.environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize("closed", ["2>&-", ">&-", ">&- 2>&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize(
    ("words", "code"), [("config check", 0), ("-o json nosuch", 2), ("config check -e nosuch", 6)]
)
def test_a_stream_that_is_closed_changes_no_exit_code(
    project: Program, words: str, code: int, closed: str
) -> None:
    done = in_shell(project, words, closed)

    assert done.returncode == code
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("full", ["2>/dev/full", ">/dev/full 2>/dev/full"])
@pytest.mark.parametrize("form", ["text", "json"])
def test_an_error_that_fits_nowhere_is_told_by_its_exit_code(
    project: Program, form: str, full: str
) -> None:
    assert in_shell(project, f"-o {form} nosuch", full).returncode == 2


def test_an_error_that_does_not_fit_where_programs_read_is_told_the_person(
    project: Program,
) -> None:
    done = in_shell(project, "-o json config check -e nosuch", ">/dev/full")

    assert done.returncode == 6
    assert "nosuch" in done.stderr


def test_a_reader_that_leaves_is_no_error(project: Program) -> None:
    done = subprocess.run(
        ["bash", "-c", '"$0" config show | head -n 1', OPSCTL],
        cwd=project.directory,
        env=project.environ,
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stderr == ""


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_knows_commands_and_flags(opsctl: Program, shell: str) -> None:
    script = opsctl("completion", shell)

    assert script.code == 0
    assert "_OPSCTL_COMPLETE" in script.out


def test_bash_completes_a_command_a_subcommand_and_a_flag(opsctl: Program) -> None:
    def completed(*words: str) -> list[str]:
        environ = {
            "_OPSCTL_COMPLETE": "bash_complete",
            "COMP_WORDS": " ".join(("opsctl", *words)),
            "COMP_CWORD": str(len(words)),
        }
        return [line.split(",")[1] for line in opsctl(environ=environ).out.splitlines()]

    assert completed("doc") == ["doctor"]
    assert completed("config", "sh") == ["show"]
    assert "--output" in completed("config", "show", "--ou")


@pytest.mark.parametrize("form", ["nagios", "prom", "github", "junit"])
def test_a_check_answers_in_the_words_of_other_programs(project: Program, form: str) -> None:
    answer = project("config", "check", "-o", form, environ={"OPSCTL_REDIS_PROT": "1"})

    starts = {"nagios": "CONFIG CHECK WARNING - ", "prom": "# HELP ", "github": "::warning "}
    assert answer.code == (1 if form == "nagios" else 3)
    if form == "junit":
        assert ET.fromstring(answer.out).get("failures") == "1"  # noqa: S314 - ours
    else:
        assert answer.out.startswith(starts[form])


def test_nagios_calls_every_failure_unknown(opsctl: Program) -> None:
    for words in (("doctor", "--forse"), ("config", "check")):
        answer = opsctl(*words, "-o", "nagios")

        assert answer.code == 3
        assert "UNKNOWN - " in answer.out


def test_a_failure_in_a_file_is_annotated_at_its_line(project: Program) -> None:
    project.write("configs/dev.yaml", "redis:\n  prot: 1\n")

    answer = project("config", "check", "-o", "github")

    assert answer.out.startswith("::")
    assert "file=configs/dev.yaml,line=2" in answer.out


def test_the_version_is_the_packages(opsctl: Program) -> None:
    assert opsctl("--version").out.startswith("opsctl, version ")


def test_c_works_elsewhere(project: Program, tmp_path: Path) -> None:
    elsewhere = Program(tmp_path, project.environ)

    assert elsewhere("-C", str(project.directory), "config", "check").code == 0
    assert elsewhere("config", "check").code == 6


@pytest.mark.parametrize("branch", ["health", "cache", "limits", "debug", "disk", "config"])
def test_a_branch_without_a_verb_lists_its_verbs(opsctl: Program, branch: str) -> None:
    shown = opsctl(branch)
    told = opsctl("--json", branch)

    assert (shown.code, shown.out) == (2, "")
    assert shown.err.startswith(f"Usage: opsctl {branch} [OPTIONS] COMMAND [ARGS]...\n")
    assert "\nCommands:\n  " in shown.err
    assert (told.code, told.err) == (2, "")
    assert told.json["error"]["code"] == "usage"
