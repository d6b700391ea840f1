"""Shows long work on stderr: a line that moves on a terminal, a heartbeat every 10 s when piped."""

import threading
from typing import TextIO

from opsctl.cli.show.text import escape_control
from opsctl.progress import estimate_seconds_left, format_duration
from opsctl.systems.clock import Clock, SystemClock

HEARTBEAT_S = 10.0
_ERASE_LINE = "\r\x1b[2K"


def progress_for(stream: TextIO) -> "MovingLine | Heartbeat":
    return (
        MovingLine(stream, SystemClock()) if stream.isatty() else Heartbeat(stream, SystemClock())
    )


class _Line:
    def __init__(self, stream: TextIO, clock: Clock) -> None:
        self._stream = stream
        self._clock = clock
        self._began = clock.steady()

    def _text(self, done: int, total: int, what: str) -> str:
        elapsed = self._clock.steady() - self._began
        left = estimate_seconds_left(done, total, elapsed)
        tail = "" if left is None else f", about {spoken(left)} left"
        return f"[{done}/{total}] {escape_control(what)} ({spoken(elapsed)}{tail})"


class MovingLine(_Line):
    """Rewrites one line; leaves nothing behind when done."""

    def advance(self, done: int, total: int, what: str) -> None:
        end = "" if done >= total else self._text(done, total, what)
        self._stream.write(f"{_ERASE_LINE}{end}")
        self._stream.flush()


class Heartbeat(_Line):
    """Says a line every 10 s, also while one part hangs; nothing if all is done before."""

    def __init__(self, stream: TextIO, clock: Clock, *, every_s: float = HEARTBEAT_S) -> None:
        super().__init__(stream, clock)
        self._every_s = every_s
        self._latest = (0, 0, "")
        self._finished = threading.Event()
        self._beating = threading.Thread(target=self._beat, daemon=True)

    def advance(self, done: int, total: int, what: str) -> None:
        self._latest = (done, total, what)
        if done >= total:
            self._finished.set()
        elif not self._beating.is_alive() and not self._finished.is_set():
            self._beating.start()

    def _beat(self) -> None:
        while not self._finished.wait(self._every_s):
            self._stream.write(self._text(*self._latest) + "\n")
            self._stream.flush()
