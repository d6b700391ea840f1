"""A program that takes over our terminal and streams until it ends."""

import os
import signal
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Self

INTERRUPTIONS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# What a shell adds to the number of the signal that ended a program.
ENDED_BY_SIGNAL = 128


def run_in_foreground(argv: tuple[str, ...], *, cwd: Path | None, env: Mapping[str, str]) -> int:
    """Run a program to its end, and return its exit code as a shell gives it."""
    with _ForwardedSignals() as signals:
        # In our own session and process group: it may read from the terminal.
        child = subprocess.Popen(argv, cwd=cwd, env=env)  # noqa: S603 - an argument list
        signals.forward_to(child)
        exit_code = child.wait()
    return ENDED_BY_SIGNAL - exit_code if exit_code < 0 else exit_code


class _ForwardedSignals:
    """Signals go to the child, which ends us by ending; inside a `with` block."""

    def __init__(self) -> None:
        self._child: subprocess.Popen[bytes] | None = None
        self._pending: list[int] = []
        self._handlers: dict[signal.Signals, Callable[..., object]] = {}

    def __enter__(self) -> Self:
        for number in INTERRUPTIONS:
            handler = signal.getsignal(number)
            if callable(handler):
                signal.signal(number, self._forward)
                self._handlers[number] = handler
        return self

    def __exit__(self, *_: object) -> None:
        while self._handlers:
            signal.signal(*self._handlers.popitem())

    def forward_to(self, child: subprocess.Popen[bytes]) -> None:
        self._child = child
        for number in self._pending:
            child.send_signal(number)

    def _forward(self, number: int, _: object) -> None:
        if self._child is None:
            self._pending.append(number)
        # Ctrl-C on a terminal reaches both of us.
        elif number != signal.SIGINT or not os.isatty(0):
            self._child.send_signal(number)
