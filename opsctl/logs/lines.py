"""Format the lines of the log: JSON, with secrets masked."""

import json
import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from opsctl.logs.redact import Redactor
from opsctl.logs.target import LogTarget

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JsonLines(logging.Formatter):
    """One JSON object per line: time, level, logger, message, and the facts."""

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


def attach_handlers(target: LogTarget) -> None:
    """Send this package's records to the target, and nowhere else."""
    formatter = JsonLines(Redactor(target.secrets))
    root = logging.getLogger("opsctl")
    for old in tuple(root.handlers):
        root.removeHandler(old)
        old.close()
    root.setLevel(target.level.upper())
    root.propagate = False
    _add(root, logging.StreamHandler(target.stream), formatter)
    if target.file:
        handler = logging.FileHandler(Path(target.file).expanduser(), encoding="utf-8", delay=True)
        handler.setLevel(logging.ERROR)
        _add(root, handler, formatter)


def _add(root: logging.Logger, handler: logging.Handler, formatter: logging.Formatter) -> None:
    handler.setFormatter(formatter)
    root.addHandler(handler)
