"""The HTTP clients on a real server: deadlines, connections, streams, TLS."""

import asyncio
import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest

from opsctl.errors import OpsctlError, UnreachableError
from opsctl.kit import AsyncHttpClient, HttpClient, HttpSettings, Retries
from opsctl.systems.clock import SystemClock
from tests.contexts import CANARY, Running, running
from tests.engines.addresses import Address

QUICK = HttpSettings(attempt_s=1.0, deadline_s=4.0, silence_s=0.3, retries=Retries(attempts=1))
AMPLE = HttpSettings(attempt_s=30.0, deadline_s=60.0, silence_s=30.0, retries=Retries(attempts=1))
# None of these would end by itself in less than minutes; the machine does other things as well.
IN_TIME_S = 30.0


@pytest.fixture
def site() -> Iterator[Running]:
    with running() as site:
        yield site


@pytest.fixture
def http(site: Running) -> Iterator[HttpClient]:
    # Closed before the site, which waits for its open connections to end.
    assert site.port
    with HttpClient(AMPLE) as http:
        yield http


@pytest.fixture
def quick(site: Running) -> Iterator[HttpClient]:
    assert site.port
    with HttpClient(QUICK) as quick:
        yield quick


def test_an_answer_is_whole(http: HttpClient, site: Running) -> None:
    answer = http.get(site.url("/well?token=x"))

    assert (answer.status, answer.body, answer.ok) == (200, b"well", True)
    assert answer.origin == f"http://127.0.0.1:{site.port}"


def test_a_body_is_sent(http: HttpClient, site: Running) -> None:
    assert http.post(site.url(), json={"종목": 1}).json() == {"종목": 1}


def test_redirects_are_answers_and_cookies_are_not_kept(http: HttpClient, site: Running) -> None:
    assert http.get(site.url("/elsewhere")).status == 302
    http.get(site.url("/cookie"))
    http.get(site.url("/well"))

    assert "cookie" not in site.seen[-1]


@pytest.mark.parametrize("path", ["/dripping_headers", "/dripping_body"])
def test_an_answer_that_drips_is_cut_off_at_the_deadline(
    quick: HttpClient, site: Running, path: str
) -> None:
    clock = SystemClock()
    began = clock.steady()

    with pytest.raises(UnreachableError, match="no answer"):
        quick.get(site.url(path))

    assert clock.steady() - began < IN_TIME_S


@pytest.mark.parametrize("path", ["/cut", "/nonsense"])
def test_what_is_no_whole_http_is_unreachable(http: HttpClient, site: Running, path: str) -> None:
    with pytest.raises(UnreachableError):
        http.get(site.url(path))


def test_a_server_that_accepts_and_is_silent_costs_one_deadline(
    quick: HttpClient, black_hole: Address
) -> None:
    clock = SystemClock()
    began = clock.steady()

    with pytest.raises(UnreachableError) as lost:
        quick.get(f"http://{black_hole.host}:{black_hole.port}/{CANARY}")

    assert clock.steady() - began < IN_TIME_S
    assert CANARY not in repr(lost.value) + lost.value.why + lost.value.hint


def test_a_body_over_the_bound_is_not_kept(http: HttpClient, site: Running) -> None:
    with pytest.raises(OpsctlError, match="too long"):
        http.get(site.url("/well"), max_body_bytes=3)


def test_threads_share_a_client(http: HttpClient, site: Running) -> None:
    found: list[bytes] = []
    threads = [
        threading.Thread(target=lambda: found.append(http.get(site.url()).body)) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert found == [b"well"] * 4


def test_a_stream_ends_with_its_answer(http: HttpClient, site: Running) -> None:
    with http.stream("GET", site.url()) as stream:
        text = b"".join(stream.chunks())

    assert (stream.response.status, text) == (200, b"well")


def test_a_stream_may_be_long_but_not_silent(quick: HttpClient, site: Running) -> None:
    clock = SystemClock()
    began, pieces = clock.steady(), 0

    with (
        HttpClient(replace(QUICK, attempt_s=2.0, silence_s=30.0)) as http,
        http.stream("GET", site.url("/dripping_body")) as stream,
    ):
        for _ in stream.chunks():
            pieces += 1
            if clock.steady() - began > 2.3:
                break

    assert pieces > 5
    with quick.stream("GET", site.url("/silent")) as stream, pytest.raises(UnreachableError):
        list(stream.chunks())


def test_a_stream_left_half_way_leaves_the_client_usable(http: HttpClient, site: Running) -> None:
    with http.stream("GET", site.url("/dripping_body")) as stream:
        next(stream.chunks())

    assert http.get(site.url()).body == b"well"


def test_awaited_calls_share_connections_and_deadlines(site: Running, black_hole: Address) -> None:
    async def run() -> tuple[list[bytes], list[bytes], str]:
        async with AsyncHttpClient(AMPLE) as http, AsyncHttpClient(QUICK) as quick:
            answers = await asyncio.gather(*[http.get(site.url()) for _ in range(4)])
            async with http.stream("GET", site.url()) as stream:
                pieces = [chunk async for chunk in stream.chunks()]
            try:
                await quick.get(f"http://{black_hole.host}:{black_hole.port}/")
            except UnreachableError as error:
                return [answer.body for answer in answers], pieces, error.why
        return [], [], "it answered"

    assert asyncio.run(run()) == ([b"well"] * 4, [b"well"], "no whole answer within 1 s")
