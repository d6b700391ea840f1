"""The only wait in the tests: for the thing itself, with a deadline."""

import time
from collections.abc import Callable
from typing import TypeVar

import pytest

T = TypeVar("T")
_STEP_S = 0.02


def wait_for(condition: Callable[[], T], deadline_s: float, what: str) -> T:
    """Ask until the answer is true and return it; fail by name when the deadline passes."""
    end = time.monotonic() + deadline_s
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() >= end:
            pytest.fail(f"waited {deadline_s:g} s for {what}; the last answer was {answer!r}")
        time.sleep(_STEP_S)  # noqa: TID251 - the one place that waits for all tests
