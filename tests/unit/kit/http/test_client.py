"""The clients, on scripted answers and a clock that moves by hand."""

import asyncio
import json
import logging

import pytest

from opsctl.errors import UnreachableError, UsageError
from opsctl.kit import (
    AsyncHttpClient,
    Breaker,
    BreakerOpenError,
    HttpClient,
    HttpSettings,
    LimitedError,
    Rate,
    ResponseError,
)
from opsctl.kit.testing import FakeClock, FakeHttp, async_memory_limiter, memory_limiter

URL = "https://api.example.test/orders"


def client(pool: FakeHttp, clock: FakeClock) -> HttpClient:
    return HttpClient(HttpSettings(), pool, clock)


def test_a_passing_failure_is_passed() -> None:
    pool = FakeHttp().answers("GET", URL, status=503).answers("GET", URL, body={"price": 1})

    with client(pool, FakeClock()) as http:
        answer = http.get(URL)

    assert (answer.json(), len(pool.sent)) == ({"price": 1}, 2)


def test_what_stays_broken_is_handed_over_as_it_is() -> None:
    pool = FakeHttp().answers("GET", URL, status=503, body="closed")

    with client(pool, FakeClock()) as http:
        answer = http.get(URL)

    assert (answer.status, answer.text, len(pool.sent)) == (503, "closed", 3)


def test_who_never_answers_is_an_error_within_the_deadline() -> None:
    clock = FakeClock()
    pool = FakeHttp().fails("GET", URL, UnreachableError("no answer from https://x"))

    with client(pool, clock) as http, pytest.raises(UnreachableError, match="no answer"):
        http.get(URL, deadline_s=0.25)

    assert (len(pool.sent), clock.steady() < 0.25) == (2, True)


def test_each_attempt_ends_with_the_deadline_of_the_whole() -> None:
    pool = FakeHttp().answers("GET", URL)

    with client(pool, FakeClock()) as http:
        http.get(URL, deadline_s=3.0)
        http.get(URL)

    assert [request.limit_s for request in pool.sent] == [3.0, 10.0]


def test_a_call_adds_parameters_headers_and_json() -> None:
    pool = FakeHttp().answers("POST", f"{URL}?side=buy", status=201)
    settings = HttpSettings(base_url="https://api.example.test/", headers={"X-Key": "1"})

    with HttpClient(settings, pool).with_headers(x_trace="7") as http:
        http.post("orders", params={"side": "buy"}, json={"qty": 1})

    (sent,) = pool.sent
    assert json.loads(sent.body) == {"qty": 1}
    assert sent.headers["x-key"] == "1"
    assert sent.headers["x-trace"] == "7"
    assert sent.headers["content-type"] == "application/json"


def test_json_and_a_body_together_are_refused() -> None:
    with client(FakeHttp(), FakeClock()) as http, pytest.raises(UsageError):
        http.post(URL, json={}, body=b"x")


def test_the_limit_is_waited_for_before_every_attempt() -> None:
    clock = FakeClock()
    pool = FakeHttp().answers("GET", URL)
    limiter = memory_limiter(clock)

    with client(pool, clock).with_rate_limiter(limiter, "kis") as http:
        for _ in range(11):
            http.get(URL)

    assert (len(pool.sent), clock.steady()) == (11, 2.0)


def test_a_limit_too_far_off_is_not_waited_for() -> None:
    clock = FakeClock()
    rate = Rate("slow", 1, 100.0)

    with client(FakeHttp().answers("GET", URL), clock) as bare:
        http = bare.with_rate_limiter(memory_limiter(clock), rate)
        http.get(URL)
        with pytest.raises(LimitedError) as refused:
            http.get(URL)

    assert (refused.value.retry_after_s, clock.steady()) == (100.0, 0.0)


def test_a_breaker_stops_calls_after_five_failures_and_takes_no_place_of_the_limit() -> None:
    clock = FakeClock()
    pool = FakeHttp().answers("GET", URL, status=500)
    breaker = Breaker("api", clock=clock)

    with client(pool, clock).with_breaker(breaker) as http:
        for _ in range(5):
            http.get(URL)
        with pytest.raises(BreakerOpenError):
            http.get(URL)

    assert len(pool.sent) == 5


def test_an_answer_that_was_needed_and_did_not_come_is_an_error() -> None:
    pool = FakeHttp().answers("GET", URL, status=404)

    with client(pool, FakeClock()) as http, pytest.raises(ResponseError) as missing:
        http.get(URL).required()

    assert (missing.value.status, missing.value.what) == (
        404,
        "cannot use the response of https://api.example.test",
    )


def test_no_log_and_no_error_contains_a_secret(caplog: pytest.LogCaptureFixture) -> None:
    url = "https://user:c4n4ry@api.example.test/hooks/c4n4ry?token=c4n4ry"
    pool = FakeHttp().answers("GET", url, status=503, body="c4n4ry")

    with caplog.at_level(logging.DEBUG), client(pool, FakeClock()) as http:
        answer = http.with_headers(authorization="Bearer c4n4ry").get(url)

    facts = [record for record in caplog.records if record.name == "opsctl.kit.http"]
    assert [record.__dict__["origin"] for record in facts] == ["https://api.example.test"] * 3
    assert "c4n4ry" not in "".join(str(record.__dict__) for record in facts)
    assert "c4n4ry" not in repr(answer)
    assert "c4n4ry" not in repr(http)


def test_a_stream_comes_piece_by_piece_after_its_head_was_retried() -> None:
    pool = FakeHttp().answers("GET", URL, status=502).answers("GET", URL, body=b"x" * 3000)

    with client(pool, FakeClock()) as http, http.stream("GET", URL) as stream:
        pieces = [len(chunk) for chunk in stream.chunks()]

    assert (stream.response.status, pieces) == (200, [1024, 1024, 952])


def test_the_async_client_does_the_same() -> None:
    clock = FakeClock()
    pool = FakeHttp().answers("GET", URL, status=429, headers={"Retry-After": "3"})
    pool.answers("GET", URL, body=b"x" * 2000)
    breaker = Breaker("api", clock=clock)

    async def run() -> tuple[int, list[int]]:
        bare = AsyncHttpClient(HttpSettings(), pool, clock)
        async with bare.with_breaker(breaker) as http:
            limited = http.with_rate_limiter(async_memory_limiter(clock), "kis")
            answer = await limited.get(URL)
            async with limited.stream("GET", URL) as stream:
                return answer.status, [len(chunk) async for chunk in stream.chunks()]

    assert asyncio.run(run()) == (200, [1024, 976])
    assert clock.steady() == 3.0
