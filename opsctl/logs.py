"""What happened, for later: JSON lines, with secrets taken out where they would be written."""

import json
import logging
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

MASK = "***"

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
# Compiled when something is logged: most runs log nothing.
_LOGIN = r"(?P<scheme>[a-z][a-z0-9+.-]*://)[^\s/@]+@"
_PAIR = (
    r"(?P<name>(?:password|passwd|pgpassword|secret|token|api[_-]?key|authorization)"
    r"""["']?\s*[=:]\s*["']?)(?:bearer\s+|basic\s+)?[^\s"',;&]+"""
)


class Redactor:
    """Takes out what settings call secret, and what looks like one."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        # The longest first: a secret may hold another one.
        self._secrets = sorted({secret for secret in secrets if secret}, key=len, reverse=True)

    def __call__(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, MASK)
        text = re.sub(_LOGIN, rf"\g<scheme>{MASK}@", text, flags=re.IGNORECASE)
        return re.sub(_PAIR, rf"\g<name>{MASK}", text, flags=re.IGNORECASE)


class JsonLines(logging.Formatter):
    """One JSON object a line: when, how bad, who, what, and the facts."""

    def __init__(self, redact: Redactor) -> None:
        super().__init__()
        self._redact = redact

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        facts = {key: value for key, value in vars(record).items() if key not in _STANDARD}
        if record.exc_info:
            facts["traceback"] = self.formatException(record.exc_info)
        return json.dumps(_redacted(line | facts, self._redact), ensure_ascii=False, default=str)


def _redacted(value: object, redact: Redactor) -> object:
    """Redact before quoting: JSON writes some characters of a secret differently."""
    if isinstance(value, Mapping):
        return {redact(str(key)): _redacted(inner, redact) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_redacted(inner, redact) for inner in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    return redact(str(value))


def configure(level: str, *, stream: TextIO, file: str = "", secrets: Iterable[str] = ()) -> None:
    """Send this package's records to `stream`; to a file only errors, and only when asked."""
    formatter = JsonLines(Redactor(secrets))
    root = logging.getLogger("opsctl")
    for old in tuple(root.handlers):
        root.removeHandler(old)
        old.close()
    root.setLevel(level.upper())
    root.propagate = False
    _add(root, logging.StreamHandler(stream), formatter)
    if file:
        handler = logging.FileHandler(Path(file).expanduser(), encoding="utf-8", delay=True)
        handler.setLevel(logging.ERROR)
        _add(root, handler, formatter)


def _add(root: logging.Logger, handler: logging.Handler, formatter: logging.Formatter) -> None:
    handler.setFormatter(formatter)
    root.addHandler(handler)
