"""One suite over the scripted pool and the real one, each behind both clients."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from opsctl.errors import OpsctlError, UnreachableError
from opsctl.kit import AsyncHttpClient, HttpClient, HttpSettings, Retries
from opsctl.kit.adapters import http_pool
from opsctl.kit.testing import FakeHttp
from opsctl.systems.http.pool import HttpPool
from tests.contexts import DATE, running
from tests.engines.addresses import Address

ONCE = HttpSettings(attempt_s=2.0, retries=Retries(attempts=1))


@dataclass(frozen=True)
class Answering:
    pool: HttpPool
    up: str
    down: str


@pytest.fixture(params=["twin", "real"])
def answering(request: pytest.FixtureRequest, dead_address: Address) -> Iterator[Answering]:
    down = f"http://{dead_address.host}:{dead_address.port}/"
    if request.param == "real":
        with running() as site:
            yield Answering(http_pool(), site.url(""), down)
        return
    up = "http://site.test"
    twin = FakeHttp().answers("GET", f"{up}/well", headers={"Date": DATE}, body=b"well")
    twin.answers("GET", f"{up}/nothing", status=404, body=b"missing")
    twin.answers("GET", f"{up}/cookie", headers={"set-cookie": "x"})
    twin.fails("GET", down, UnreachableError(f"no answer from {down[:-1]}"))
    yield Answering(twin, up, down)


@pytest.fixture
def http(answering: Answering) -> Iterator[HttpClient]:
    with HttpClient(ONCE, answering.pool) as http:
        yield http


def test_an_answer_has_status_headers_and_body(http: HttpClient, answering: Answering) -> None:
    answer = http.get(f"{answering.up}/well")

    assert (answer.status, answer.text, answer.headers["date"]) == (200, "well", DATE)


def test_a_refusal_is_an_answer(http: HttpClient, answering: Answering) -> None:
    assert http.get(f"{answering.up}/nothing").status == 404


def test_nobody_there_is_unreachable(http: HttpClient, answering: Answering) -> None:
    with pytest.raises(UnreachableError, match=f"no answer from {answering.down[:-1]}"):
        http.get(answering.down)


def test_a_body_over_the_bound_is_not_kept(http: HttpClient, answering: Answering) -> None:
    with pytest.raises(OpsctlError, match="too long"):
        http.get(f"{answering.up}/well", max_body_bytes=3)


def test_a_stream_gives_head_and_body(http: HttpClient, answering: Answering) -> None:
    with http.stream("GET", f"{answering.up}/well") as stream:
        text = b"".join(stream.chunks())

    assert (stream.response.status, stream.response.body, text) == (200, b"", b"well")


def test_awaited_answers_are_the_same(answering: Answering) -> None:
    async def run() -> tuple[int, bytes]:
        async with AsyncHttpClient(ONCE, answering.pool) as http:
            answer = await http.get(f"{answering.up}/well")
            async with http.stream("GET", f"{answering.up}/well") as stream:
                return answer.status, b"".join([chunk async for chunk in stream.chunks()])

    assert asyncio.run(run()) == (200, b"well")
