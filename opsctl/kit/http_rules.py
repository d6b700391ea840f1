"""When to try again, and after how long: decided from what came back."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from opsctl.errors import OpsctlError, UnreachableError
from opsctl.kit.http_answer import Answer

# Doing these twice is doing them once.
_REPEATABLE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"})
_PASSING = frozenset({408, 502, 503, 504})
_TOO_MANY = 429
_SERVER_ERROR = 500


@dataclass(frozen=True, slots=True)
class Retries:
    """How stubborn a client is."""

    attempts: int = 3
    """Calls made at most, the first included."""
    first_pause_s: float = 0.2
    longest_pause_s: float = 10.0


@dataclass(frozen=True, slots=True)
class Tried:
    """What is known after one attempt."""

    method: str
    headers: Mapping[str, str]
    """What was sent, names in lower case."""
    attempt: int
    left_s: float
    """Until the deadline of the whole."""
    outcome: Answer | OpsctlError


def pause_before_next(
    tried: Tried, retries: Retries, *, now: datetime, spread: float
) -> float | None:
    """Say how long to wait before the next attempt; None when this outcome stands."""
    if tried.attempt >= retries.attempts or not may_repeat(tried):
        return None
    pause_s = _asked_for(tried.outcome, now)
    if pause_s is None:
        grown_s = retries.first_pause_s * 2.0 ** (tried.attempt - 1)
        pause_s = min(retries.longest_pause_s, grown_s) * spread
    return pause_s if pause_s < tried.left_s else None


def may_repeat(tried: Tried) -> bool:
    """Whether it could help, and cannot do the same thing twice."""
    twice = tried.method in _REPEATABLE or "idempotency-key" in tried.headers
    if isinstance(tried.outcome, Answer):
        refused = tried.outcome.status == _TOO_MANY
        return refused or (twice and tried.outcome.status in _PASSING)
    if not isinstance(tried.outcome, UnreachableError):
        return False
    return twice or tried.outcome.code == "unsent"


def failure_of(outcome: Answer) -> str:
    """Say what of an answer counts against whoever gave it; a 4xx is ours."""
    return f"it answered {outcome.status}" if outcome.status >= _SERVER_ERROR else ""


def _asked_for(outcome: Answer | OpsctlError, now: datetime) -> float | None:
    """Read Retry-After: seconds, or a moment on the server's own clock."""
    if not isinstance(outcome, Answer):
        return None
    said = outcome.headers.get("retry-after", "")
    if said.isascii() and said.isdigit():
        return float(said)
    moment = outcome.moment("retry-after")
    if moment is None:
        return None
    return max(0.0, (moment - (outcome.moment("date") or now)).total_seconds())
