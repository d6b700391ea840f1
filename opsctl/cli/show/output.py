"""One way out for every command: text, JSON, NDJSON, and what other programs read."""

import re
import sys
from collections.abc import Iterable, Sequence

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
_WELL = frozenset({Level.OK, Level.ADVICE})


class Output:
    """Data goes to stdout, everything else to stderr."""

    def __init__(
        self, command: str, *, form: str = "text", quiet: bool = False, color: bool | None = None
    ) -> None:
        self.command = command
        self.form = form
        self._quiet = quiet
        self._color = sys.stdout.isatty() if color is None else color and sys.stdout.isatty()

    def conclude(
        self, report: object, view: Iterable[Block], *, exit_code: int | None = None
    ) -> None:
        """Show the result and end the command; findings decide the exit code if none is given."""
        findings: Sequence[Finding] = getattr(report, "findings", ())
        if self.form == "text":
            print_blocks(view, rich=self._color)
        elif self.form == "json":
            self._document(report)
        else:
            self._findings(findings)
        click.get_current_context().exit(self._code(worst_level(findings), exit_code))

    def event(self, record: object, view: str) -> None:
        """Show one event of a stream: its lines of text, or one of NDJSON."""
        if self.form == "json":
            self._document(record)
        else:
            print_blocks([view], rich=False)

    def note(self, text: str) -> None:
        """Tell the person; programs read stdout."""
        if not self._quiet:
            click.echo(escape_control(text), err=True)

    def fail(self, error: OpsctlError) -> int:
        """Show what went wrong; the exit code to leave with."""
        if self.form == "text":
            self._explain(error)
        elif self.form == "json":
            told = {"code": error.code, "what": error.what, "why": error.why, "fix": error.hint}
            self._document({"error": {**told, **error.facts}})
        else:
            self._findings([_as_finding(error)])
        return self.code_of(error)

    def fail_aside(self, error: OpsctlError) -> int:
        """Tell the person, whatever the format: nothing more can be written where answers go."""
        self._explain(error)
        return self.code_of(error)

    def _findings(self, findings: Sequence[Finding]) -> None:
        # Only machines' formats pay for this import.
        from opsctl.cli.show.machine_formats import RENDERERS  # noqa: PLC0415

        click.echo("\n".join(RENDERERS[self.form](self.command, findings)))

    def _explain(self, error: OpsctlError) -> None:
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

    def _document(self, report: object) -> None:
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
        return EXIT_OK if level in _WELL else EXIT_ATTENTION


def _as_finding(error: OpsctlError) -> Finding:
    """Say a failure as a finding: nothing could be known."""
    what = f"{error.what} ({error.why})" if error.why else error.what
    # Wrong settings begin with their place: `configs/dev.yaml:2: ...`.
    place = re.match(r"(?P<file>[^\s:]+):(?P<line>\d+): ", error.what)
    return Finding(
        check=error.code,
        level=Level.UNKNOWN,
        what=what,
        fix=error.hint,
        file=place["file"] if place else "",
        line=int(place["line"]) if place else None,
    )
