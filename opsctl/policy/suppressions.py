"""Reads what suppresses a finding: a comment beside it, or an exception of the project."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from opsctl.findings import Finding
from opsctl.policy.project import SourceFile

MARK = "opsctl-check:"
_COMMENT = re.compile(
    r"(?P<open>#|--|//|/\*|<!--|;)[ \t]*opsctl-check:[ \t]*(?P<how>allow-file|allow)[ \t]+"
    r"(?P<rules>[a-z0-9-]+(?:[ \t]*,[ \t]*[a-z0-9-]+)*)[ \t]*(?::[ \t]*(?P<reason>[^\n]*?))?"
    r"[ \t]*(?:-->|\*/)?[ \t]*\r?$",
    re.MULTILINE,
)
_ONLY_COMMENT = re.compile(r"\s*(?:#|--|//|/\*|<!--|;|\Z)")
# In prose a hash is a heading and two dashes are a dash.
_PROSE = frozenset({".md", ".rst", ".txt", ".html", ".adoc", ".mdx"})


@dataclass(frozen=True, slots=True)
class AllowComment:
    """A comment that suppresses findings of some rules; `last` is the last line it covers."""

    file: str
    line: int
    rules: tuple[str, ...]
    reason: str = ""
    last: int | None = None
    """None: the whole file."""

    def covers(self, finding: Finding) -> bool:
        if finding.file != self.file or finding.check not in self.rules or not self.reason:
            return False
        return self.last is None or self.line <= (finding.line or 0) <= self.last


@dataclass(frozen=True, slots=True)
class PolicyException:
    """Files to which rules do not apply, and why; listed in configs/policy."""

    files: tuple[str, ...]
    rules: tuple[str, ...]
    """None named: all of them."""
    reason: str
    place: str

    def covers(self, finding: Finding) -> bool:
        named = not self.rules or finding.check in self.rules
        return named and any(matches(finding.file, pattern) for pattern in self.files)


def matches(path: str, pattern: str) -> bool:
    """Say whether a path fits a pattern in which `*` and `**` cross slashes."""
    return fnmatchcase(path, pattern) or (
        pattern.startswith("**/") and fnmatchcase(path, pattern.removeprefix("**/"))
    )


def find_allow_comments(sources: Iterable[SourceFile]) -> Iterator[AllowComment]:
    for source in sources:
        if MARK in source.text:
            yield from _in_source(source)


def _in_source(source: SourceFile) -> Iterator[AllowComment]:
    lines = source.text.splitlines()
    for match in source.find(_COMMENT):
        if source.suffix in _PROSE and match["open"] != "<!--":
            continue
        line = source.line_of(match.start())
        rules = tuple(word.strip() for word in match["rules"].split(","))
        whole = match["how"] == "allow-file"
        last = None if whole else _last(lines, line)
        yield AllowComment(source.path, line, rules, match["reason"] or "", last)


def _last(lines: Sequence[str], line: int) -> int:
    """A comment behind code speaks of its line; one alone, of the next line that is none."""
    if not _ONLY_COMMENT.match(lines[line - 1]):
        return line
    following = range(line, len(lines))
    return next((n + 1 for n in following if not _ONLY_COMMENT.match(lines[n])), line)
