"""Prints the result of every command: text, JSON, NDJSON, and formats of other programs."""

import re
import sys
from collections.abc import Iterable, Sequence
from typing import NoReturn

import click

from opsctl.cli.show.text import Block, escape_control, print_blocks
from opsctl.errors import EXIT_ATTENTION, EXIT_OK, OpsctlError
from opsctl.findings import Finding, Level, worst_level

_NAGIOS_EXIT = {
    Level.OK: 0,
    Level.ADVICE: 0,
    Level.WARNING: 1,
    Level.CRITICAL: 2,
    Level.UNKNOWN: 3,
}
_NO_PROBLEM = frozenset({Level.OK, Level.ADVICE})


class Output:
    """Data goes to stdout, everything else to stderr."""

    def __init__(
        self, command: str, *, form: str = "text", quiet: bool = False, color: bool | None = None
    ) -> None:
        self.command = command
        self.form = form
        self._quiet = quiet
        self._is_terminal = sys.stdout.isatty()
        self._color = self._is_terminal and color is not False

    def conclude(
        self, report: object, view: Iterable[Block], *, exit_code: int | None = None
    ) -> NoReturn:
        """Print the result and end the command; without an exit code the findings decide it."""
        findings: Sequence[Finding] = getattr(report, "findings", ())
        if self.form == "text":
            print_blocks(view, terminal=self._is_terminal, color=self._color)
        elif self.form == "json":
            self._print_json(report)
        else:
            self._print_findings(findings)
        click.get_current_context().exit(self._code(worst_level(findings), exit_code))

    def event(self, record: object, view: str) -> None:
        """Print one event of a stream: lines of text, or one line of NDJSON."""
        if self.form == "json":
            self._print_json(record)
        else:
            print_blocks([view], terminal=False, color=False)

    def note(self, text: str) -> None:
        """Print a remark on stderr."""
        if not self._quiet:
            click.echo(escape_control(text), err=True)

    def fail(self, error: OpsctlError) -> int:
        """Print an error and give its exit code."""
        if self.form == "text":
            self._print_error(error)
        elif self.form == "json":
            body = {"code": error.code, "what": error.what, "why": error.why, "fix": error.hint}
            self._print_json({"error": {**body, **error.facts}})
        else:
            self._print_findings([_as_finding(error)])
        return self.code_of(error)

    def fail_on_stderr(self, error: OpsctlError) -> int:
        """Print an error on stderr, whatever the format: stdout cannot be written."""
        self._print_error(error)
        return self.code_of(error)

    def _print_findings(self, findings: Sequence[Finding]) -> None:
        # Only these formats pay for the import.
        from opsctl.cli.show.machine_formats import RENDERERS  # noqa: PLC0415

        click.echo("\n".join(RENDERERS[self.form](self.command, findings)))

    def _print_error(self, error: OpsctlError) -> None:
        click.secho(
            f"Error: {escape_control(error.what)}", err=True, fg="red", color=self._stderr_color()
        )
        for line in error.excerpt:
            click.echo(f"  {escape_control(line)}", err=True)
        for label, text in (("why", error.why), ("try", error.hint)):
            if text and not (label == "try" and self._quiet):
                click.echo(f"  {label}: {escape_control(text)}", err=True)

    def _stderr_color(self) -> bool:
        return self._color and sys.stderr.isatty()

    def _print_json(self, report: object) -> None:
        import json  # noqa: PLC0415 - `--help` never pays

        from opsctl.cli.show.to_json import to_json_value  # noqa: PLC0415 - same

        body = to_json_value(report)
        members = body if isinstance(body, dict) else {"items": body}
        schema = ".".join(filter(None, ("opsctl", self.command)))
        click.echo(json.dumps({"schema": f"{schema}/1", **members}, ensure_ascii=True))

    def code_of(self, error: OpsctlError) -> int:
        return _NAGIOS_EXIT[Level.UNKNOWN] if self.form == "nagios" else error.exit_code

    def _code(self, level: Level, given: int | None) -> int:
        if self.form == "nagios":
            return _NAGIOS_EXIT[level]
        if given is not None:
            return given
        return EXIT_OK if level in _NO_PROBLEM else EXIT_ATTENTION


def _as_finding(error: OpsctlError) -> Finding:
    """Turn an error into a finding of unknown level."""
    what = f"{error.what} ({error.why})" if error.why else error.what
    # Errors of settings begin with their place: `configs/dev.yaml:2: ...`.
    place = re.match(r"(?P<file>[^\s:]+):(?P<line>\d+): ", error.what)
    return Finding(
        check=error.code,
        level=Level.UNKNOWN,
        what=what,
        fix=error.hint,
        file=place["file"] if place else "",
        line=int(place["line"]) if place else None,
    )
