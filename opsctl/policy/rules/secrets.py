"""Rules: passwords, keys and tokens stand in no file that git keeps. A finding never quotes one."""

import re
from collections.abc import Iterator

from opsctl.policy.model import Hit, Rule, Severity, rule
from opsctl.policy.project import ComposeFile, Project, Source
from opsctl.policy.rules.services import at, each

_NAMES = (
    r"(?:[\w.-]*(?:passw(?:or)?d|passwd|secret|token|credential|approval[_-]?key"
    r"|(?:api|app|access|private)[_-]?key)s?)"
)
_ASSIGNED = re.compile(
    rf"(?<![\w$])[\"']?(?P<name>{_NAMES})[\"']?\s*(?::\s*str\s*)?[:=]\s*"
    r"(?P<quote>[\"'])(?P<value>[^\"'\s]{8,})(?P=quote)",
    re.IGNORECASE,
)
_BARE = re.compile(
    rf"^[ \t-]*(?:export[ \t]+)?(?P<name>{_NAMES})[ \t]*(?:=|:[ \t])[ \t]*"
    r"(?P<value>[^\s\"'#$<{][^\s\"'#]{7,})[ \t]*(?:#.*)?$",
    re.IGNORECASE | re.MULTILINE,
)
_IN_URL = re.compile(
    r"[a-z][a-z0-9+]{1,20}://[^\s:/@\"'<>{}$]*:(?P<value>[^\s:/@\"'<>{}$%*]{3,})@[\w.\[-]",
    re.IGNORECASE,
)
_SHAPES = (
    (
        "a private key",
        "-----begin ",
        re.compile(r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY-----\s*\r?\n[A-Za-z0-9+/=:, \t-]"),
    ),
    ("an AWS key", "akia", re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b")),
    (
        "a GitHub token",
        "gh",
        re.compile(
            r"\b(?:gh[pousr]_[A-Za-z0-9]{36,}"
            r"|github_pat_[A-Za-z0-9_]{50,})"
        ),
    ),
    ("a GitLab token", "glpat-", re.compile(r"\bglpat-[A-Za-z0-9_-]{20,}")),
    ("a Slack token", "xox", re.compile(r"\bxox[abeprs]-[A-Za-z0-9-]{10,}")),
    (
        "a Slack webhook",
        "hooks.slack.com",
        re.compile(r"hooks\.slack\.com/services/T[A-Z0-9]{6,}/B[A-Z0-9]{6,}/[A-Za-z0-9]{16,}"),
    ),
    ("a Google key", "aiza", re.compile(r"\bAIza[0-9A-Za-z_-]{35}\b")),
    ("a Stripe key", "_live_", re.compile(r"\b[rs]k_live_[0-9A-Za-z]{16,}")),
    ("a Tailscale key", "tskey-", re.compile(r"\btskey-[a-z]+-[A-Za-z0-9-]{10,}")),
    ("a Telegram token", ":aa", re.compile(r"\b[0-9]{8,10}:AA[A-Za-z0-9_-]{32,}")),
    ("a package registry token", "pypi-agei", re.compile(r"\bpypi-AgEI[A-Za-z0-9_-]{20,}")),
    (
        "a JSON web token",
        "eyj",
        re.compile(r"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}"),
    ),
)
_WORDS = ("passw", "secret", "token", "api", "key", "credential")
# What stands for a secret and is none.
_PLACEHOLDER = re.compile(
    r"(?:change[-_]?me|placeholder|example|dummy|sample|redacted|insert"
    r"|replace|your[-_ ]|my[-_]|test|fake|"
    r"xxx|\.\.\.|\*\*\*|<|>|\{|\$|%\(|none\b|null\b|true\b|false\b|default"
    r"|password|passwort|passwd|secret|token|"
    r"development|postgres\b|changeit|local|hunter2|todo)",
    re.IGNORECASE,
)
_SECRET_NAME = re.compile(_NAMES + r"\Z", re.IGNORECASE)
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
    reason="Git forgets nothing: a secret in a tracked file is everyone's who ever clones.",
    fix="Move it to .env, which git ignores, and change it: it is known already.",
)
def in_file(project: Project) -> Iterator[Hit]:
    for source in project.sources:
        # A local .env is where secrets belong.
        is_local = source.name.startswith(".env") and source.path not in project.branch.tracked
        if not is_local:
            yield from _secrets(source)


def _secrets(source: Source) -> Iterator[Hit]:
    for what, mark, pattern in _SHAPES:
        if mark in source.lowered:
            for match in source.find(pattern):
                yield Hit(f"{what} stands here", source.path, source.line_of(match.start()))
    if "://" in source.text and "@" in source.text:
        for match in source.find(_IN_URL):
            if not is_placeholder(match["value"]):
                line = source.line_of(match.start())
                yield Hit("a URL with a password stands here", source.path, line)
    yield from _assigned(source)


def _assigned(source: Source) -> Iterator[Hit]:
    if not any(word in source.lowered for word in _WORDS):
        return
    patterns = [_ASSIGNED]
    if source.suffix in _SET_IN or source.name.startswith(".env"):
        patterns.append(_BARE)
    for pattern in patterns:
        for match in source.find(pattern):
            if _is_random(match["value"]):
                line = source.line_of(match.start("name"))
                yield Hit(f"{match['name']} is written out", source.path, line)


@rule(
    "secret-env-tracked",
    Severity.ERROR,
    reason=".env holds this machine's secrets; in git it is a leak, and the wrong "
    "values elsewhere.",
    fix="git rm --cached .env, add it to .gitignore, keep .env.example with empty values.",
)
def env_tracked(project: Project) -> Iterator[Hit]:
    for source in project.sources:
        words = source.name.split(".")
        is_example = words[-1] in {"example", "sample", "template", "dist"}
        is_env = words[:2] == ["", "env"] and not is_example
        if is_env and source.path in project.branch.tracked:
            yield Hit("git tracks this file of secrets", source.path, 1)


@rule(
    "secret-in-compose",
    Severity.ERROR,
    reason="A password in a compose file is in git, in `docker inspect` and in "
    "every backup of both.",
    fix="${NAME:?set it in .env}, or secrets: with a file.",
)
def in_compose(project: Project) -> Iterator[Hit]:
    for file, service in each(project):
        for name, value in service.environment.items():
            if value and _SECRET_NAME.search(name) and _is_written_out(file, name, value):
                yield at(file, service, f"{name} is written out", name)


def _is_written_out(file: ComposeFile, name: str, value: str) -> bool:
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
def in_settings(project: Project) -> Iterator[Hit]:
    for name, origin in project.environments.secrets_in_files:
        file, _, line = origin.rpartition(":")
        yield Hit(f"{name} is a secret and stands in a settings file", file, int(line))


RULES: tuple[Rule[Project], ...] = (in_file, env_tracked, in_compose, in_settings)
