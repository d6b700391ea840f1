"""What a measurement says, how it is taken, and how peers take turns."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

Doing = Callable[[], object]


@dataclass(frozen=True)
class Figure:
    name: str
    value: float
    unit: str = ""
    goal: float | None = None
    better: str = "less"
    """`less` or `more` than the goal is wanted."""

    @property
    def missed(self) -> bool:
        if self.goal is None:
            return False
        return self.value > self.goal if self.better == "less" else self.value < self.goal


class NoPeer(Exception):  # noqa: N818 - says what is missing, not what failed
    """A peer is not installed."""


@contextmanager
def peer(name: str) -> Iterator[None]:
    """Say which peer is missing instead of failing."""
    try:
        yield
    except ImportError as error:
        raise NoPeer(name) from error


def fastest_us(
    doings: Mapping[str, Doing], *, rounds: int = 60, each: int = 200
) -> dict[str, float]:
    """Take turns, so that a noisy second hits all alike; the fastest tenth of the rounds counts."""
    taken: dict[str, list[float]] = {name: [] for name in doings}
    for _ in range(rounds):
        for name, doing in doings.items():
            began = time.perf_counter()
            for _ in range(each):
                doing()
            taken[name].append((time.perf_counter() - began) / each * 1e6)
    return {name: sorted(times)[len(times) // 10] for name, times in taken.items()}
