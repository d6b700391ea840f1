"""Rules: passwords, keys and tokens stand in no file that git keeps. A finding never quotes one."""

import re
from collections.abc import Iterator

from opsctl.policy.model import Rule, Severity, Violation, rule
from opsctl.policy.project import CheckedComposeFile, CheckedProject, SourceFile
from opsctl.policy.rules.services import each_service, service_violation

# How the names of secrets end; looked for word by word, which is quick.
_ENDS = ("password", "passwd", "passwort", "secret", "token", "credential", "key")
_KEYED = re.compile(r"(?:api|app|access|private|approval|secret)[_-]?\Z")
_LONGEST_NAME = 100
_NAME_START = re.compile(r"[\w.-]*\Z")
_QUOTED = re.compile(
    r"s?[\"']?\s*(?::\s*str\s*)?[:=]\s*(?P<quote>[\"'])(?P<value>[^\"'\s]{8,})(?P=quote)",
    re.IGNORECASE,
)
_BARE = re.compile(
    r"s?[ \t]*(?:=|:[ \t])[ \t]*(?P<value>[^\s\"'#$<{][^\s\"'#]{7,})[ \t]*(?:#.*)?\r?$",
    re.IGNORECASE | re.MULTILINE,
)
_LINE_START = re.compile(r"[ \t-]*(?:export[ \t]+)?\Z")
_IN_URL = re.compile(
    r"://[^\s:/@\"'<>{}$]*:(?P<value>[^\s:/@\"'<>{}$%*]{3,})@[\w.\[-]",
)
_SHAPES = (
    (
        "a private key",
        ("-----BEGIN ",),
        re.compile(r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY-----\s*\r?\n[A-Za-z0-9+/=:, \t-]"),
    ),
    ("an AWS key", ("AKIA", "ASIA"), re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b")),
    (
        "a GitHub token",
        ("ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"),
        re.compile(r"\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{50,})"),
    ),
    ("a GitLab token", ("glpat-",), re.compile(r"\bglpat-[A-Za-z0-9_-]{20,}")),
    ("a Slack token", ("xox",), re.compile(r"\bxox[abeprs]-[A-Za-z0-9-]{10,}")),
    (
        "a Slack webhook",
        ("hooks.slack.com",),
        re.compile(r"hooks\.slack\.com/services/T[A-Z0-9]{6,}/B[A-Z0-9]{6,}/[A-Za-z0-9]{16,}"),
    ),
    ("a Google key", ("AIza",), re.compile(r"\bAIza[0-9A-Za-z_-]{35}\b")),
    ("a Stripe key", ("k_live_",), re.compile(r"\b[rs]k_live_[0-9A-Za-z]{16,}")),
    ("a Tailscale key", ("tskey-",), re.compile(r"\btskey-[a-z]+-[A-Za-z0-9-]{10,}")),
    ("a Telegram token", (":AA",), re.compile(r"\b[0-9]{8,10}:AA[A-Za-z0-9_-]{32,}")),
    ("a package registry token", ("pypi-AgEI",), re.compile(r"\bpypi-AgEI[A-Za-z0-9_-]{20,}")),
    (
        "a JSON web token",
        ("eyJ",),
        re.compile(r"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}"),
    ),
)
_MARKS = tuple((mark, pattern, what) for what, marks, pattern in _SHAPES for mark in marks)
# What stands for a secret and is none.
_PLACEHOLDER = re.compile(
    r"(?:change[-_]?me|placeholder|example|dummy|sample|redacted|insert"
    r"|replace|your[-_ ]|my[-_]|test|fake|"
    r"xxx|\.\.\.|\*\*\*|<|>|\{|\$|%\(|none\b|null\b|true\b|false\b|default"
    r"|password|passwort|passwd|secret|token|"
    r"development|postgres\b|changeit|local|hunter2|todo)",
    re.IGNORECASE,
)
_SECRET_NAME = re.compile(
    r"(?:passw(?:or)?[dt]|passwd|secret|token|credential"
    r"|(?:api|app|access|private|approval)[_-]?key)s?\Z",
    re.IGNORECASE,
)
# Where a word is set: what a program does with `token = "..."` is its own business.
_SET_IN = frozenset(
    {
        ".env",
        ".ini",
        ".cfg",
        ".conf",
        ".toml",
        ".yaml",
        ".yml",
        ".json",
        ".properties",
        ".sh",
        ".tf",
        "",
    }
)


def is_placeholder(value: str) -> bool:
    return len(set(value)) < 4 or bool(_PLACEHOLDER.search(value))  # noqa: PLR2004 - aaaa, 0000


def _is_random(value: str) -> bool:
    """Say whether it looks drawn by lot: letters and digits mixed, no words or paths."""
    if is_placeholder(value) or any(sign in value for sign in "()[] ,;/\\"):
        return False
    kinds = (str.islower, str.isupper, str.isdigit)
    return sum(any(kind(c) for c in value) for kind in kinds) >= 2 and len(set(value)) >= 6  # noqa: PLR2004 - of three kinds


@rule(
    "secret-in-file",
    Severity.ERROR,
    reason="Git forgets nothing: everyone who ever clones has a secret in a tracked file.",
    fix="Move it to .env, which git ignores, and change it: it is known already.",
)
def in_file(project: CheckedProject) -> Iterator[Violation]:
    for source in project.sources:
        # A local .env is where secrets belong.
        is_local = source.name.startswith(".env") and source.path not in project.branch.tracked
        if not is_local:
            yield from _secrets(source)


def _secrets(source: SourceFile) -> Iterator[Violation]:
    text = source.text
    likely = {pattern: what for mark, pattern, what in _MARKS if mark in text}
    for pattern, what in likely.items():
        for match in source.find(pattern):
            yield Violation(f"{what} is in this file", source.path, source.line_of(match.start()))
    if "://" in source.text and "@" in source.text:
        for match in source.find(_IN_URL):
            if not is_placeholder(match["value"]):
                line = source.line_of(match.start())
                yield Violation("a URL with a password is in this file", source.path, line)
    yield from _assigned(source)


def _assigned(source: SourceFile) -> Iterator[Violation]:
    """Find names that end like those of secrets, with a value that looks random."""
    lowered = source.lowered
    # A few letters of the world become two when they are made small.
    text = source.text if len(source.text) == len(lowered) else lowered
    is_bare = source.suffix in _SET_IN or source.name.startswith(".env")
    for word in _ENDS:
        start = lowered.find(word)
        while start >= 0:
            end = start + len(word)
            if word != "key" or _KEYED.search(lowered, max(0, start - 9), start):
                match = _QUOTED.match(text, end) or (_bare(text, start, end) if is_bare else None)
                if match and _is_random(match["value"]):
                    name = f"{_before(text, start)}{text[start:end]}"
                    yield Violation(f"{name} is written out", source.path, source.line_of(start))
            start = lowered.find(word, end)


def _before(text: str, offset: int) -> str:
    found = _NAME_START.search(text, max(0, offset - _LONGEST_NAME), offset)
    return found[0] if found else ""


def _bare(text: str, start: int, end: int) -> re.Match[str] | None:
    """Match `NAME=value` where that is all of the line."""
    edge = max(0, start - _LONGEST_NAME)
    line = text.rfind("\n", edge, start) + 1
    if not line and edge:
        return None
    name = _before(text, start)
    if not _LINE_START.match(text, line, start - len(name)):
        return None
    return _BARE.match(text, end)


@rule(
    "secret-env-tracked",
    Severity.ERROR,
    reason=".env holds this machine's secrets; in git it is a leak, and the wrong "
    "values elsewhere.",
    fix="git rm --cached .env, add it to .gitignore, keep .env.example with empty values.",
)
def env_tracked(project: CheckedProject) -> Iterator[Violation]:
    for source in project.sources:
        words = source.name.split(".")
        is_example = words[-1] in {"example", "sample", "template", "dist"}
        is_env = words[:2] == ["", "env"] and not is_example
        if is_env and source.path in project.branch.tracked:
            yield Violation("git tracks this file of secrets", source.path, 1)


@rule(
    "secret-in-compose",
    Severity.ERROR,
    reason="A password in a compose file is in git, in `docker inspect` and in "
    "every backup of both.",
    fix="${NAME:?set it in .env}, or secrets: with a file.",
)
def in_compose(project: CheckedProject) -> Iterator[Violation]:
    for file, service in each_service(project):
        for name, value in service.environment.items():
            if value and _SECRET_NAME.search(name) and _is_written_out(file, name, value):
                yield service_violation(file, service, f"{name} is written out", name)


def _is_written_out(file: CheckedComposeFile, name: str, value: str) -> bool:
    """Say whether the value is the file's own, a default included; development may have toys."""
    if (
        value in file.given.values()
        or name.upper().endswith("_FILE")
        or value.lower() in {"true", "false"}
    ):
        return False
    if file.env in {"dev", "local", "test"} and is_placeholder(value):
        return False
    return value in file.source.text


@rule(
    "secret-in-settings",
    Severity.ERROR,
    reason="Settings files are tracked; secrets come from .env or the environment.",
    fix="Move it to .env and change it.",
)
def in_settings(project: CheckedProject) -> Iterator[Violation]:
    for name, origin in project.environments.secrets_in_files:
        file, _, line = origin.rpartition(":")
        yield Violation(f"{name} is a secret in a settings file", file, int(line))


RULES: tuple[Rule[CheckedProject], ...] = (in_file, env_tracked, in_compose, in_settings)
