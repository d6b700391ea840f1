"""The report of a test run for a CI server: one case a run, with the last of its output."""

import re
from collections.abc import Iterator
from html import escape

from opsctl.sandbox.model import Run, Verdict
from opsctl.sandbox.outcome import finding

# XML has no way at all to say these.
_UNSPEAKABLE = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(runs: tuple[Run, ...]) -> str:
    failed = sum(run.verdict is not Verdict.PASSED and bool(run.exit_code) for run in runs)
    wall_s = sum(run.wall_s for run in runs)
    counts = f'tests="{len(runs)}" failures="{failed}" errors="0" time="{wall_s:.3f}"'
    cases = "\n".join(line for run in runs for line in _case(run))
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<testsuites {counts}>\n<testsuite name="opsctl.test" {counts} skipped="0">\n'
        f"{cases}\n</testsuite>\n</testsuites>\n"
    )


def _case(run: Run) -> Iterator[str]:
    yield f'<testcase classname="opsctl.test" name="{_said(run.image)}" time="{run.wall_s:.3f}">'
    if run.verdict is not Verdict.PASSED and run.exit_code:
        what = finding(run)
        yield f'<failure type="{run.verdict}" message="{_said(what.what)}">{_said(what.fix)}'
        yield "</failure>"
    yield f"<system-out>{_said(run.last_output)}</system-out>"
    yield "</testcase>"


def _said(text: str) -> str:
    return escape(_UNSPEAKABLE.sub("?", text))
