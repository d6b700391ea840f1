"""Findings and failures in the words of other programs: Nagios, Prometheus, GitHub, JUnit."""

import re
from collections.abc import Callable, Iterable, Sequence
from html import escape

from opsctl.cli.show.sarif import sarif
from opsctl.cli.show.text import escape_control
from opsctl.findings import Figure, Finding, Level, worst_level

_NAGIOS_WORD = {
    Level.OK: "OK",
    Level.ADVICE: "OK",
    Level.WARNING: "WARNING",
    Level.CRITICAL: "CRITICAL",
}
_GITHUB_WORD = {Level.ADVICE: "notice", Level.WARNING: "warning", Level.UNKNOWN: "warning"}
_PROM_UNITS = {"%": "percent", "B": "bytes", "s": "seconds"}
_PROM_VALUE = {Level.OK: 0, Level.ADVICE: 0, Level.WARNING: 1, Level.CRITICAL: 2, Level.UNKNOWN: 3}

Renderer = Callable[[str, Sequence[Finding]], list[str]]


def nagios(command: str, findings: Sequence[Finding]) -> list[str]:
    """One status line with performance data, then a line for each trouble."""
    level = worst_level(findings)
    troubles = [finding for finding in findings if finding.is_problem]
    said = "; ".join(_bar(f"{f.check}: {f.what}") for f in troubles) or f"{len(findings)} checks"
    figures = " ".join(_perfdata(f.check, figure) for f in findings for figure in f.figures)
    title = command.upper().replace(".", " ")
    status = f"{title} {_NAGIOS_WORD.get(level, 'UNKNOWN')} - {said}"
    fixes = [_bar(f"{f.check}: {f.fix}") for f in troubles if f.fix]
    return [f"{status} | {figures}" if figures else status, *fixes]


def prom(command: str, findings: Sequence[Finding]) -> list[str]:
    """Text exposition: the level of each check, and each figure with its check as a label."""
    prefix = f"opsctl_{_metric(command)}"
    lines = [f"# HELP {prefix}_level 0 ok, 1 warning, 2 critical, 3 unknown"]
    lines.append(f"# TYPE {prefix}_level gauge")
    lines += [f"{prefix}_level{_label(f.check)} {_PROM_VALUE[f.level]}" for f in findings]
    by_name: dict[str, list[str]] = {}
    for finding in findings:
        for figure in finding.figures:
            name = "_".join(filter(None, (prefix, _metric(figure.name), _metric(figure.unit))))
            by_name.setdefault(name, []).append(f"{name}{_label(finding.check)} {figure.value:g}")
    for name, samples in by_name.items():
        lines += [f"# TYPE {name} gauge", *samples]
    return lines


def github(command: str, findings: Sequence[Finding]) -> list[str]:
    """Workflow annotations for whatever is not fine."""
    return [_annotation(command, f) for f in findings if f.level is not Level.OK]


def junit(command: str, findings: Sequence[Finding]) -> list[str]:
    """One test case a check; trouble is a failure, an unknown is an error."""
    failures = sum(f.level in (Level.WARNING, Level.CRITICAL) for f in findings)
    unknown = sum(f.level is Level.UNKNOWN for f in findings)
    counts = f'tests="{len(findings)}" failures="{failures}" errors="{unknown}"'
    return [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f"<testsuites {counts}>",
        f'<testsuite name={_quoted(f"opsctl.{command}")} {counts} skipped="0">',
        *(line for finding in findings for line in _case(command, finding)),
        "</testsuite>",
        "</testsuites>",
    ]


RENDERERS: dict[str, Renderer] = {
    "nagios": nagios,
    "prom": prom,
    "github": github,
    "junit": junit,
    "sarif": sarif,
}


def _bar(text: str) -> str:
    # A bar starts the performance data.
    return escape_control(text).replace("|", "/")


def _perfdata(check: str, figure: Figure) -> str:
    name = re.sub(r"['=|]", "_", f"{check}_{figure.name}")
    marks = ";".join("" if m is None else f"{m:g}" for m in (figure.warn_at, figure.critical_at))
    unit = figure.unit if figure.unit in ("s", "ms", "%", "B") else ""
    return f"'{name}'={figure.value:g}{unit};{marks}".rstrip(";")


def _metric(name: str) -> str:
    return re.sub(r"[^a-zA-Z0-9_]", "_", _PROM_UNITS.get(name, name))


def _label(check: str) -> str:
    value = escape_control(check).replace("\\", "\\\\").replace('"', '\\"')
    return f'{{check="{value}"}}'


def _annotation(command: str, finding: Finding) -> str:
    place = {"file": finding.file, "line": finding.line, "title": f"{command} {finding.check}"}
    said = ",".join(f"{key}={_property(str(value))}" for key, value in place.items() if value)
    message = f"{finding.what}\n{finding.fix}" if finding.fix else finding.what
    return f"::{_GITHUB_WORD.get(finding.level, 'error')} {said}::{_message(message)}"


def _message(text: str) -> str:
    lines = (escape_control(line).replace("%", "%25") for line in text.splitlines())
    return "%0A".join(lines)


def _property(text: str) -> str:
    return _message(text).replace(":", "%3A").replace(",", "%2C")


def _quoted(text: str) -> str:
    return f'"{escape(text)}"'


def _case(command: str, finding: Finding) -> Iterable[str]:
    place = f"classname={_quoted(f'opsctl.{command}')} name={_quoted(clean(finding.check))}"
    if not finding.is_problem:
        yield f"<testcase {place}/>"
        return
    kind = "error" if finding.level is Level.UNKNOWN else "failure"
    yield f"<testcase {place}>"
    yield f"<{kind} type={_quoted(finding.level)} message={_quoted(clean(finding.what))}>"
    yield f"{escape(clean(finding.fix))}</{kind}>"
    yield "</testcase>"
