"""The progress of long work, and the time left."""

from typing import Protocol


class Progress(Protocol):
    def advance(self, done: int, total: int, what: str) -> None:
        """Report that `done` of `total` parts are finished, and which one is running."""
        ...


class NoProgress:
    """Shows nothing."""

    def advance(self, done: int, total: int, what: str) -> None:
        """Show nothing."""


def estimate_seconds_left(done: int, total: int, elapsed_s: float) -> float | None:
    """Estimate from the parts that are done; None before the first one is."""
    if done <= 0 or total <= 0:
        return None
    return max(0.0, elapsed_s / done * (total - done))
