"""SIGINT, SIGTERM and SIGHUP end a command cleanly: it cleans up and reports what is left."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_caught: list[int] = []


def caught_signal() -> str:
    return signal.Signals(_caught[0]).name if _caught else "SIGINT"


@contextmanager
def signals_interrupt() -> Iterator[None]:
    """Turn the first signal into KeyboardInterrupt; later ones do not interrupt the clean-up."""
    _caught.clear()
    before = {number: signal.signal(number, _interrupt) for number in _ENDING}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _interrupt(number: int, _frame: FrameType | None) -> None:
    _caught.append(number)
    if len(_caught) == 1:
        raise KeyboardInterrupt
