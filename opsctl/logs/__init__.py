"""The log. A command that logs nothing does not import `logging`, which takes 5 ms."""

import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING, TextIO

from opsctl.logs.target import LogTarget

if TYPE_CHECKING:
    from logging import Logger


class _LogState:
    lock = threading.RLock()
    target: LogTarget | None = None
    is_open = False


def configure_logs(
    level: str, *, stream: TextIO, file: str = "", secrets: Iterable[str] = ()
) -> None:
    """Send this package's records to `stream`; to a file only errors, and only when asked."""
    with _LogState.lock:
        _LogState.target = LogTarget(level, stream, file, tuple(secrets))
        if _LogState.is_open:
            _attach(_LogState.target)


def logger(name: str) -> "Logger":
    """Give a logger of this package, configured if configure_logs was called."""
    import logging  # noqa: PLC0415 - only a command that logs pays

    with _LogState.lock:
        if not _LogState.is_open and _LogState.target is not None:
            _attach(_LogState.target)
        _LogState.is_open = True
    return logging.getLogger(name)


def _attach(target: LogTarget) -> None:
    from opsctl.logs.lines import attach_handlers  # noqa: PLC0415 - same

    attach_handlers(target)
