"""What happened, for later. A run that logs nothing does not load what logs: 5 ms."""

import re
import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING, TextIO

from opsctl.value import Value

if TYPE_CHECKING:
    from logging import Logger

MASK = "***"

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


class LogTarget(Value):
    """From which level on records of this package are written, and where to."""

    level: str
    stream: TextIO
    file: str
    secrets: tuple[str, ...]


class _Desk:
    turn = threading.RLock()
    wanted: LogTarget | None = None
    is_open = False


def configure_logs(
    level: str, *, stream: TextIO, file: str = "", secrets: Iterable[str] = ()
) -> None:
    """Send this package's records to `stream`; to a file only errors, and only when asked."""
    with _Desk.turn:
        _Desk.wanted = LogTarget(level, stream, file, tuple(secrets))
        if _Desk.is_open:
            _direct(_Desk.wanted)


def logger(name: str) -> "Logger":
    """Give a logger of this package: the standard one, where nothing was configured."""
    import logging  # noqa: PLC0415 - what logs is loaded by who logs

    with _Desk.turn:
        if not _Desk.is_open and _Desk.wanted is not None:
            _direct(_Desk.wanted)
        _Desk.is_open = True
    return logging.getLogger(name)


def _direct(wanted: LogTarget) -> None:
    from opsctl.logs.lines import direct  # noqa: PLC0415 - same

    direct(wanted)
