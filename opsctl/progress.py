"""How far long work is, and how long is left."""

from typing import Protocol


class Progress(Protocol):
    def advance(self, done: int, total: int, what: str) -> None:
        """Say that `done` of `total` parts are finished, and which one is at work now."""
        ...


class NoProgress:
    """For callers that show nothing."""

    def advance(self, done: int, total: int, what: str) -> None:
        """Show nothing."""


def estimate_seconds_left(done: int, total: int, elapsed_s: float) -> float | None:
    """Guess from what is behind; nothing is known before the first part is done."""
    if done <= 0 or total <= 0:
        return None
    return max(0.0, elapsed_s / done * (total - done))
