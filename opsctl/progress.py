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


def format_duration(seconds: float) -> str:
    """Say a duration as a person would: 4 s, 3 min 20 s, 1 h 5 min."""
    whole = round(seconds)
    if whole < 60:  # noqa: PLR2004 - seconds in a minute
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:  # noqa: PLR2004 - minutes in an hour
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"
