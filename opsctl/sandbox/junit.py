"""The report of a test run for a CI server: one case a run, with the last of its output."""

import re
from collections.abc import Iterator
from html import escape

from opsctl.sandbox.model import SandboxRun, SandboxVerdict
from opsctl.sandbox.outcome import run_finding

# XML has no way at all to say these.
_NOT_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(runs: tuple[SandboxRun, ...]) -> str:
    failed = sum(run.verdict is not SandboxVerdict.PASSED and bool(run.exit_code) for run in runs)
    wall_s = sum(run.wall_s for run in runs)
    counts = f'tests="{len(runs)}" failures="{failed}" errors="0" time="{wall_s:.3f}"'
    cases = "\n".join(line for run in runs for line in _case(run))
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<testsuites {counts}>\n<testsuite name="opsctl.test" {counts} skipped="0">\n'
        f"{cases}\n</testsuite>\n</testsuites>\n"
    )


def _case(run: SandboxRun) -> Iterator[str]:
    name = _escape_xml(run.image)
    yield f'<testcase classname="opsctl.test" name="{name}" time="{run.wall_s:.3f}">'
    if run.verdict is not SandboxVerdict.PASSED and run.exit_code:
        what = run_finding(run)
        yield f'<failure type="{run.verdict}" message="{_escape_xml(what.what)}">'
        yield f"{_escape_xml(what.fix)}</failure>"
    yield f"<system-out>{_escape_xml(run.last_output)}</system-out>"
    yield "</testcase>"


def _escape_xml(text: str) -> str:
    return escape(_NOT_XML.sub("?", text))
