"""Rules: code and configuration are apart: numbers live in configs/ and are checked by models."""

import re
from collections.abc import Iterator

from opsctl.policy.model import Rule, Severity, Violation, rule
from opsctl.policy.project import CheckedProject, SourceFile, is_below

_WORDS = frozenset(
    "TIMEOUT INTERVAL LIMIT MAX MIN THRESHOLD RETRY RETRIES ATTEMPTS PORT RATE WINDOW SIZE COUNT"  # noqa: SIM905 - words
    " PERCENT PCT RATIO DELAY PERIOD TTL SECONDS MINUTES HOURS DAYS BATCH WORKERS CAPACITY BUDGET"
    " LEVERAGE FEE SLIPPAGE LOSS PROFIT QTY QUANTITY SYMBOLS SOCKETS RETENTION INDEX DB S"
    " MS".split()
)
_CONSTANT = re.compile(
    r"^(?P<name>[A-Z][A-Z0-9_]{0,60})[ \t]*(?::[^=\n]{1,80})?=[ \t]*-?\d[\d_.eE]*[ \t]*(?:#.*)?$",
    re.MULTILINE,
)
_FALLBACK = re.compile(
    r"(?:getenv|environ\.get)\(\s*[\"'](?P<name>\w+)[\"']\s*,\s*[\"']?-?\d[\d_.eE]*[\"']?\s*\)"
)
_QUOTES = re.compile(r"\"{3}|'{3}")
_PARAMETERS = re.compile(
    r"(?:.*[-_.])?(?:config|configs|configuration|settings|setting|params"
    r"|param|parameters|parameter|thresholds|limits|strategy)"
    r"(?:[-_.].*)?\.(?:ya?ml|json|toml|ini|properties)\Z",
    re.IGNORECASE,
)
# Settings of tools, which want them where they are.
_TOOLS = re.compile(
    r"(?:\..*|ts.?config.*|jsconfig.*|.*\.schema\.json"
    r"|package(?:-lock)?\.json|pyproject\.toml|mypy\.ini|tox\.ini|pytest\.ini"
    r"|ruff\.toml|mkdocs\.ya?ml|(?:docker-)?compose.*|codecov\.ya?ml|renovate\.json|.*lock.*)\Z",
    re.IGNORECASE,
)
_TESTS = re.compile(
    r"(?:^|/)(?:tests?|testing|docs?|examples?|vendor|third_party)/|(?:^"
    r"|/)(?:test_[^/]*|[^/]*_test|conftest)\.py\Z"
)


@rule(
    "number-in-code",
    Severity.ADVICE,
    reason="A number in code needs a release to change, and nobody sees it in `config show`.",
    fix="Move it into a file below configs/, checked by a pydantic model; or say why not.",
)
def number_in_code(project: CheckedProject) -> Iterator[Violation]:
    for source in project.ending(".py"):
        if not _TESTS.search(source.path):
            yield from _numbers(source)


def _numbers(source: SourceFile) -> Iterator[Violation]:
    for match in source.find(_CONSTANT):
        is_setting = not _WORDS.isdisjoint(match["name"].split("_"))
        if is_setting and not _is_quoted(source, match.start()):
            what = f"{match['name']} is a number in code"
            yield Violation(what, source.path, source.line_of(match.start()))
    if "environ" in source.text or "getenv" in source.text:
        for match in source.find(_FALLBACK):
            what = f"{match['name']} falls back to a number in code"
            yield Violation(what, source.path, source.line_of(match.start()))


def _is_quoted(source: SourceFile, offset: int) -> bool:
    return len(_QUOTES.findall(source.text, 0, offset)) % 2 == 1


@rule(
    "parameters-elsewhere",
    Severity.WARNING,
    reason="All parameters are YAML or JSON below configs/: one place to look, one place to check.",
    fix="Move the file below configs/ and read it through a model.",
)
def elsewhere(project: CheckedProject) -> Iterator[Violation]:
    home = project.policy.parameter_dir
    for source in project.ending(".yml", ".yaml", ".json", ".toml", ".ini", ".properties"):
        hidden = "/." in f"/{source.path}"
        if is_below(source.path, home) or hidden or _TESTS.search(source.path):
            continue
        if _PARAMETERS.match(source.name) and not _TOOLS.match(source.name):
            yield Violation(f"parameters outside of {home}/", source.path, 1)


RULES: tuple[Rule[CheckedProject], ...] = (number_in_code, elsewhere)
