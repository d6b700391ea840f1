from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from opsctl.errors import OpsctlError, UnreachableError
from opsctl.kit.http.response import Response
from opsctl.kit.http.retries import AttemptResult, Retries, pause_before_retry
from opsctl.systems.http.errors import UnsentError

NOW = datetime(2026, 1, 12, 9, 0, tzinfo=UTC)
LOST = UnreachableError("no answer")
UNSENT = UnsentError("no connection")


def pause(
    outcome: int | OpsctlError,
    *,
    method: str = "GET",
    sent: Mapping[str, str] | None = None,
    answered: Mapping[str, str] | None = None,
    attempt: int = 1,
) -> float | None:
    """Judge one attempt that has 20 s left."""
    came = Response(outcome, answered or {}, b"") if isinstance(outcome, int) else outcome
    tried = AttemptResult(method, sent or {}, attempt, left_s=20.0, outcome=came)
    return pause_before_retry(tried, Retries(), now=NOW, jitter=1.0)


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT", "DELETE"])
@pytest.mark.parametrize("outcome", [408, 429, 502, 503, 504, LOST, UNSENT])
def test_what_can_be_done_twice_is_tried_again(method: str, outcome: int | OpsctlError) -> None:
    assert pause(outcome, method=method) == 0.2


@pytest.mark.parametrize("outcome", [408, 502, 503, 504, LOST])
def test_a_post_that_may_have_been_done_is_not_done_again(outcome: int | OpsctlError) -> None:
    assert pause(outcome, method="POST") is None


@pytest.mark.parametrize("outcome", [429, UNSENT])
def test_a_post_that_was_surely_not_done_is_tried_again(outcome: int | OpsctlError) -> None:
    assert pause(outcome, method="POST") == 0.2


def test_a_post_with_an_idempotency_key_is_tried_again() -> None:
    assert pause(503, method="POST", sent={"idempotency-key": "1"}) == 0.2


@pytest.mark.parametrize("outcome", [200, 301, 400, 404, 500, OpsctlError("too long")])
def test_what_would_not_change_stands(outcome: int | OpsctlError) -> None:
    assert pause(outcome) is None


def test_pauses_double_up_to_the_longest() -> None:
    tried = [AttemptResult("GET", {}, n, left_s=99.0, outcome=LOST) for n in range(1, 9)]

    pauses = [pause_before_retry(t, Retries(attempts=9), now=NOW, jitter=1.0) for t in tried]

    assert pauses == [0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10.0, 10.0]


def test_the_last_attempt_stands() -> None:
    assert pause(503, attempt=3) is None


def test_retry_after_in_seconds_is_respected() -> None:
    assert pause(429, answered={"retry-after": "7"}) == 7.0


def test_retry_after_as_a_moment_is_read_on_the_server_s_clock() -> None:
    answered = {
        "date": "Mon, 12 Jan 2026 12:00:00 GMT",
        "retry-after": "Mon, 12 Jan 2026 12:00:05 GMT",
    }

    assert pause(503, answered=answered) == 5.0


def test_retry_after_beyond_the_deadline_stands() -> None:
    assert pause(429, answered={"retry-after": "21"}) is None


@pytest.mark.parametrize("said", ["soon", "-1", "1e9", "٣", ""])
def test_a_retry_after_that_says_nothing_is_not_followed(said: str) -> None:
    assert pause(429, answered={"retry-after": said}) == 0.2
