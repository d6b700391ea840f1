"""Whether a request is retried, and after how long."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from opsctl.errors import OpsctlError, UnreachableError
from opsctl.kit.http.response import Response

_IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"})
_TEMPORARY = frozenset({408, 502, 503, 504})
_TOO_MANY_REQUESTS = 429
_SERVER_ERROR = 500


@dataclass(frozen=True, slots=True)
class Retries:
    """How often a request is sent, and how long the pauses are."""

    attempts: int = 3
    """Including the first one."""
    first_pause_s: float = 0.2
    longest_pause_s: float = 10.0


@dataclass(frozen=True, slots=True)
class AttemptResult:
    """What is known after one attempt."""

    method: str
    headers: Mapping[str, str]
    """Of the request, names in lower case."""
    attempt: int
    left_s: float
    """Until the deadline of all attempts."""
    outcome: Response | OpsctlError


def pause_before_retry(
    result: AttemptResult, retries: Retries, *, now: datetime, jitter: float
) -> float | None:
    """Return how long to wait before the next attempt; None when there is none."""
    if result.attempt >= retries.attempts or not may_retry(result):
        return None
    pause_s = _requested_pause_s(result.outcome, now)
    if pause_s is None:
        backoff_s = retries.first_pause_s * 2.0 ** (result.attempt - 1)
        pause_s = min(retries.longest_pause_s, backoff_s) * jitter
    return pause_s if pause_s < result.left_s else None


def may_retry(result: AttemptResult) -> bool:
    """Whether a retry could help, and cannot make the server act twice."""
    idempotent = result.method in _IDEMPOTENT or "idempotency-key" in result.headers
    if isinstance(result.outcome, Response):
        refused = result.outcome.status == _TOO_MANY_REQUESTS
        return refused or (idempotent and result.outcome.status in _TEMPORARY)
    if not isinstance(result.outcome, UnreachableError):
        return False
    return idempotent or result.outcome.code == "unsent"


def describe_failure(response: Response) -> str:
    """Describe a response that counts as a failure of the server; a 4xx is an error of ours."""
    return f"status {response.status}" if response.status >= _SERVER_ERROR else ""


def _requested_pause_s(outcome: Response | OpsctlError, now: datetime) -> float | None:
    """Read Retry-After: seconds, or a date on the server's own clock."""
    if not isinstance(outcome, Response):
        return None
    retry_after = outcome.headers.get("retry-after", "")
    if retry_after.isascii() and retry_after.isdigit():
        return float(retry_after)
    date = outcome.date_header("retry-after")
    if date is None:
        return None
    return max(0.0, (date - (outcome.date_header("date") or now)).total_seconds())
