"""Rules: documents name no public address, hosts have MagicDNS names, no merge is unfinished."""

import re
from collections.abc import Iterator

from opsctl.addresses import is_documentation, is_loopback, parse_address
from opsctl.findings import Level
from opsctl.policy.addresses import public_addresses
from opsctl.policy.model import Rule, Severity, Violation, rule
from opsctl.policy.project import CheckedProject, SourceFile, is_below

DOCUMENTS = (".md", ".rst", ".txt", ".adoc", ".mdx", ".markdown", ".html")
_MARK = re.compile(r"^(?:<{7}|>{7}|\|{7})(?: [^\n]*)?$", re.MULTILINE)
_SSH = re.compile(
    r"\b(?:ssh|scp|sftp|rsync|mosh)\b(?P<words>[^\n|;&]*)|ssh://(?P<url>[^\s\"'`)>]+)",
    re.IGNORECASE,
)
_HOST = re.compile(
    r"(?:[\w.-]+@)?(?P<host>\[?[0-9a-fA-F:]*::[0-9a-fA-F:]*\]?|(?:\d{1,3}\.){3}\d{1,3})(?![\w.])"
)
_SSH_URL = re.compile(r"ssh://(?:(?P<user>[\w.-]+)@)?(?P<host>\[[^\]\s]+\]|[\w.-]+)")
_HOSTING = frozenset({"git", "hg"})


def documents(project: CheckedProject) -> Iterator[SourceFile]:
    yield from project.ending(*DOCUMENTS)
    yield from project.named("README", "CHANGELOG", "NOTES", "LICENSE")


@rule(
    "merge-marker",
    Severity.ERROR,
    reason="An unfinished merge has two versions at once; readers and parsers pick either.",
    fix="Keep the right version, delete the lines of <, | and >.",
)
def merge_marker(project: CheckedProject) -> Iterator[Violation]:
    for source in project.sources:
        if "<<<<<<<" in source.text or ">>>>>>>" in source.text or "|||||||" in source.text:
            for match in source.find(_MARK):
                what = f"an unfinished merge: {match[0][:40]}"
                yield Violation(what, source.path, source.line_of(match.start()))


@rule(
    "public-ip",
    Severity.ERROR,
    reason="An address in a document is a target; documents hold placeholders.",
    fix="Write <SERVER_IP>, or an address for documentation: 192.0.2.1, 198.51.100.1, 203.0.113.1.",
)
def public_ip(project: CheckedProject) -> Iterator[Violation]:
    for source in documents(project):
        yield from _addresses(source, project)


@rule(
    "public-ip-in-settings",
    Severity.WARNING,
    reason="Servers are reached by tailnet names; an address bypasses the tailnet, and changes.",
    fix="Use the MagicDNS name; or policy.known_addresses, if it reveals nothing about us.",
)
def public_ip_in_settings(project: CheckedProject) -> Iterator[Violation]:
    for source in project.ending(".yml", ".yaml", ".toml", ".ini", ".cfg", ".env", ".conf", ".sh"):
        if not is_below(source.path, "tests"):
            yield from _addresses(source, project)
    for source in project.named("Makefile", ".env.*", "Dockerfile"):
        yield from _addresses(source, project)


def _addresses(source: SourceFile, project: CheckedProject) -> Iterator[Violation]:
    for address, offset in public_addresses(source.text, project.policy.known_addresses):
        line = source.line_of(offset)
        yield Violation(f"the public address {_veiled(address)} is in this file", source.path, line)


def _veiled(address: str) -> str:
    """Name it so that it is found again, and not spread further by our own output."""
    mark = ":" if ":" in address else "."
    return f"{address.partition(mark)[0]}{mark}x{mark}x"


@rule(
    "host-by-address",
    Severity.ERROR,
    reason="Production is reached as ssh user@name of the tailnet (MagicDNS), never by an address.",
    fix="Use the MagicDNS name, e.g. ssh ubuntu@stock-monitor-prod.",
)
def host_by_address(project: CheckedProject) -> Iterator[Violation]:
    for source in project.sources:
        speaks = "ssh" in source.lowered or "rsync" in source.lowered
        if speaks and source.suffix not in {".py", ".lock"}:
            yield from _targets(source)
    yield from _engines(project)


def _targets(source: SourceFile) -> Iterator[Violation]:
    for match in source.find(_SSH):
        found = _HOST.search(match["words"] or match["url"] or "")
        host = found["host"].strip("[]") if found else ""
        if parse_address(host) and not is_loopback(host) and not is_documentation(host):
            line = source.line_of(match.start())
            yield Violation(f"a host is reached by its address {_veiled(host)}", source.path, line)


def _engines(project: CheckedProject) -> Iterator[Violation]:
    """Names with dots that are no names of the tailnet, where settings say ssh://."""
    suffix = project.policy.magic_dns_suffix
    for source in project.ending(".yml", ".yaml", ".env"):
        for match in source.find(_SSH_URL) if "ssh://" in source.text else ():
            host = match["host"].rstrip(".")
            if match["user"] in _HOSTING or parse_address(host) or "." not in host:
                continue
            if not host.endswith(f".{suffix}"):
                line = source.line_of(match.start())
                yield Violation(
                    f"{host} is not a MagicDNS name", source.path, line, level=Level.WARNING
                )


RULES: tuple[Rule[CheckedProject], ...] = (
    merge_marker,
    public_ip,
    public_ip_in_settings,
    host_by_address,
)
