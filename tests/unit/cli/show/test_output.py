import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import NamedTuple

import click
import pytest

from opsctl.cli.show.output import Output
from opsctl.cli.show.to_json import to_json_value
from opsctl.errors import OpsctlError
from opsctl.findings import Finding, Level

Conclude = Callable[..., int]


@dataclass(frozen=True)
class Report:
    findings: tuple[Finding, ...]


@pytest.fixture
def conclude() -> Conclude:
    """End a command with a report; give back its exit code."""

    def end(output: Output, report: object, *, exit_code: int | None = None) -> int:
        context = click.Context(click.Command("x"))
        with context.scope(), pytest.raises(click.exceptions.Exit) as ended:
            output.conclude(report, ["text"], exit_code=exit_code)
        return ended.value.exit_code

    return end


@pytest.mark.parametrize(
    ("level", "code", "nagios"),
    [
        (Level.OK, 0, 0),
        (Level.WARNING, 3, 1),
        (Level.CRITICAL, 3, 2),
        (Level.UNKNOWN, 3, 3),
    ],
)
def test_findings_decide_the_exit_code(
    conclude: Conclude, level: Level, code: int, nagios: int
) -> None:
    report = Report((Finding("a", level, "b"),))

    assert conclude(Output("x"), report) == code
    assert conclude(Output("x", form="nagios"), report) == nagios


def test_the_worst_finding_counts(conclude: Conclude) -> None:
    findings = [Finding("a", level, "b") for level in (Level.OK, Level.CRITICAL, Level.UNKNOWN)]

    assert conclude(Output("x", form="nagios"), Report(tuple(findings))) == 2


def test_a_given_exit_code_wins(conclude: Conclude) -> None:
    assert conclude(Output("x"), Report(()), exit_code=4) == 4


def test_a_stream_is_one_document_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    output = Output("debug.pubsub", form="json")

    output.event({"n": 1}, "first")
    output.event({"n": 2}, "second")

    assert [json.loads(line) for line in capsys.readouterr().out.splitlines()] == [
        {"schema": "opsctl.debug.pubsub/1", "n": 1},
        {"schema": "opsctl.debug.pubsub/1", "n": 2},
    ]


def test_a_stream_of_text_is_harmless_lines(capsys: pytest.CaptureFixture[str]) -> None:
    Output("x").event({}, "a\x1bb")

    assert capsys.readouterr().out == "a\\x1bb\n"


def test_quiet_keeps_errors_and_drops_notes_and_hints(capsys: pytest.CaptureFixture[str]) -> None:
    output = Output("x", quiet=True)

    output.note("by the way")
    output.fail(OpsctlError("broken", why="it fell", hint="mend it"))

    told = capsys.readouterr()
    assert (told.out, told.err) == ("", "Error: broken\n  why: it fell\n")


class Colour(Enum):
    RED = "red"


class Pair(NamedTuple):
    left: int
    right: Colour


def test_every_noun_has_a_json_form_or_is_refused() -> None:
    at = datetime(2026, 1, 12, tzinfo=UTC)

    told = to_json_value({"a": (Colour.RED, Path("/x"), at), 1: None, "b": Pair(1, Colour.RED)})

    assert told == {
        "a": ["red", "/x", "2026-01-12T00:00:00+00:00"],
        "1": None,
        "b": {"left": 1, "right": "red"},
    }
    with pytest.raises(TypeError, match="object has no JSON form"):
        to_json_value(object())
